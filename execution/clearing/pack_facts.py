"""What a prop firm's rule pack needs to know of an entry and its account, for `risk.packs`, which decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from brokers.base import BracketLeg, OrderRole, Side
from brokers.instruments import UnknownTicker
from brokers.quotes.quote import source_of
from execution.models import Order, Position
from execution.models.order import WORKING
from execution.situation import read_quotes
from execution.valuation import known_contract
from risk import packs
from risk.around import Denial
from risk.monitors import Figures, Gauge, gauge_of
from risk.packs import Pack
from risk.restrictions import AssignedPack

ZERO = Decimal(0)
WITHOUT_END = Decimal(10**12)
"""The room of a rule that somebody unlocked for the session."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The entry: `held` is what the account holds without what the plan closes first, signed, by product root.

    `lifted` are the keys of those of the pack's rules that act no more in this session.
    """

    now: datetime
    symbol: str
    side: Side
    qty: int
    bracket: tuple[BracketLeg, ...]
    held: Mapping[str, int]
    figures: Figures
    open_risk: Decimal
    lifted: Collection[str]


def denial(assignment: AssignedPack, wanted: Wanted) -> Denial | None:
    """Why the firm's rules forbid the entry. A pack that cannot be read forbids it, too."""
    pack = _read(assignment)
    if isinstance(pack, Denial):
        return pack
    terms = packs.terms_of(pack, assignment.start_balance, f"pack:{assignment.id}")
    gauges = (_standing(gauge_of(one, wanted.figures), wanted.lifted) for one in terms)
    facts = packs.PackFacts(
        now=wanted.now,
        start_balance=assignment.start_balance,
        equity=wanted.figures.equity,
        day_start_equity=wanted.figures.start_equity,
        symbol=wanted.symbol,
        side=wanted.side,
        contracts=wanted.qty,
        held=_in_minis(wanted.held),
        stop_risk=stop_risk(wanted.symbol, wanted.qty, wanted.bracket),
        open_risk=wanted.open_risk,
        gauges=tuple(gauges),
    )
    return packs.entry_denial(pack, facts)


def time_denial(assignment: AssignedPack, symbol: str, now: datetime) -> Denial | None:
    """Why the firm allows no entry at this time of the day. A pack that cannot be read forbids it, too."""
    pack = _read(assignment)
    return pack if isinstance(pack, Denial) else packs.time_denial(pack, symbol, now)


def _read(assignment: AssignedPack) -> Pack | Denial:
    try:
        return packs.get(assignment.pack, assignment.version)
    except (KeyError, packs.BadPack) as error:
        text = f"the rules that this account is under cannot be read: {error}"
        return Denial(
            "PACK_UNREADABLE",
            text[:512],
            f"{assignment.pack} v{assignment.version}",
            "a rule pack of this installation",
        )


def _standing(gauge: Gauge, lifted: Collection[str]) -> Gauge:
    is_lifted = gauge.room is not None and gauge.terms.key in lifted
    return replace(gauge, room=WITHOUT_END) if is_lifted else gauge


def _in_minis(held: Mapping[str, int]) -> dict[str, Decimal]:
    counted = {}
    for root, net in held.items():
        try:
            counted[root] = packs.minis(root, net)
        except UnknownTicker:
            counted[root] = Decimal(net)
    return counted


def stop_risk(symbol: str, qty: int, bracket: tuple[BracketLeg, ...]) -> Decimal | None:
    """Dollars lost when all of the entry ends at its stop; None where a part of it has none."""
    contract = known_contract(symbol)
    if contract is None or sum(leg.qty for leg in bracket) < qty:
        return None
    lost = ZERO
    for leg in bracket:
        if leg.stop_distance is None:
            return None
        lost += leg.stop_distance * leg.qty
    return lost * contract.point_value


def open_risks(accounts: Collection[UUID], now: datetime) -> dict[UUID, Decimal]:
    """By account, dollars that its working stops would lose from here; from the average price where there is none."""
    stops = list(
        Order.objects.filter(
            account_id__in=accounts, role=OrderRole.STOP.value, status__in=sorted(WORKING), stop_price__isnull=False
        ).values_list(
            "account_id", "trader_id", "symbol", "side", F("qty") - F("filled_qty"), "stop_price",
            "account__login__venue", "account__login__environment",
        )
    )  # fmt: skip
    if not stops:
        return {}
    held = Position.objects.filter(account_id__in=accounts).exclude(net_qty=0)
    averages = {(trader, symbol): price for trader, symbol, price in held.values_list("trader", "symbol", "avg_price")}
    book = read_quotes({row[2] for row in stops}, now)
    found: dict[UUID, Decimal] = {}
    for account_id, trader_id, symbol, side, left, stop, venue, environment in stops:
        quote = book.fresh(symbol, source_of(venue, environment))
        here = averages.get((trader_id, symbol)) if quote is None or quote.last is None else quote.last
        contract = known_contract(symbol)
        if here is not None and contract is not None:
            away = (here - stop) * -Side(side).sign
            found[account_id] = found.get(account_id, ZERO) + max(ZERO, away) * left * contract.point_value
    return found
