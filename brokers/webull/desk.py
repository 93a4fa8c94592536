"""The fate of every order request at Webull: settled exactly once, and doubt is never turned into a refusal.

A place is sent once. A duplicate client order id proves that an earlier place of it arrived, so the order itself is
asked for and the answer is its fate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from brokers.access import Priority
from brokers.base import (
    AccountRef,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderType,
    Request,
    SubmitOco,
    SubmitOrder,
    client_ids,
    role_of,
)
from brokers.errors import BrokerError, NotReached, RateLimited, Refused
from brokers.queues import AccountQueues
from brokers.reports import Accepted, Event, NotSent, Outcome, Rejected, Sent, Unknown
from brokers.webull import limits, orders
from brokers.webull.accounts import Directory
from brokers.webull.book import Book
from brokers.webull.brackets import Watch, move_exits
from brokers.webull.client import Client, LimitHit
from brokers.webull.codes import ORDER_NOT_FOUND, REPEATED_ID, is_code
from brokers.webull.flatten import Flattener, unsent
from brokers.webull.http import MOST_CONNECTIONS
from brokers.webull.instruments import ContractBook, Traded, check_account_class, traded_of
from brokers.webull.parse import orders_of
from brokers.webull.prices import reference_price
from brokers.webull.types import NORMAL, OrderState, Status

RATE_LIMITED = "RATE_LIMITED"
_threads = ThreadPoolExecutor(MOST_CONNECTIONS, thread_name_prefix="webull-orders")
_PROTECTIVE_STOPS = (OrderType.STOP, OrderType.TRAILING_STOP)


class OrderDesk:
    """`watch` asks for an order's detail soon; it returns at once."""

    def __init__(self, client: Client, book: Book, directory: Directory, contracts: ContractBook, watch: Watch) -> None:
        self._client = client
        self._book = book
        self._directory = directory
        self._contracts = contracts
        self._watch = watch
        self._queues = AccountQueues(_threads)
        self._flattener = Flattener(client, book, self.place)
        book.on_entry_filled = self._on_entry_filled

    def submit(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._queues.put(request.account.broker_id, partial(self._serve, request))

    def _serve(self, request: Request) -> None:
        answer = Answer(self._book, request)
        try:
            self._carry_out(request, answer)
        finally:
            answer.settle(Unknown(request.client_order_id, "failed inside this program", _now()))

    def _carry_out(self, request: Request, answer: Answer) -> None:
        match request:
            case SubmitOrder():
                self._submit(request, answer)
            case ModifyOrder():
                self._modify(request, answer)
            case CancelOrder():
                self._cancel(request, answer)
            case FlattenPosition():
                self._flattener.flatten(request, answer.settle)
            case SubmitOco():
                answer.settle(unsent(request.client_order_id, Refused(orders.UNSUPPORTED, "Webull links no exits")))

    def _submit(self, order: SubmitOrder, answer: Answer) -> None:
        priority = priority_of(order)
        try:
            traded = traded_of(order.symbol)
            check_account_class(traded, self._directory.kind_of(order.account, priority))
            if priority is Priority.ENTRY:
                self._contracts.check(self._client, traded, priority)
            body = orders.place_body(order, traded, self._reference(order, traded, priority))
        except BrokerError as error:
            answer.settle(unsent(order.client_order_id, error))
            return
        sent_at = _now()
        outcome = self.place(order.account, order.client_order_id, body, priority, order)
        answer.settle(outcome, sent_at)

    def _reference(self, order: SubmitOrder, traded: Traded, priority: Priority) -> Decimal | None:
        if not orders.needs_reference(order):
            return None
        return reference_price(self._client, order.account, traded, order.side, priority)

    def place(
        self, account: AccountRef, name: str, body: orders.Body, priority: Priority, order: SubmitOrder | None = None
    ) -> Outcome:
        """Send a place once; what became of it."""
        self._book.expect(account, name, order)
        try:
            answer = self._client.write(limits.PLACE, body, priority)
        except Refused as error:
            if is_code(error, REPEATED_ID):
                return self._earlier(account, name, error, priority)
            self._book.forget(account, name)
            return Rejected(name, error.code, error.text, _now())
        except BrokerError as error:
            outcome = outcome_of_error(name, error)
            if isinstance(outcome, Unknown):
                self._watch(account, name)
            else:
                self._book.forget(account, name)
            return outcome
        return self._accepted(account, name, body, answer)

    def _accepted(self, account: AccountRef, name: str, body: orders.Body, answer: Any) -> Outcome:
        known = answer if isinstance(answer, dict) else {}
        order_id, combo_id = known.get("order_id"), known.get("combo_order_id")
        if order_id:
            self._book.placed(account, _placed_state(body, str(order_id)))
        if combo_id or not order_id:
            self._watch(account, name)
        if not order_id and not combo_id:
            return Unknown(name, "the venue's answer names no order", _now())
        return Accepted(name, str(order_id) if order_id else None, _now(), str(combo_id) if combo_id else None)

    def _earlier(self, account: AccountRef, name: str, refusal: Refused, priority: Priority) -> Outcome:
        """The order that has this client order id already: ours, from a place that seemed lost."""
        query = {"account_id": account.broker_id, "client_order_id": name}
        try:
            found = orders_of(self._client.read(limits.DETAIL, query, priority))
        except BrokerError as error:
            self._watch(account, name)
            return Unknown(name, f"{refusal.code}, and the earlier order could not be read: {error}", _now())
        self._book.take(account, found)
        state = next((state for state in found if state.client_order_id == name), None)
        if state is None:
            return Unknown(name, f"{refusal.code}, and the venue does not show the earlier order", _now())
        if state.status is Status.FAILED:
            return Rejected(name, state.status.value, "the venue could not place the earlier order", _now())
        return Accepted(name, state.order_id, _now())

    def _cancel(self, request: CancelOrder, answer: Answer) -> None:
        def body(state: OrderState) -> orders.Body:
            return orders.cancel_body(request.account.broker_id, state.client_order_id)

        self._change(request, answer, limits.CANCEL, body)

    def _modify(self, request: ModifyOrder, answer: Answer) -> None:
        def body(state: OrderState) -> orders.Body:
            reference = None
            if request.order_type is OrderType.TRAILING_STOP and request.stop_price is not None:
                traded = traded_of(state.symbol)
                reference = reference_price(self._client, request.account, traded, state.side, Priority.EXIT)
            return orders.replace_body(request, state, reference)

        self._change(request, answer, limits.REPLACE, body)

    def _change(
        self,
        request: CancelOrder | ModifyOrder,
        answer: Answer,
        endpoint: str,
        body_for: Callable[[OrderState], orders.Body],
    ) -> None:
        """Send a cancel or a replace once, and look at the order afterwards, whatever the answer was."""
        name = request.client_order_id
        try:
            state = self._find(request.account, request.broker_order_id)
            body = body_for(state)
        except BrokerError as error:
            answer.settle(unsent(name, error))
            return
        sent_at = _now()
        try:
            self._client.write(endpoint, body, Priority.EXIT)
        except BrokerError as error:
            outcome = outcome_of_error(name, error)
        else:
            outcome = Accepted(name, request.broker_order_id, _now())
        answer.settle(outcome, sent_at)
        if not isinstance(outcome, NotSent):
            self._watch(request.account, state.client_order_id)

    def _find(self, account: AccountRef, broker_order_id: str) -> OrderState:
        """The venue keys orders by client order id; one that this process has not seen is looked for in the lists."""
        query = {"account_id": account.broker_id}
        for endpoint in (None, limits.OPEN, limits.HISTORY):
            if endpoint is not None:
                self._book.take(account, orders_of(self._client.pages(endpoint, query, Priority.EXIT)))
            state = self._book.by_order_id(account, broker_order_id)
            if state is not None:
                return state
        raise Refused(ORDER_NOT_FOUND, "the venue does not show this order")

    def _on_entry_filled(self, account: AccountRef, order: SubmitOrder, entry: OrderState) -> None:
        self._queues.put(
            account.broker_id, partial(move_exits, self._client, self._book, account, order, entry, self._watch)
        )


class Answer:
    """The one outcome of a request: the first that is given counts."""

    def __init__(self, book: Book, request: Request) -> None:
        self._book = book
        self._request = request
        self._is_settled = False

    def settle(self, outcome: Outcome, sent_at: datetime | None = None) -> None:
        """`sent_at` is when the request went out, if it did."""
        if self._is_settled:
            return
        self._is_settled = True
        events: list[Event] = []
        for name in client_ids(self._request):
            if sent_at is not None and not isinstance(outcome, NotSent):
                events.append(Sent(name, sent_at))
            events.append(replace(outcome, client_order_id=name))
        self._book.say_outcome(self._request.account, events, outcome.client_order_id)


def priority_of(order: SubmitOrder) -> Priority:
    if order.is_protective and order.order_type in _PROTECTIVE_STOPS:
        return Priority.STOP
    is_exit = order.is_protective or role_of(order.client_order_id) is not OrderRole.ENTRY
    return Priority.EXIT if is_exit else Priority.ENTRY


def outcome_of_error(name: str, error: BrokerError) -> Outcome:
    """What a failed request proves about the order."""
    match error:
        case Refused():
            return Rejected(name, error.code, error.text, _now())
        case LimitHit():
            text = f"not executed, the venue wants silence until {error.until:%H:%M:%S} UTC: {error}"
            return Rejected(name, RATE_LIMITED, text, _now())
        case RateLimited() | NotReached():
            return NotSent(name, str(error), _now())
        case _:
            return Unknown(name, str(error), _now())


def _placed_state(body: orders.Body, order_id: str) -> OrderState:
    """What the venue just took, as its own lists will show it."""
    row = body["new_orders"][0]
    shown = {**row, "order_id": order_id, "status": Status.PENDING, "total_quantity": row["quantity"]}
    group = {"combo_type": NORMAL, "client_order_id": row["client_order_id"], "orders": [shown]}
    return orders_of(group)[0]


def _now() -> datetime:
    return datetime.now(UTC)
