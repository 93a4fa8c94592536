"""Carries out requests on one paper account, and says what comes of them. Knows no clock, no thread and no network.

What needs a price waits up to two seconds for a fresh quote; behind it waits what came later for the same contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.base import (
    AccountRef,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderType,
    Request,
    SubmitOco,
    SubmitOrder,
    client_ids,
)
from brokers.errors import Refused
from brokers.matching.engine import Engine
from brokers.matching.types import Contract, Execution, Kind, Order, Policy
from brokers.paper import rules
from brokers.paper.books import Books
from brokers.paper.day import day_pnl
from brokers.paper.exits import Exits
from brokers.paper.listings import Listing
from brokers.paper.orders import Making
from brokers.paper.prices import Prices
from brokers.paper.records import Fill, listing_of, order_report, record_of
from brokers.paper.terms import Terms
from brokers.quotes.quote import Quote
from brokers.reports import Accepted, BalanceReport, Event, PositionReport, Rejected, SyncReport

QUOTE_PATIENCE = timedelta(seconds=2)
TRAIL_REPORT_EVERY = timedelta(seconds=1)
_AT_MARKET = frozenset({OrderType.MARKET, OrderType.TRAILING_STOP})


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: SubmitOrder | FlattenPosition | SubmitOco
    until: datetime


class Desk:
    """Not thread-safe. `has_changed` says that the books differ from what was last saved."""

    def __init__(self, books: Books, terms: Terms, now: datetime) -> None:
        self.books = books
        self.has_changed = False
        self._ref = books.ref
        self._terms = terms
        self._now = now
        self._prices = Prices(now, is_always_open=terms.is_always_open)
        self._events: list[Event] = []
        self._waiting: list[_Waiting] = []
        self._told_stops: dict[int, Decimal | None] = {}
        policy = Policy(trade_through=True, slippage_ticks=terms.slippage_ticks)
        self._engine = Engine(self._prices.top_of_book, self._on_execution, policy)
        self._exits = Exits(self._engine, books, self._tell)
        self._making = Making(books)
        for order in tuple(books.account.orders.values()):
            self._engine.restore(order)
            self._told_stops[order.id] = order.stop

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def give_up(self) -> list[Request]:
        """What still waits for a quote; nothing of it happens any more."""
        waiting, self._waiting = self._waiting, []
        return [one.request for one in waiting]

    def wanted(self) -> set[str]:
        """The contracts whose quotes are needed: what works, what is held, and what waits for a price."""
        held = {name for name, position in self.books.account.positions.items() if position.net != 0}
        working = {order.contract.name for order in self.books.account.orders.values() if order.is_working}
        return held | working | {waiting.request.symbol for waiting in self._waiting}

    def take_events(self) -> list[Event]:
        taken, self._events = self._events, []
        return taken

    def take(self, request: Request, now: datetime) -> None:
        """Carry a request out, or have it wait for a quote."""
        self._set_clock(now)
        if isinstance(request, SubmitOrder | SubmitOco) and self._is_behind(request):
            self._waiting.append(_Waiting(request, now + QUOTE_PATIENCE))
            return
        if isinstance(request, FlattenPosition):
            self._give_up_on(request.symbol)
        self._carry_out(request, now + QUOTE_PATIENCE)

    def on_quotes(self, quotes: Mapping[str, Quote], now: datetime) -> None:
        """New quotes by contract, and the passing of time."""
        self._set_clock(now)
        self._prices.update(quotes)
        for contract in self._engine.working_contracts():
            self._move(contract)
        self._wait_on()

    def snapshot(self, now: datetime) -> SyncReport:
        """The whole truth of the account."""
        account = self.books.account
        return SyncReport(
            at=now,
            accounts=(self._ref,),
            orders=tuple(order_report(order, self._ref) for order in account.orders.values()),
            fills=tuple(fill.report(self._ref) for fill in self.books.fills),
            positions=tuple(self._position_report(symbol) for symbol in account.positions),
            balances=(BalanceReport(self._ref, account.cash, now),),
        )

    def day_pnl(self, now: datetime) -> Decimal | None:
        """Dollars realised in the trading day and open now, before commissions; None while a price is missing."""
        return day_pnl(self.books, self._prices, now)

    def _set_clock(self, now: datetime) -> None:
        self.books.begin_day(now)
        self._now = self._prices.now = now

    def _is_behind(self, request: SubmitOrder | SubmitOco) -> bool:
        return any(waiting.request.symbol == request.symbol for waiting in self._waiting)

    def _wait_on(self) -> None:
        """Try what waits again, in its order; what has waited too long is refused."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if any(other.request.symbol == one.request.symbol for other in self._waiting):
                self._waiting.append(one)
            else:
                self._carry_out(one.request, one.until)

    def _give_up_on(self, symbol: str) -> None:
        """What waits to trade a contract that is being flattened must not trade after that."""
        overtaken = [one.request for one in self._waiting if one.request.symbol == symbol]
        self._waiting = [one for one in self._waiting if one.request.symbol != symbol]
        for request in overtaken:
            self._refuse(request, Refused("FLATTENED", "the position was flattened before a quote came"))

    def _carry_out(self, request: Request, until: datetime) -> None:
        try:
            self._check_account(request.account)
            match request:
                case SubmitOrder():
                    self._submit(request, until)
                case SubmitOco():
                    self._submit_pair(request)
                case FlattenPosition():
                    self._flatten(request, until)
                case ModifyOrder():
                    self._modify(request)
                case CancelOrder():
                    self._cancel(request)
        except Refused as refused:
            self._refuse(request, refused)

    def _submit(self, request: SubmitOrder, until: datetime) -> None:
        listing = self._checked(request)
        rules.check_terms(request, listing)
        if not request.is_protective:
            self._check_open(listing)
        if request.order_type in _AT_MARKET and self._has_to_wait(request, listing, until):
            return
        order = self._making.order(request, listing, self._prices.last(listing), self._now)
        if not request.is_protective:
            equity = self.books.account.cash + self._engine.open_profit(self.books.account)
            rules.check_margin(self.books.account, order, equity, self._prices.for_margin)
        self._accept(request.client_order_id, order)
        self._engine.place(order)
        if order.is_working:
            self._tell(order)

    def _submit_pair(self, request: SubmitOco) -> None:
        listing = self._checked(request)
        rules.check_pair(request, listing)
        pair = self._making.pair(request, listing, self._now)
        for name, order in zip(client_ids(request), pair, strict=True):
            self._accept(name, order)
        self._exits.place(pair)

    def _flatten(self, request: FlattenPosition, until: datetime) -> None:
        listing = rules.listed(request.symbol, self._now)
        position = self.books.account.position(listing)
        if position.net != 0:
            # Checked first: what is not closed must keep its stop.
            self._check_open(listing)
            if self._has_to_wait(request, listing, until):
                return
        closing = self._making.closing(request, listing, position.net, self._now) if position.net != 0 else None
        self._accept(request.client_order_id, closing)
        for order in self._engine.working(listing):
            self._engine.cancel(order)
            self._tell(order)
        if closing is not None:
            self._engine.place(closing)

    def _modify(self, request: ModifyOrder) -> None:
        order = self._live(request.broker_order_id)
        listing = listing_of(order)
        rules.check_change(request, listing)
        kind, prices = self._making.change(order, request, self._prices.last(listing))
        self._events.append(Accepted(request.client_order_id, request.broker_order_id, self._now))
        told = len(self._events)
        try:
            self._engine.amend(order, qty=request.qty, kind=kind, **prices)
        except ValueError as error:
            self._events.pop()
            raise Refused("INVALID_TERMS", str(error)) from None
        if len(self._events) == told:
            self._tell(order)

    def _cancel(self, request: CancelOrder) -> None:
        order = self._live(request.broker_order_id)
        self._events.append(Accepted(request.client_order_id, request.broker_order_id, self._now))
        self._engine.cancel(order)
        self._tell(order)
        self._exits.after_end(order)

    def _check_account(self, account: AccountRef) -> None:
        if account.broker_id != self._ref.broker_id:
            raise Refused("UNKNOWN_ACCOUNT", f"no account is called {account.name}")

    def _checked(self, request: SubmitOrder | SubmitOco) -> Listing:
        for name in client_ids(request):
            if self.books.order_named(name) is not None:
                raise Refused("DUPLICATE_CLIENT_ID", f"{name} was placed before")
        return rules.listed(request.symbol, self._now)

    def _check_open(self, listing: Listing) -> None:
        if not self._prices.is_open(listing):
            raise Refused("SESSION_CLOSED", f"the exchange is closed for {listing.name}")

    def _has_to_wait(self, request: SubmitOrder | FlattenPosition, listing: Listing, until: datetime) -> bool:
        """Whether it now waits for a quote. Raises `Refused` when it has waited long enough."""
        if self._prices.top_of_book(listing) is not None:
            return False
        if self._now >= until:
            raise Refused("NO_QUOTE", f"no fresh quote of {listing.name} within {QUOTE_PATIENCE.seconds} s")
        self._waiting.append(_Waiting(request, until))
        return True

    def _live(self, broker_order_id: str) -> Order:
        order = self.books.order_of(broker_order_id)
        if order is None:
            raise Refused("UNKNOWN_ORDER", f"there is no order {broker_order_id}")
        if order.is_done:
            raise Refused("TOO_LATE", f"the order is {order.status.value}")
        return order

    def _accept(self, client_order_id: str, order: Order | None) -> None:
        self._events.append(Accepted(client_order_id, None if order is None else str(order.id), self._now))
        self.has_changed = True

    def _refuse(self, request: Request, refused: Refused) -> None:
        self._events += [Rejected(name, refused.code, refused.text, self._now) for name in client_ids(request)]

    def _move(self, contract: Contract) -> None:
        """Trade what works in a contract against its quote, and let stops follow it."""
        orders = self._engine.working(contract)
        self._engine.on_quote(contract)
        quote = self._prices.top_of_book(contract)
        for order in orders:
            if order.is_working and quote is not None:
                self._exits.follow(order, quote)
            has_moved = self._told_stops.get(order.id, order.stop) != order.stop
            if order.is_working and has_moved and self._now - record_of(order).at >= TRAIL_REPORT_EVERY:
                self._tell(order)

    def _on_execution(self, execution: Execution) -> None:
        order = execution.order
        symbol = order.contract.name
        fill_id = self.books.take_id()
        fill = Fill(fill_id, order.id, symbol, order.side, execution.qty, execution.price, self._now)
        self.books.fills.append(fill)
        self.books.account.cash -= self._terms.commission * execution.qty
        self._events.append(fill.report(self._ref))
        self._tell(order)
        self._events.append(self._position_report(symbol))
        self._events.append(BalanceReport(self._ref, self.books.account.cash, self._now))
        if order.is_done:
            self._exits.after_end(order)
            self._exits.after_fill(order, self._now)

    def _tell(self, order: Order) -> None:
        record_of(order).at = self._now
        self.has_changed = True
        if order.kind in {Kind.STOP, Kind.TRAILING}:
            self._told_stops[order.id] = order.stop
        self._events.append(order_report(order, self._ref))

    def _position_report(self, symbol: str) -> PositionReport:
        position = self.books.account.positions[symbol]
        return PositionReport(self._ref, symbol, position.net, position.average, self._now)
