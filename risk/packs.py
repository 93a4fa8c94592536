"""Prop firms' rules on an account: which there are, how far each limit is, and what an entry may not do. Pure.

The packs themselves are files, see `risk.packfile`. Firms change their rules; a pack says where it was read and when,
and its owner has to check it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from brokers.base import Side
from brokers.instruments import product_of
from risk.checks import Denial
from risk.monitors import CENT, HUNDRED, ZERO, Gauge, Kind, Terms, is_loss, money
from risk.packfile import FOLDER, BadPack, Basis, Pack, read_folder
from risk.packtimes import flat_by, in_news, next_flat_by, next_news, unknown_news

__all__ = [
    "BadPack",
    "Consistency",
    "Pack",
    "PackFacts",
    "consistency",
    "entry_denial",
    "flat_by",
    "get",
    "in_news",
    "list_packs",
    "minis",
    "most_contracts",
    "newest",
    "next_flat_by",
    "next_news",
    "terms_of",
    "time_denial",
    "unknown_news",
]

MICRO = Decimal("0.1")
"""What firms count a micro contract as, whatever part of the full one it is."""
_MICROS_BY_ANOTHER_NAME = frozenset({"SIL"})
STATIC, TRAILING, DAILY = "static_drawdown", "trailing_drawdown", "daily_loss"


@lru_cache(maxsize=1)
def _packs() -> dict[tuple[str, int], Pack]:
    return read_folder(FOLDER)


def list_packs() -> tuple[Pack, ...]:
    """Every version of every pack, by name and version. Raises `BadPack` for a file that cannot be used."""
    return tuple(pack for _, pack in sorted(_packs().items()))


def get(name: str, version: int) -> Pack:
    """Raises KeyError when there is no such file."""
    pack = _packs().get((name, version))
    if pack is None:
        raise KeyError(f"{name} v{version} is no rule pack")
    return pack


def newest(name: str) -> Pack:
    """The pack's highest version. Raises KeyError when there is no such pack."""
    versions = [pack for pack in _packs().values() if pack.name == name]
    if not versions:
        raise KeyError(f"{name} is no rule pack")
    return max(versions, key=lambda pack: pack.version)


def terms_of(pack: Pack, start_balance: Decimal, key_prefix: str) -> tuple[Terms, ...]:
    """The pack's money limits for the monitor, with `key_prefix:<rule>` as keys. All dollars.

    The profit target closes nothing and is none of them.
    """
    terms = []
    if pack.static_drawdown is not None:
        floor = start_balance - pack.static_drawdown.amount
        terms.append(
            Terms(f"{key_prefix}:{STATIC}", Kind.FLOOR, floor, label=_label(pack, STATIC), start=start_balance)
        )
    if pack.trailing_drawdown is not None:
        rule = pack.trailing_drawdown
        terms.append(
            Terms(
                f"{key_prefix}:{TRAILING}",
                Kind.TRAILING_DRAWDOWN,
                rule.amount,
                from_day_end=rule.basis is Basis.END_OF_DAY,
                locks_at=None if rule.stops_at_plus is None else start_balance + rule.stops_at_plus,
                label=_label(pack, TRAILING),
                start=start_balance,
            )
        )
    if pack.daily_loss is not None:
        terms.append(Terms(f"{key_prefix}:{DAILY}", Kind.DAILY_LOSS, pack.daily_loss, label=_label(pack, DAILY)))
    return tuple(terms)


def minis(symbol: str, contracts: int) -> Decimal:
    """`contracts` of a root or symbol as firms count them. Raises `UnknownTicker`."""
    product = product_of(symbol)
    is_micro = product.root != product.family and product.root.startswith("M")
    return contracts * (MICRO if is_micro or product.root in _MICROS_BY_ANOTHER_NAME else Decimal(1))


def most_contracts(pack: Pack, profit: Decimal | None) -> Decimal | None:
    """The most contracts, in minis, at this profit; at an unknown one the fewest. None: the pack sets no limit."""
    if pack.scaling is None:
        return None
    steps = pack.scaling.steps
    if profit is None:
        return Decimal(min(step.minis for step in steps))
    reached = [step for step in steps if step.from_profit <= profit]
    return Decimal((reached[-1] if reached else steps[0]).minis)


@dataclass(frozen=True, slots=True)
class Consistency:
    """The best day's part of the profit so far, beside the most that the firm allows. Dollars and percent."""

    best_day: Decimal
    total: Decimal
    limit_percent: Decimal

    @property
    def percent(self) -> Decimal | None:
        """None as long as there is no profit to be a part of."""
        return None if self.total <= ZERO else self.best_day * HUNDRED / self.total

    @property
    def is_kept(self) -> bool:
        return self.percent is not None and self.percent <= self.limit_percent

    @property
    def missing(self) -> Decimal:
        """What other days still have to earn before the best one is no more than its allowed part, in whole cents."""
        needed = (self.best_day * HUNDRED / self.limit_percent).quantize(CENT, ROUND_CEILING)
        return max(ZERO, needed - self.total)


def consistency(pack: Pack, day_profits: Iterable[Decimal]) -> Consistency | None:
    """How the firm's consistency rule stands after these days' results, losses included; None without such a rule.

    It keeps nobody from trading: firms ask for it when an account is to pass or to be paid.
    """
    if pack.consistency_percent is None:
        return None
    days = list(day_profits)
    return Consistency(max([*days, ZERO]), sum(days, ZERO), pack.consistency_percent)


@dataclass(frozen=True, slots=True)
class PackFacts:
    """What is known of an entry and of its account at the moment of the check. Dollars; None is not known.

    `day_start_equity` is what the account was worth where the session began. `held` is what it holds and what its
    working entries may add, in signed minis by root (see `minis`); `contracts` of `symbol` are to be bought or sold.
    `stop_risk` is lost when the new order's stop fills, None: it has none. `open_risk` is what the stops already out
    would lose from here. `gauges` are those of this pack's terms.
    """

    now: datetime
    start_balance: Decimal
    equity: Decimal | None
    day_start_equity: Decimal | None
    symbol: str
    side: Side
    contracts: int
    held: Mapping[str, Decimal]
    stop_risk: Decimal | None
    open_risk: Decimal
    gauges: tuple[Gauge, ...]

    def profit(self, basis: Basis) -> Decimal | None:
        """Since the account began, by the figure that the firm goes by."""
        worth = self.equity if basis is Basis.INTRADAY else self.day_start_equity
        return None if worth is None else worth - self.start_balance


def entry_denial(pack: Pack, facts: PackFacts) -> Denial | None:
    """Why the firm's rules forbid this entry, or None. Ask for what adds exposure only; exits always pass.

    An entry without a stop says not how much it may lose: the floor denies it nothing, the monitor closes it in time.
    Where the pack has a floor or a daily loss and nobody knows how far it is, no entry passes. Raises `UnknownTicker`
    for what is no future.
    """
    untimely = time_denial(pack, facts.symbol, facts.now)
    return untimely or _contracts(pack, facts) or _room(pack, facts)


def time_denial(pack: Pack, symbol: str, now: datetime) -> Denial | None:
    """The part of `entry_denial` that only the clock decides. Raises `UnknownTicker` for what is no future."""
    return _flat_by(pack, symbol, now) or _news(pack, now)


def _label(pack: Pack, rule: str) -> str:
    return f"{pack.firm} {rule.replace('_', ' ')}"


def _flat_by(pack: Pack, symbol: str, now: datetime) -> Denial | None:
    closed = flat_by(pack, now, product_of(symbol).calendar)
    if closed is None or pack.flat_by is None:
        return None
    zone = ZoneInfo(pack.flat_by.zone)
    since, until = (moment.astimezone(zone) for moment in closed)
    had, limit = f"{now.astimezone(zone):%a %H:%M:%S}", f"{since:%a %H:%M} {_city(zone)}"
    text = f"{pack.firm} wants you flat by now: had {had}, limit {limit}, entries again {until:%a %H:%M}"
    return Denial("PACK_FLAT_BY", text, had, limit)


def _news(pack: Pack, now: datetime) -> Denial | None:
    event = in_news(pack, now)
    if event is None or pack.news is None:
        return None
    when = f"{event.label} at {event.at.astimezone(event.zone):%H:%M} {_city(event.zone)}"
    had = f"{now.astimezone(event.zone):%H:%M:%S}"
    limit = f"{pack.news.minutes_before} min before to {pack.news.minutes_after} min after"
    return Denial("PACK_NEWS", f"{pack.firm} allows no entry around {when}: had {had}, limit {limit}", had, limit)


def _contracts(pack: Pack, facts: PackFacts) -> Denial | None:
    if pack.scaling is None:
        return None
    most = most_contracts(pack, facts.profit(pack.scaling.basis))
    root = product_of(facts.symbol).root
    after = dict(facts.held)
    after[root] = after.get(root, ZERO) + facts.side.sign * minis(root, facts.contracts)
    count, before = _count(after), _count(facts.held)
    if most is None or count <= most or count <= before:
        return None
    had, limit = _plain(count), _plain(most)
    text = f"more contracts than {pack.firm} allows at this profit: had {had}, limit {limit} (a micro counts {MICRO})"
    return Denial("PACK_CONTRACTS", text, had, limit)


def _room(pack: Pack, facts: PackFacts) -> Denial | None:
    gauges = [gauge for gauge in facts.gauges if is_loss(gauge.terms.kind)]
    rooms = [(gauge.room, gauge) for gauge in gauges if gauge.room is not None]
    if len(rooms) < len(gauges) or (not gauges and _has_floor(pack)):
        text = f"nobody knows how far you are from what {pack.firm} lets you lose: wait for it"
        return Denial("PACK_UNKNOWN", text, "not known")
    if facts.stop_risk is None or not rooms:
        return None
    room, nearest = min(rooms, key=lambda one: one[0])
    risk = facts.stop_risk + facts.open_risk
    if risk < room:
        return None
    is_daily = nearest.terms.kind is Kind.DAILY_LOSS
    rule = "daily loss limit" if is_daily else "floor"
    how = f"cross your {rule} by {money(risk - room)}" if risk > room else f"reach your {rule}"
    had, limit = money(risk), money(room)
    text = f"this stop would {how}: had {had} at risk, limit {limit} ({pack.title})"
    return Denial("PACK_DAILY_LOSS" if is_daily else "PACK_FLOOR", text, had, limit)


def _has_floor(pack: Pack) -> bool:
    return any(rule is not None for rule in (pack.static_drawdown, pack.trailing_drawdown, pack.daily_loss))


def _count(held: Mapping[str, Decimal]) -> Decimal:
    """Contracts of all products together, whichever way each is held."""
    return sum((abs(net) for net in held.values()), ZERO)


def _plain(count: Decimal) -> str:
    return f"{count.normalize():f}"


def _city(zone: ZoneInfo) -> str:
    return zone.key.rpartition("/")[2].replace("_", " ")
