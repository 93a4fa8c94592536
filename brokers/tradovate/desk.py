"""The fate of every order request: settled exactly once, and doubt is never turned into a refusal.

A frame that provably never left goes out over REST instead; one that may have left and got no readable answer is
`Unknown`. A 401 proves that nothing was placed, so it is worth one renewal and one more try.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from brokers.access import Token
from brokers.base import AccountRef, Request, client_ids
from brokers.errors import (
    AuthExpired,
    BrokerError,
    NotReached,
    OutcomeUnknown,
    RateLimited,
    Refused,
)
from brokers.http import check_status
from brokers.reports import Event, NotSent, Outcome, Rejected, Sent, Unknown
from brokers.streams import StreamLoop
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.orders import Call, outcome_of
from brokers.tradovate.parse import check_penalty

ANSWER_SECONDS = 5.0
UNAUTHORIZED = "UNAUTHORIZED"
RATE_LIMITED = "RATE_LIMITED"

Settle = Callable[[Request, Outcome, Any], None]


@dataclass(slots=True)
class Ticket:
    """An order request on its way over the socket; `deadline` is monotonic."""

    request_id: int
    request: Request
    call: Call
    token: Token
    deadline: float = 0.0


class OrderDesk:
    """Its `on_…` methods belong to the loop's thread; `settle` is always called there, once per request.

    `settle` and `flush` are the session's: what is settled while it reads is reported when it has read. `renewed`
    hears of a token that replaced a refused one.
    """

    def __init__(
        self,
        client: Client,
        auth: Auth,
        loop: StreamLoop,
        *,
        tell: Callable[[Sequence[Event]], None],
        settle: Settle,
        flush: Callable[[], None],
        renewed: Callable[[Token], None],
    ) -> None:
        self._client = client
        self._auth = auth
        self._loop = loop
        self._tell = tell
        self._settle = settle
        self._flush = flush
        self._renewed = renewed
        self._pending: dict[int, Ticket] = {}

    @property
    def busy(self) -> bool:
        """Whether a written request waits for its answer."""
        return bool(self._pending)

    def over_rest(self, calls: Sequence[tuple[Request, Call]]) -> None:
        """Place over REST, in helper threads, what never left by the socket; an account's calls one after another."""
        by_account: dict[AccountRef, list[tuple[Request, Call]]] = {}
        for request, call in calls:
            by_account.setdefault(request.account, []).append((request, call))
        for ordered in by_account.values():
            self._loop.background(partial(self._place_all, ordered))

    def finish(self, request: Request, outcome: Outcome, payload: Any = None) -> None:
        """From any thread."""
        self._loop.call(lambda: self._settle(request, outcome, payload))
        self._loop.call(self._flush)

    def on_written(self, written: Sequence[tuple[object, float]]) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        sent: list[Event] = []
        for ticket, moment in written:
            if isinstance(ticket, Ticket):
                ticket.deadline = deadline
                self._pending[ticket.request_id] = ticket
                at = datetime.fromtimestamp(moment, UTC)
                sent.extend(Sent(name, at) for name in client_ids(ticket.request))
        self._tell(sent)

    def on_unsent(self, tickets: Sequence[object]) -> None:
        self.over_rest([(ticket.request, ticket.call) for ticket in tickets if isinstance(ticket, Ticket)])

    def on_reply(self, request_id: int, status: int, payload: Any) -> None:
        ticket = self._pending.pop(request_id, None)
        if ticket is None:
            return
        try:
            with self._client.gate.heeding():
                check_status(status, payload if isinstance(payload, str) else "")
                check_penalty(payload)
        except AuthExpired:
            self._loop.background(lambda: self._place_renewed(ticket.request, ticket.call, ticket.token))
        except BrokerError as error:
            self._settle(ticket.request, outcome_of_error(ticket.request, error), None)
        else:
            self._settle(ticket.request, outcome_of(ticket.request, payload, datetime.now(UTC)), payload)

    def on_tick(self, now: float) -> None:
        late = [key for key, ticket in self._pending.items() if ticket.deadline < now]
        for request_id in late:
            self._doubt(self._pending.pop(request_id), "no answer within five seconds")

    def on_closed(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for ticket in pending.values():
            self._doubt(ticket, reason)

    def _doubt(self, ticket: Ticket, reason: str) -> None:
        self._settle(ticket.request, Unknown(ticket.request.client_order_id, reason, datetime.now(UTC)), None)

    def _place_all(self, calls: Sequence[tuple[Request, Call]]) -> None:
        for request, call in calls:
            self._place(request, call)

    def _place(self, request: Request, call: Call) -> None:
        try:
            self._client.gate.check()
            token = self._auth.token()
        except BrokerError as error:
            self.finish(request, NotSent(request.client_order_id, str(error), datetime.now(UTC)))
            return
        try:
            payload = self._client.place(call, token)
        except AuthExpired:
            self._place_renewed(request, call, token)
        except BrokerError as error:
            self.finish(request, outcome_of_error(request, error))
        else:
            self.finish(request, outcome_of(request, payload, datetime.now(UTC)), payload)

    def _place_renewed(self, request: Request, call: Call, stale: Token) -> None:
        try:
            renewed = self._auth.renew(stale)
        except BrokerError as error:
            text = f"the venue no longer accepts this login: {error}"
            self.finish(request, Rejected(request.client_order_id, UNAUTHORIZED, text, datetime.now(UTC)))
            return
        if renewed.access != stale.access:
            self._loop.call(lambda: self._renewed(renewed))
        try:
            payload = self._client.place(call, renewed)
        except BrokerError as error:
            self.finish(request, outcome_of_error(request, error))
        else:
            self.finish(request, outcome_of(request, payload, datetime.now(UTC)), payload)


def outcome_of_error(request: Request, error: BrokerError) -> Outcome:
    """What a failed request proves about the order."""
    now = datetime.now(UTC)
    match error:
        case Refused():
            return Rejected(request.client_order_id, error.code, error.text, now)
        case RateLimited():
            text = f"not executed, the venue wants silence until {error.until:%H:%M:%S} UTC: {error}"
            return Rejected(request.client_order_id, RATE_LIMITED, text, now)
        case AuthExpired():
            return Rejected(request.client_order_id, UNAUTHORIZED, str(error), now)
        case NotReached():
            return NotSent(request.client_order_id, str(error), now)
        case OutcomeUnknown():
            return Unknown(request.client_order_id, str(error), now)
        case _:
            return Unknown(request.client_order_id, type(error).__name__, now)
