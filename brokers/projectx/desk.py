"""The fate of every order request: settled exactly once, and doubt is never turned into a refusal.

A customTag is unique for ever, so "already in use" proves that an earlier request arrived: its order is looked up, and
nothing is ever placed twice. Everything here runs on order threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from brokers.base import CancelOrder, FlattenPosition, ModifyOrder, Request, SubmitOrder, client_ids
from brokers.errors import BrokerError, Refused
from brokers.projectx.book import REJECTED_CODE, REJECTED_TEXT, Book, Replies
from brokers.projectx.client import Client
from brokers.projectx.codes import ORDER_NOT_FOUND, TAG_IN_USE
from brokers.projectx.contracts import CONTRACT_CODES, ContractBook
from brokers.projectx.evidence import order_by_id, order_by_tag
from brokers.projectx.flatten import Flatten
from brokers.projectx.orders import Call, call_of, check, place_call, priority_of
from brokers.projectx.outcomes import outcome_of_error
from brokers.projectx.parse import Json
from brokers.projectx.types import Order, OrderState
from brokers.queues import AccountQueues
from brokers.reports import Accepted, Event, NotSent, Outcome, Rejected, Sent, Unknown

logger = logging.getLogger(__name__)

TOO_LATE = "TOO_LATE"
_threads = ThreadPoolExecutor(64, thread_name_prefix="projectx-orders")
_GONE = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})

Tell = Callable[[Sequence[Event]], None]
OnOrder = Callable[[Order], None]


class OrderDesk:
    """`tell` takes outcomes, `seen` an order as a look-up found it, `answered` the client id of a place that has its
    answer. All are called on order threads.
    """

    def __init__(
        self,
        client: Client,
        contracts: ContractBook,
        replies: Replies,
        *,
        tell: Tell,
        seen: OnOrder,
        answered: Callable[[str], None],
        book: Book,
    ) -> None:
        self._client = client
        self._contracts = contracts
        self._replies = replies
        self._tell = tell
        self._seen = seen
        self._answered = answered
        self._book = book
        self._queues = AccountQueues(_threads)
        self._closed = False

    def submit(self, requests: Sequence[Request]) -> None:
        """Returns at once. What cannot be said to this venue is settled as `NotSent` without a thread."""
        for request in requests:
            try:
                check(request)
            except ValueError as error:
                self._finish(request, NotSent(request.client_order_id, str(error), datetime.now(UTC)), None)
            else:
                self._queues.put(request.account.broker_id, partial(self._carry_out, request))

    def open(self) -> None:
        """Take requests again after a `close`."""
        self._closed = False

    def close(self) -> None:
        """Let nothing more leave: what still waits for a thread is `NotSent`."""
        self._closed = True

    def _carry_out(self, request: Request) -> None:
        sent: list[datetime] = []
        try:
            outcome = self._outcome(request, sent)
        except Exception:  # the outermost frame of a request: whatever happened, its sender must hear of it
            logger.exception("an order request failed inside this program")
            outcome = Unknown(request.client_order_id, "failed inside this program", datetime.now(UTC))
        self._finish(request, outcome, sent[0] if sent else None)

    def _outcome(self, request: Request, sent: list[datetime]) -> Outcome:
        now = datetime.now(UTC)
        if self._closed:
            return NotSent(request.client_order_id, "the connection was closed", now)
        try:
            # Whatever fails before the request itself proves that it did not leave.
            self._client.auth.token()
            if isinstance(request, FlattenPosition):
                contract = self._contracts.resolve(self._client, request.symbol, priority_of(request))
                return Flatten(self._client, contract, self._book, self._replies, seen=self._seen, request=request).run(
                    sent.append
                )
            call = self._call(request)
        except Refused as error:
            return _refused_before(request, error, now)
        except (BrokerError, ValueError) as error:
            return NotSent(request.client_order_id, str(error), now)
        return self._send(request, call, sent)

    def _call(self, request: Request) -> Call:
        if isinstance(request, SubmitOrder):
            contract = self._contracts.resolve(self._client, request.symbol, priority_of(request))
            return place_call(request, contract)
        if isinstance(request, CancelOrder | ModifyOrder):
            return call_of(request)
        raise ValueError("the venue does not know this kind of request")

    def _send(self, request: Request, call: Call, sent: list[datetime]) -> Outcome:
        is_place = isinstance(request, SubmitOrder)
        if is_place:
            self._replies.awaited.add(request.client_order_id)
        try:
            answer = self._client.call(call.endpoint, call.body, priority_of(request), sent.append)
        except Refused as error:
            return self._refused(request, error)
        except BrokerError as error:
            return outcome_of_error(request, error)
        finally:
            if is_place:
                self._replies.awaited.discard(request.client_order_id)
                self._answered(request.client_order_id)
        return _accepted(request, answer)

    def _refused(self, request: Request, error: Refused) -> Outcome:
        if isinstance(request, SubmitOrder):
            if TAG_IN_USE in error.text:
                return self._placed_before(request)
            self._replies.refused.add(request.client_order_id)
        elif isinstance(request, CancelOrder | ModifyOrder):
            return self._not_changed(request, error)
        return outcome_of_error(request, error)

    def _placed_before(self, request: SubmitOrder) -> Outcome:
        name, now = request.client_order_id, datetime.now(UTC)
        try:
            order = order_by_tag(self._client, request.account.broker_id, name, priority_of(request))
        except BrokerError as error:
            return Unknown(name, f"the venue has this order already, but did not say what became of it: {error}", now)
        if order is None:
            return Unknown(name, "the venue has this order already, but does not list it", now)
        if order.state is OrderState.REJECTED:
            self._replies.refused.add(name)
            return Rejected(name, REJECTED_CODE, REJECTED_TEXT, now)
        self._seen(order)
        return Accepted(name, str(order.id), now)

    def _not_changed(self, request: CancelOrder | ModifyOrder, error: Refused) -> Outcome:
        """A cancel of what is gone has its aim; the order's own state says which, and is reported."""
        now = datetime.now(UTC)
        try:
            order = order_by_id(self._client, request.account.broker_id, request.broker_order_id, priority_of(request))
        except BrokerError:
            return outcome_of_error(request, error)
        if order is None:
            return outcome_of_error(request, error)
        self._seen(order)
        if isinstance(request, CancelOrder) and order.state in _GONE:
            return Accepted(request.client_order_id, request.broker_order_id, now)
        if order.state is OrderState.FILLED:
            return Rejected(request.client_order_id, TOO_LATE, "too late, the order has filled", now)
        if order.is_done and error.code == ORDER_NOT_FOUND:
            text = f"too late, the order is {order.state.name.lower()}"
            return Rejected(request.client_order_id, TOO_LATE, text, now)
        return outcome_of_error(request, error)

    def _finish(self, request: Request, outcome: Outcome, sent_at: datetime | None) -> None:
        events: list[Event] = []
        if sent_at is not None and not isinstance(outcome, NotSent):
            events.append(Sent(request.client_order_id, sent_at))
        events.append(outcome)
        # What names several orders is only ever refused here, so all of them share its fate.
        for name in client_ids(request)[1:]:
            if isinstance(outcome, NotSent):
                events.append(NotSent(name, outcome.reason, outcome.at))
        self._tell(events)


def _refused_before(request: Request, error: Refused, now: datetime) -> Outcome:
    """A contract that the venue does not have is a refusal; a login that it does not let in sent nothing."""
    if isinstance(request, SubmitOrder | FlattenPosition) and error.code in CONTRACT_CODES:
        return Rejected(request.client_order_id, error.code, error.text, now)
    return NotSent(request.client_order_id, str(error), now)


def _accepted(request: Request, answer: Json) -> Outcome:
    now = datetime.now(UTC)
    if isinstance(request, CancelOrder | ModifyOrder):
        return Accepted(request.client_order_id, request.broker_order_id, now)
    order_id = answer.get("orderId")
    if not isinstance(order_id, int) or order_id <= 0:
        return Unknown(request.client_order_id, "the venue's answer names no order", now)
    return Accepted(request.client_order_id, str(order_id), now)
