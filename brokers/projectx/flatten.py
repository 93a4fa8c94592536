"""Taking a contract to nothing: its working orders canceled, its net position closed, and then looked at.

The venue's close leaves an order's own stop and target working, which would open a position the other way round
(ProjectX wire facts, bracket lifecycle): so what works is canceled before the close, and looked for again after it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from brokers.access import Priority
from brokers.base import FlattenPosition
from brokers.errors import BrokerError, OutcomeUnknown, Refused
from brokers.projectx.book import Book, Replies
from brokers.projectx.client import Client, OnSent
from brokers.projectx.codes import CLOSE, POSITION_NOT_FOUND
from brokers.projectx.evidence import orders_since, positions_of, working_orders
from brokers.projectx.orders import cancel_call
from brokers.projectx.outcomes import outcome_of_error
from brokers.projectx.reading import merged
from brokers.projectx.types import Contract, Order, OrderKind
from brokers.reports import Accepted, NotSent, Outcome, Rejected, Unknown

logger = logging.getLogger(__name__)

LOOKS = 8
LOOK_PAUSE_SECONDS = 0.25
# Our clock and the venue's may differ; an order is told from older ones by its id.
CLOSE_LOOK_BACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Look:
    """What is left of the contract; the close itself does not count as working."""

    is_flat: bool
    working: list[Order]


class Flatten:
    """One flatten of one contract, on an order thread. Safe to repeat: it can only reduce."""

    def __init__(
        self,
        client: Client,
        contract: Contract,
        book: Book,
        replies: Replies,
        *,
        seen: Callable[[Order], None],
        request: FlattenPosition,
    ) -> None:
        self._client = client
        self._contract = contract
        self._book = book
        self._replies = replies
        self._seen = seen
        self._request = request
        self._account_id = int(request.account.broker_id)
        self._newest_before = 0
        self._close_id: str | None = None
        self._on_sent: OnSent | None = None
        self._has_changed = False
        self._canceled = 0

    def run(self, on_sent: OnSent) -> Outcome:
        """`on_sent` hears when the first request that changes something was handed over."""
        self._on_sent = on_sent
        try:
            working = self._working()
            self._cancel(working)
            is_closing = self._close()
        except BrokerError as error:
            return self._failed(error)
        return self._verified(is_closing=is_closing)

    def _working(self) -> list[Order]:
        """What the venue lists as working, and the legs that we know of: it lists none that wait for their entry."""
        try:
            listed = working_orders(self._client, self._account_id, Priority.FLATTEN)
        except OutcomeUnknown as error:
            logger.warning("flattening by what is known, the venue did not list its orders: %s", error)
            listed = []
        known = self._book.live_orders(self._account_id, self._contract.id)
        self._newest_before = max(
            [self._book.newest_order_id(self._account_id), *(order.id for order in listed)], default=0
        )
        found = {order.id: order for order in (*known, *listed) if order.contract_id == self._contract.id}
        return list(found.values())

    def _cancel(self, orders: Sequence[Order]) -> None:
        """Entries before their legs, which go with them at the venue. What could not be canceled is looked at later."""
        for order in sorted(orders, key=lambda order: order.id):
            call = cancel_call(self._request.account.broker_id, order.id)
            try:
                self._client.call(call.endpoint, call.body, Priority.FLATTEN, self._sent)
            except Refused as error:
                logger.info("order %s was not canceled for a flatten: %s", order.id, error)
            except OutcomeUnknown as error:
                logger.warning("order %s may not be canceled: %s", order.id, error)
            else:
                self._canceled += 1

    def _close(self) -> bool:
        """Whether the venue closes something; False when there was nothing. Raises a `BrokerError`."""
        body = {"accountId": self._account_id, "contractId": self._contract.id}
        try:
            self._client.call(CLOSE, body, Priority.FLATTEN, self._sent)
        except Refused as error:
            if error.code != POSITION_NOT_FOUND:
                raise
            return False
        return True

    def _failed(self, error: BrokerError) -> Outcome:
        """The close did not get through: only a look may say more where it may have been read."""
        if isinstance(error, OutcomeUnknown):
            return self._verified(is_closing=True, doubt=str(error))
        if not self._has_changed and not isinstance(error, Refused):
            return NotSent(self._name, str(error), self._now())
        # A close that never left is not sent, whatever was canceled before it: canceling again does no harm.
        outcome = outcome_of_error(self._request, error)
        return replace(outcome, text=self._with_cancels(outcome.text)) if isinstance(outcome, Rejected) else outcome

    def _with_cancels(self, text: str) -> str:
        return f"{text}; {self._canceled} of its orders canceled" if self._canceled else text

    def _verified(self, *, is_closing: bool, doubt: str = "") -> Outcome:
        """Look until nothing is open and nothing works; what still works is canceled on the way."""
        last: _Look | None = None
        trouble = doubt
        for number in range(LOOKS):
            time.sleep(LOOK_PAUSE_SECONDS * min(number, 3))
            try:
                last = self._look(is_closing=is_closing)
            except OutcomeUnknown as error:
                trouble = str(error)
                continue
            except BrokerError as error:
                trouble = str(error)
                break
            if last.is_flat and not last.working:
                return Accepted(self._name, self._close_id, self._now())
            self._cancel_left(last.working)
        if last is not None and not last.working and self._close_id is not None:
            # The close is on its way and its fill will be reported: the venue took it, however slowly it fills.
            return Accepted(self._name, self._close_id, self._now())
        return Unknown(self._name, trouble or _left(last), self._now())

    def _cancel_left(self, working: Sequence[Order]) -> None:
        try:
            self._cancel(working)
        except BrokerError as error:
            logger.warning("a flatten could not cancel what is left: %s", error)

    def _look(self, *, is_closing: bool) -> _Look:
        positions = positions_of(self._client, self._account_id, Priority.FLATTEN)
        since = datetime.now(UTC) - CLOSE_LOOK_BACK
        recent = orders_since(self._client, self._account_id, since, Priority.FLATTEN)
        listed = working_orders(self._client, self._account_id, Priority.FLATTEN)
        orders = [order for order in merged(recent, listed) if order.contract_id == self._contract.id]
        if is_closing and self._close_id is None:
            self._find_close(orders)
        working = [o for o in orders if not o.is_done and str(o.id) != self._close_id]
        return _Look(not any(p.contract_id == self._contract.id for p in positions), working)

    def _find_close(self, orders: Sequence[Order]) -> None:
        """The order that the close made carries no id of ours; reported again, it is our exit."""
        closes = [order for order in orders if self._is_close(order)]
        if closes:
            self._close_id = str(closes[-1].id)
            self._replies.exits[closes[-1].id] = self._name
            self._seen(closes[-1])

    def _is_close(self, order: Order) -> bool:
        is_new = order.id > self._newest_before and order.parent_id is None
        return is_new and order.kind is OrderKind.MARKET and not order.tag

    def _sent(self, at: datetime) -> None:
        self._has_changed = True
        if self._on_sent is not None:
            self._on_sent(at)

    @property
    def _name(self) -> str:
        return self._request.client_order_id

    def _now(self) -> datetime:
        return datetime.now(UTC)


def _left(look: _Look | None) -> str:
    if look is None:
        return "the venue did not say whether the position is closed"
    return "the position is still open" if not look.working else f"{len(look.working)} orders still work"
