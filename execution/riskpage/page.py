"""What the risk pages show: every account's day, its limits, its locks, and how fresh all of that is.

Every function reads for one user and costs a fixed number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import QueryDict

from accounts.selectors import Person
from brokers.base import ConnectionState
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from brokers.services import has_venue_limits, known_venue_limits
from brokers.venue import DOLLAR_LIMITS
from execution import health
from execution.alarms import list_open_alarms_for
from execution.models import Alarm, Flatten, FlattenStatus
from execution.prices import format_money
from execution.riskpage.figures import AccountFigures, Book, read_book
from execution.riskpage.meters import Meter, meters_of, nearest, setting_meters
from execution.riskpage.packs import PackView, pack_views
from execution.riskpage.venue_limits import LABELS
from execution.selectors import list_flattens_for
from justtrades.requests import words_of
from recorders.selectors import list_recorders_for
from risk import selectors
from risk.models import LimitScope, RiskAction, RiskLimit, Switch, SwitchMode, SwitchScope
from risk.services import may_unlock
from risk.switch import may_release

CARDS_PER_PAGE = 12
FLATTENS_SHOWN = 24
ALARMS_SHOWN = 5
GUARD_MAX_AGE_S = 5.0
GUARD = "guard."
ALL, MINE = "The whole platform", "Everything of yours"
NAMELESS = {SwitchScope.ACCOUNT.value: "An account", SwitchScope.RECORDER.value: "A recorder"}


@dataclass(frozen=True, slots=True)
class Lock:
    action: RiskAction
    may_unlock: bool


@dataclass(slots=True)
class Card:
    """One account. `warnings` say why its figures are not to be relied on; none of them means that all is well."""

    account: BrokerAccount
    figures: AccountFigures
    is_watched: bool
    warnings: list[str]
    meters: list[Meter] = field(default_factory=list)
    pack: PackView | None = None
    locks: list[Lock] = field(default_factory=list)
    switch: Switch | None = None

    @property
    def has_venue_limits(self) -> bool:
        return has_venue_limits(self.account)

    @property
    def venue_limits(self) -> list[tuple[str, str]]:
        """The dollars that the venue itself enforces, as it last said."""
        known = known_venue_limits(self.account)
        values = [(LABELS[name], getattr(known, name, None)) for name in DOLLAR_LIMITS]
        return [(label, format_money(value, signed=False)) for label, value in values if value is not None]

    @property
    def every_meter(self) -> list[Meter]:
        return [*self.meters, *(self.pack.meters if self.pack is not None else ())]

    @property
    def pnl_text(self) -> str:
        return format_money(self.figures.pnl)

    @property
    def parts(self) -> list[tuple[str, str]]:
        """What the day's result is made of, and what the account is worth."""
        day, equity = self.figures.day, self.figures.equity
        found = []
        if day is not None:
            found = [
                ("Realised", format_money(day.realized)),
                ("Open", format_money(day.open_pnl)),
                ("Fees", format_money(day.fees, signed=False)),
            ]
            if day.venue_pnl is not None:
                found.append(("Broker says", format_money(day.venue_pnl)))
        if equity is not None and equity.equity is not None:
            found.append(("Worth", format_money(equity.equity, signed=False)))
        if day is not None and day.contracts > 0:
            found.append(("Holds", f"{day.contracts} in {day.open_positions}"))
        return found

    @property
    def attention(self) -> int:
        """Lower needs it more: locked or reached, not to be relied on, near a limit, well, not watched."""
        states = {meter.state for meter in self.every_meter}
        if self.locks or "reached" in states:
            return 0
        if not self.is_watched:
            return 4
        if self.warnings:
            return 1
        return 2 if "near" in states else 3


@dataclass(frozen=True, slots=True)
class SwitchRow:
    switch: Switch
    whose: str
    may_release: bool


@dataclass(slots=True)
class Overview:
    """Everything of one user. `across` are the limits on more than one account."""

    cards: list[Card]
    across: list[Meter]
    book: Book
    locks: list[Lock]
    switches: list[SwitchRow]

    @property
    def nearest(self) -> Meter | None:
        return nearest([*self.across, *(meter for card in self.cards for meter in card.every_meter)])

    @property
    def has_limits(self) -> bool:
        return bool(self.across) or any(card.every_meter for card in self.cards)

    @property
    def unreliable(self) -> int:
        return sum(1 for card in self.cards if card.is_watched and card.warnings)

    @property
    def pnl(self) -> Any:
        return self.book.total.day if self.book.watched else None

    @property
    def pnl_text(self) -> str:
        return format_money(self.pnl)


def overview(user: Person) -> Overview:
    accounts = list(selectors.list_accounts_with_risk_for(user))
    limits = list(selectors.list_limits_for(user))
    book = read_book(user, [account for account in accounts if account.login.is_enabled], limits)
    packs = pack_views([account.rule_pack for account in accounts if hasattr(account, "rule_pack")], book)
    locks = [Lock(action, may_unlock(user, action)) for action in selectors.list_locks_for(user)]
    switches = switch_rows(user)
    beats = health.ages()
    cards = [_card(account, book, packs, beats) for account in accounts]
    _hang_on(cards, limits, book, locks, switches)
    across = meters_of([limit for limit in limits if _is_across(limit)], book)
    return Overview(sorted(cards, key=_order), across, book, locks, switches)


def accounts_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    """The cards that match, those that need attention first, and what is above them all."""
    found = overview(user)
    words, show = words_of(query).lower(), query.get("show", "")
    cards = [card for card in found.cards if words in card.account.name.lower()]
    if show == "attention":
        cards = [card for card in cards if card.attention <= 2]  # noqa: PLR2004 - near a limit or worse
    page = Paginator(cards, CARDS_PER_PAGE).get_page(query.get("page"))
    return {"overview": found, "page": page, "cards": list(page.object_list)}


def alarms_of(user: Person) -> list[Alarm]:
    """The newest that nobody has said to have seen."""
    return list(list_open_alarms_for(user)[:ALARMS_SHOWN])


def flattens_of(user: Person) -> list[Flatten]:
    """What is being closed now, whoever asked for it."""
    return list(list_flattens_for(user).filter(status=FlattenStatus.ACTING)[:FLATTENS_SHOWN])


def switch_rows(user: Person) -> list[SwitchRow]:
    """The switches in force that stop any of the user's trading, with what each is on in words."""
    tripped = list(selectors.list_switches_for(user))
    names: dict[str, str] = {}
    if any(one.scope in {SwitchScope.ACCOUNT, SwitchScope.RECORDER} for one in tripped):
        names = {str(account.pk): account.name for account in list_accounts_for(user)}
        names |= {str(recorder.pk): recorder.name for recorder in list_recorders_for(user)}
    return [SwitchRow(one, _stopped_by(one, names), may_release(user, one)) for one in tripped]


def _stopped_by(tripped: Switch, names: dict[str, str]) -> str:
    """One whose words nobody knows stops all that its owner has, or everybody: as `risk.restrictions` reads it."""
    if tripped.mode in SwitchMode.values and tripped.scope in NAMELESS:
        return names.get(tripped.target, NAMELESS[tripped.scope])
    return ALL if tripped.owner_id is None or tripped.scope == SwitchScope.PLATFORM else MINE


def guard_name(lane_slot: int) -> str:
    """The heartbeat of the monitor that watches a login's accounts."""
    return f"{GUARD}{lane_slot % settings.LANES}"


def _card(account: BrokerAccount, book: Book, packs: dict[UUID, PackView], beats: dict[str, float]) -> Card:
    figures = book.of_account(account.pk)
    is_watched = account.pk in book.watched
    return Card(
        account=account,
        figures=figures,
        is_watched=is_watched,
        warnings=_warnings(account, figures, beats) if is_watched else [],
        pack=packs.get(account.pk),
    )


def _warnings(account: BrokerAccount, figures: AccountFigures, beats: dict[str, float]) -> list[str]:
    age = beats.get(guard_name(account.login.lane_slot))
    found = []
    if age is None or age > GUARD_MAX_AGE_S:
        found.append("Nobody watches it now: the monitor of its lane does not answer.")
    if account.login.state != ConnectionState.LIVE:
        found.append(f"Its broker connection is {account.login.state}.")
    if figures.day is None:
        found.append("It is not counted in this session yet.")
    elif figures.day.warning:
        found.append(figures.day.warning)
    return found


def _hang_on(
    cards: Iterable[Card], limits: list[RiskLimit], book: Book, locks: list[Lock], switches: list[SwitchRow]
) -> None:
    by_account: dict[UUID, list[Meter]] = defaultdict(list)
    for limit in limits:
        account_id = limit.account_id if limit.trader is None else limit.trader.account_id
        if account_id is not None:
            by_account[account_id].extend(meters_of([limit], book))
    for trader in book.traders.values():
        by_account[trader.share.account_id].extend(setting_meters([trader]))
    tripped = {row.switch.target: row.switch for row in switches if row.switch.scope == SwitchScope.ACCOUNT}
    for card in cards:
        card.meters = by_account[card.account.pk]
        card.locks = [lock for lock in locks if lock.action.account_id == card.account.pk]
        card.switch = tripped.get(str(card.account.pk))


def _is_across(limit: RiskLimit) -> bool:
    return limit.scope in {LimitScope.USER, LimitScope.RECORDER}


def _order(card: Card) -> tuple[int, int, str]:
    used = max((meter.used for meter in card.every_meter if meter.used is not None), default=0)
    return card.attention, -used, card.account.name
