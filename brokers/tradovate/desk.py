"""The fate of every order request: settled exactly once, and doubt is never turned into a refusal.

A frame that provably never left goes out over REST instead; one that may have left and got no readable answer is
`Unknown`. A 401 proves that nothing was placed, so it is worth one renewal and one more try; so does a penalty ticket,
which is waited out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from brokers.access import Token
from brokers.base import AccountRef, FlattenPosition, Request, SubmitOco, SubmitOrder, client_ids
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
from brokers.tradovate.errand import Errand, WaitingRoom
from brokers.tradovate.orders import outcome_of
from brokers.tradovate.penalty import PenaltyTicket, check_penalty

ANSWER_SECONDS = 5.0
UNAUTHORIZED = "UNAUTHORIZED"
RATE_LIMITED = "RATE_LIMITED"
NO_PERMISSION = "the broker takes no orders from this login: its API key lacks the permission, or its device is new"
CLOSED = "not executed: it waited for its turn until the connection was closed"
OVERTAKEN = "not executed: it waited for its turn until a flatten came"

Settle = Callable[[Request, Outcome, Any], None]


@dataclass(slots=True)
class Ticket:
    """An errand on its way over the socket; `deadline` is monotonic."""

    request_id: int
    errand: Errand
    token: Token
    deadline: float = 0.0


class OrderDesk:
    """Its `on_…` methods belong to the loop's thread; `settle` is always called there, once per request.

    `settle` and `flush` are the session's: what is settled while it reads is reported when it has read. `renewed`
    hears of a token that replaced a refused one. `send` puts an errand that has waited on the wire again.
    """

    send: Callable[[Errand], None]
    is_open = True

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
        self._waiting = WaitingRoom(client.gate, self._resend, self._give_up)
        self._pending: dict[int, Ticket] = {}
        self._flattened: dict[tuple[AccountRef, str], float] = {}

    @property
    def busy(self) -> bool:
        """Whether a written request waits for its answer."""
        return bool(self._pending)

    def over_rest(self, errands: Sequence[Errand]) -> None:
        """Place over REST, in helper threads, what never left by the socket; an account's calls one after another."""
        by_account: dict[AccountRef, list[Errand]] = {}
        for errand in errands:
            by_account.setdefault(errand.request.account, []).append(errand)
        for ordered in by_account.values():
            self._loop.background(partial(self._place_all, ordered))

    def overtake(self, flatten: FlattenPosition) -> None:
        """What still waits for its turn must not come after a flatten: it would trade what that has just closed."""
        self._flattened[flatten.account, flatten.symbol] = time.monotonic()
        for errand in self._waiting.clear(self._is_overtaken):
            self._reject(errand.request, RATE_LIMITED, OVERTAKEN)

    def dismiss(self) -> None:
        """Settle all that waits: this connection sends nothing more until it is started again."""
        self.is_open = False
        for errand in self._waiting.clear(lambda _errand: True):
            self._reject(errand.request, RATE_LIMITED, CLOSED)

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
                if ticket.errand.waits == 0:
                    at = datetime.fromtimestamp(moment, UTC)
                    sent.extend(Sent(name, at) for name in client_ids(ticket.errand.request))
        self._tell(sent)

    def on_unsent(self, tickets: Sequence[object]) -> None:
        self.over_rest([ticket.errand for ticket in tickets if isinstance(ticket, Ticket)])

    def on_reply(self, request_id: int, status: int, payload: Any) -> None:
        ticket = self._pending.pop(request_id, None)
        if ticket is None:
            return
        request = ticket.errand.request
        try:
            with self._client.gate.heeding(ticket.errand.original.endpoint):
                check_status(status, payload if isinstance(payload, str) else "")
                check_penalty(payload)
        except AuthExpired:
            self._loop.background(lambda: self._place_renewed(ticket.errand, ticket.token))
        except PenaltyTicket as error:
            self._put_off(ticket.errand, error)
        except BrokerError as error:
            self._settle(request, outcome_of_error(request, error), None)
        else:
            self._settle(request, outcome_of(request, payload, _now()), payload)

    def on_tick(self, now: float) -> None:
        late = [key for key, ticket in self._pending.items() if ticket.deadline < now]
        for request_id in late:
            self._doubt(self._pending.pop(request_id), "no answer within five seconds")

    def on_closed(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for ticket in pending.values():
            self._doubt(ticket, reason)

    def _doubt(self, ticket: Ticket, reason: str) -> None:
        request = ticket.errand.request
        self._settle(request, Unknown(request.client_order_id, reason, _now()), None)

    def _place_all(self, errands: Sequence[Errand]) -> None:
        for errand in errands:
            self._place(errand)

    def _place(self, errand: Errand) -> None:
        request = errand.request
        try:
            self._client.gate.check(errand.original.endpoint)
            token = self._auth.token()
        except BrokerError as error:
            self.finish(request, NotSent(request.client_order_id, str(error), _now()))
            return
        self._place_with(errand, token, on_expired=lambda: self._place_renewed(errand, token))

    def _place_renewed(self, errand: Errand, stale: Token) -> None:
        try:
            renewed = self._auth.renew(stale)
            self._client.gate.spend(errand.priority, errand.original.endpoint)
        except RateLimited as error:
            self._give_up(errand, error)
            return
        except BrokerError as error:
            self._reject(errand.request, UNAUTHORIZED, f"the venue no longer accepts this login: {error}")
            return
        if renewed.access != stale.access:
            self._loop.call(lambda: self._renewed(renewed))
        self._place_with(errand, renewed, on_expired=lambda: self._reject(errand.request, UNAUTHORIZED, NO_PERMISSION))

    def _place_with(self, errand: Errand, token: Token, *, on_expired: Callable[[], None]) -> None:
        request = errand.request
        try:
            payload = self._client.place(errand.call, token)
        except AuthExpired:
            on_expired()
        except PenaltyTicket as error:
            self._put_off(errand, error)
        except BrokerError as error:
            self.finish(request, outcome_of_error(request, error))
        else:
            self.finish(request, outcome_of(request, payload, _now()), payload)

    def _put_off(self, errand: Errand, error: PenaltyTicket) -> None:
        if not self._is_too_late(errand):
            self._waiting.admit(errand, error)

    def _is_overtaken(self, errand: Errand) -> bool:
        request = errand.request
        if not isinstance(request, SubmitOrder | SubmitOco):
            return False
        return self._flattened.get((request.account, request.symbol), 0.0) >= errand.since

    def _is_too_late(self, errand: Errand) -> bool:
        """Whether it must not be sent any more; its outcome is told then."""
        if self.is_open and not self._is_overtaken(errand):
            return False
        self._reject(errand.request, RATE_LIMITED, OVERTAKEN if self.is_open else CLOSED)
        return True

    def _resend(self, errand: Errand) -> None:
        """A flatten or the end may have come while it was on its way into the waiting room."""
        if not self._is_too_late(errand):
            self.send(errand)

    def _give_up(self, errand: Errand, error: RateLimited) -> None:
        self.finish(errand.request, outcome_of_error(errand.request, error))

    def _reject(self, request: Request, code: str, text: str) -> None:
        self.finish(request, Rejected(request.client_order_id, code, text, _now()))


def _now() -> datetime:
    return datetime.now(UTC)


def outcome_of_error(request: Request, error: BrokerError) -> Outcome:
    """What a failed request proves about the order."""
    now = datetime.now(UTC)
    match error:
        case Refused():
            return Rejected(request.client_order_id, error.code, error.text, now)
        case RateLimited():
            text = f"not executed, the venue wants silence until {error.until:%H:%M:%S} UTC: {error}"
            return Rejected(request.client_order_id, RATE_LIMITED, text, now)
        case NotReached():
            return NotSent(request.client_order_id, str(error), now)
        case OutcomeUnknown():
            return Unknown(request.client_order_id, str(error), now)
        case _:
            return Unknown(request.client_order_id, type(error).__name__, now)
