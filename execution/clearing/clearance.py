"""P2: the pre-trade checks of one plan's entries, and once more of what had to wait before it could be sent.

Gathers what surrounds an entry for `risk.checks`, which decides. It reads nothing before the first entry asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from brokers import expiry
from brokers.base import OrderType
from brokers.instruments import Contract, UnknownTicker, contract_of
from brokers.quotes.quote import QuoteBook, source_of
from brokers.registry import VENUES
from brokers.sessions import is_open, session_of
from execution.abilities import abilities_of, lacking, market_of
from execution.clearing import pack_facts, restraints
from execution.clearing.asking import asking
from execution.clearing.exposure import Place, root_of
from execution.clearing.pace import OF_RECORDER, Pace
from execution.clearing.pack_facts import Wanted
from execution.clearing.restraints import Restraints, Who
from execution.followers import Follower
from execution.plan import PlannedLeg
from execution.situation import read_quotes
from risk import checks
from risk.around import NOTHING, Around, Collar, Count, Market, Watch
from risk.checks import Denial
from risk.models import SwitchScope
from risk.room import UNKNOWN, room_of

WORKING = "working orders of this account"
COLLAR_PRICE_AGE = timedelta(hours=1)


class Entry(NamedTuple):
    """An entry that is planned. `goes_now`: this process sends it at once, so that it counts in the rates."""

    symbol: str
    leg: PlannedLeg
    expires_at: datetime
    goes_now: bool


@dataclass(slots=True)
class Clearance:
    """`recorder_owner_id` is whose signal is planned; its followers may be others' one day.

    `watches` are of the traders whose own settings limit their day's loss: a limit of money that is in no row.
    """

    recorder_id: UUID
    recorder_owner_id: UUID
    followers: Sequence[Follower]
    now: datetime
    watches: Mapping[UUID, Watch] = field(default_factory=dict)
    _restraints: Restraints | None = None
    _is_quiet: bool = False
    _pace: Pace = field(init=False)
    _markets: dict[tuple[str, str], Market | None] = field(default_factory=dict)
    _quotes: dict[str, QuoteBook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pace = Pace(self.now)

    @property
    def restraints(self) -> Restraints:
        if self._restraints is None:
            owners = frozenset([self.recorder_owner_id, *(one.owner_id for one in self.followers)])
            accounts = frozenset(one.account_id for one in self.followers)
            self._restraints = restraints.read(Who(owners, accounts, self.recorder_id), self.now)
            self._is_quiet = self._restraints.is_empty
        return self._restraints

    def judge(self, follower: Follower, entry: Entry) -> Denial | None:
        """The first denial, or None: then what it adds counts for those that are judged after it."""
        rates = self._pace.ask(follower.account_id, follower.owner_id) if entry.goes_now else ()
        facts = follower.facts_for(
            is_entry=True,
            qty=entry.leg.qty,
            expires_at=entry.expires_at,
            trades_symbol=trades(follower.venue, entry.symbol),
            venue_lacks=lacking(entry.leg.bracket, abilities_of(follower.venue, entry.symbol)),
            around=self._around(follower, entry, rates),
        )
        denial = checks.check(facts, self.now)
        if denial is not None and denial.code != checks.ORDER_RATE and entry.goes_now:
            self._pace.take_back(follower.account_id)
        if denial is None:
            self._count(follower, entry)
        return denial

    def finish(self) -> None:
        """After the last entry, inside the plan's transaction: who does not stop asking is switched off."""
        self._pace.trip_runaways()

    def _around(self, follower: Follower, entry: Entry, rates: tuple[Count, ...]) -> Around:
        found = self._restraints or self.restraints
        market = self._market(follower.environment, entry.symbol)
        may_rest = entry.leg.order_type is OrderType.LIMIT
        watch = self.watches.get(follower.trader_id)
        silent_until = asking.silent_past(follower.login_id, entry.expires_at)
        is_fine = watch is None and silent_until is None and (market is None or market.is_fine)
        if self._is_quiet and is_fine and not rates and not may_rest:
            return NOTHING
        rates = (*self._recorder_rate(found), *rates) if found.signals > 0 else rates
        in_force, account_id = found.in_force, follower.account_id
        limited = {"watch": watch} | (self._limited(follower, entry) if in_force.limits or in_force.packs else {})
        return Around(
            tripped=in_force.tripped_for(follower.owner_id, account_id, self.recorder_id),
            lock=in_force.lock_for(account_id, follower.trader_id),
            paused_by=found.paused_by.get(account_id, ""),
            market=market,
            collar=self._collar(follower, entry) if may_rest else None,
            working_orders=self._working_orders(found, account_id),
            rates=rates,
            silent_until=silent_until,
            **limited,
        )

    def _recorder_rate(self, found: Restraints) -> tuple[Count, ...]:
        count = Count(OF_RECORDER, found.signals + 1, settings.SIGNALS_PER_MINUTE_RECORDER)
        self._pace.note(SwitchScope.RECORDER, str(self.recorder_id), self.recorder_owner_id, count)
        return (count,)

    def _working_orders(self, found: Restraints, account_id: UUID) -> tuple[Count, ...]:
        working = found.busy.get(account_id)
        return () if working is None else (Count(WORKING, working + 1, settings.MOST_WORKING_ORDERS),)

    def _limited(self, follower: Follower, entry: Entry) -> dict[str, Any]:
        """What the limits and the rule pack of this follower say, as fields of `Around`."""
        found, place = self.restraints, self._place(follower)
        limits = found.limits_on(*place.own, *place.netted)
        pack = found.in_force.packs.get(place.account_id)
        if not limits and pack is None:
            return {}
        counted = [limit for limit in limits if not limit.is_of_money]
        told: dict[str, Any] = {}
        if counted and found.exposure is not None:
            becomes = self._becomes(follower, entry)
            told["contracts"], told["positions"] = found.exposure.counts(counted, place, root_of(entry.symbol), becomes)
        if found.used_up:
            gauges = (*found.used_up.get(place.account_id, ()), *found.used_up.get(place.owner_id, ()))
            told["rooms"] = tuple(room_of(g) for g in gauges if (g.terms.key, place.account_id) not in found.lifted)
        if pack is not None or len(counted) < len(limits):
            told["watch"] = self._watch(place.account_id)
        if pack is not None:
            told["pack"] = pack_facts.denial(pack, self._wanted(place, entry))
        return told

    def _wanted(self, place: Place, entry: Entry) -> Wanted:
        found, root = self.restraints, root_of(entry.symbol)
        book, held = found.books.get(place.account_id), {}
        if found.exposure is not None:
            held = found.exposure.of_account(place.account_id)
            if entry.leg.waits_for_exit:
                held[root] = held.get(root, 0) - found.exposure.shares[place.trader_id, root]
        return Wanted(
            now=self.now,
            symbol=entry.symbol,
            side=entry.leg.side,
            qty=entry.leg.qty,
            bracket=entry.leg.bracket,
            held=held,
            figures=UNKNOWN if book is None else book.figures,
            open_risk=found.open_risks.get(place.account_id, Decimal(0)),
            lifted={key for key, account_id in found.lifted if account_id == place.account_id},
        )

    def _watch(self, account_id: UUID) -> Watch:
        book = self.restraints.books.get(account_id)
        return Watch(None if book is None else (self.now - book.checked_at).total_seconds())

    def _place(self, follower: Follower) -> Place:
        return Place(follower.trader_id, follower.account_id, self.recorder_id, follower.owner_id)

    def _becomes(self, follower: Follower, entry: Entry) -> int:
        """What the trader will hold: where the plan closes its position first, the entry alone."""
        exposure = self.restraints.exposure
        held = 0
        if exposure is not None and not entry.leg.waits_for_exit:
            held = exposure.shares[follower.trader_id, root_of(entry.symbol)]
        return held + entry.leg.side.sign * entry.leg.qty

    def _count(self, follower: Follower, entry: Entry) -> None:
        if self._is_quiet:
            return
        exposure = self.restraints.exposure
        if exposure is not None:
            becomes = self._becomes(follower, entry)
            exposure.set_share(self._place(follower), root_of(entry.symbol), becomes)
        if self.restraints.busy:
            self.restraints.busy[follower.account_id] = self.restraints.busy.get(follower.account_id, 0) + 1

    def _market(self, environment: str, symbol: str) -> Market | None:
        key = environment, symbol
        if key not in self._markets:
            is_checked = environment in settings.SESSION_CHECKED_ENVIRONMENTS
            self._markets[key] = market_at(symbol, self.now) if is_checked else None
        return self._markets[key]

    def _collar(self, follower: Follower, entry: Entry) -> Collar | None:
        """None without a price of the last hour: what is absurd can be told from one that is not new, too."""
        if entry.leg.price is None:
            return None
        if entry.symbol not in self._quotes:
            self._quotes[entry.symbol] = read_quotes({entry.symbol}, self.now)
        quote = self._quotes[entry.symbol].quote(entry.symbol, source_of(follower.venue, follower.environment))
        if quote is None or quote.last is None or not quote.is_fresh(self.now, COLLAR_PRICE_AGE):
            return None
        return Collar(entry.leg.price, quote.last, settings.PRICE_COLLAR_PERCENT)


@lru_cache(maxsize=4096)
def trades(venue: str, symbol: str) -> bool:
    """Whether the venue trades contracts of that kind at all; one that is not registered has no address either."""
    known = VENUES.get(venue)
    return known is None or market_of(symbol) in known.markets


def market_at(symbol: str, now: datetime) -> Market | None:
    """None for what our table of contracts does not have."""
    try:
        contract = contract_of(symbol, now.date())
    except UnknownTicker:
        return None
    last = last_day_to_open(contract)
    return Market(symbol, is_open(contract.product, now), last if session_of(now).day > last else None)


def last_day_to_open(contract: Contract) -> date:
    """Before the contract ends, and before somebody could be made to deliver."""
    rule = contract.product.last_trade
    last = expiry.last_trade_date(rule, contract.year, contract.month)
    notice = expiry.first_notice_date(rule, contract.year, contract.month)
    return last if notice is None else min(last, notice - timedelta(days=1))
