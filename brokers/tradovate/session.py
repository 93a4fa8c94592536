"""Tradovate's socket protocol under any service: framing, sign-in, heartbeats, silence, requests and replies.

Frames are `o`, `h`, `a[…]` and `c[…]`; a request is four lines, endpoint, id, query and body; a reply carries the
id as `i` and a status as `s` that mirrors HTTP's (Tradovate wire facts, WebSocket).
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from brokers.access import Priority, Token
from brokers.connector import HostMoved, Stream
from brokers.errors import AuthExpired, AuthFailed, BrokerError, OutcomeUnknown, RateLimited
from brokers.http import check_status
from brokers.links import Link, text_frame
from brokers.tradovate import parse
from brokers.tradovate.auth import Auth
from brokers.tradovate.gate import Gate
from brokers.tradovate.penalty import check_penalty

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.25
SILENCE_SECONDS = 10.0
REPLY_SECONDS = 5.0
QUOTA_HOLD_SECONDS = 300.0
ADDRESS_QUOTA = "IPQuotaReached"
MOST_REFUSED_TOKENS = 3
# An evicted session's token may be answered with 408, 429 or 500 instead of 401.
ODD_ANSWERS = 2

OnReply = Callable[[Any], None]
OnRefusal = Callable[[BrokerError], None]


def request_frame(endpoint: str, request_id: int, query: str = "", body: bytes = b"") -> bytes:
    """The masked frame of one request."""
    return text_frame(f"{endpoint}\n{request_id}\n{query}\n".encode() + body)


@dataclass(frozen=True, slots=True)
class _Awaited:
    deadline: float
    endpoint: str
    on_reply: OnReply
    on_refusal: OnRefusal | None


class TradovateSession:
    """A signed-in socket. Subclasses say what to do once authorised and what events mean."""

    def __init__(self, auth: Auth, gate: Gate, url: Callable[[], str]) -> None:
        self.stream = Stream(self)
        self._auth = auth
        self._gate = gate
        self._url = url
        self._ids = itertools.count(1)
        self._token: Token | None = None
        self._refused_tokens = 0
        self._odd_answers = 0
        self._moved = False
        self._link: Link | None = None
        self._awaited: dict[int, _Awaited] = {}
        self._heard = 0.0
        self._spoke = 0.0

    def next_id(self) -> int:
        return next(self._ids)

    def prepare(self) -> str:
        if self._refused_tokens >= MOST_REFUSED_TOKENS:
            raise AuthFailed("TokenRefused", "the venue refuses the tokens that it gave us")
        self._gate.check()
        if self._moved:
            self._moved = False
            self._auth.locate()
        self._token = self._auth.token()
        return self._url()

    def on_open(self, link: Link) -> None:
        self._link = link
        self._heard = self._spoke = time.monotonic()
        token = self._token
        if token is None:
            link.break_off("no token")
            return
        # The venue may stay silent until it has heard from us, so its `o` is not waited for.
        self.ask(
            "authorize",
            self._on_authorized,
            body=self.socket_token(token).encode(),
            on_refusal=self._on_stranger,
            priority=Priority.FLATTEN,
        )

    def on_texts(self, messages: Sequence[bytes]) -> None:
        self._heard = time.monotonic()
        for message in messages:
            kind = message[:1]
            if kind == b"a":
                self._on_messages(message)
            elif kind == b"c":
                self._break_off(parse.close_reason(message))

    def _on_messages(self, frame: bytes) -> None:
        try:
            messages = parse.messages_of(frame)
        except OutcomeUnknown as error:
            logger.warning("%s: %r", error, frame[:200])
            self._break_off(str(error))
            return
        for message in messages:
            if "i" in message:
                self._on_reply(message)
            elif message.get("e") == "shutdown":
                self._on_shutdown(message.get("d"))
            else:
                self.on_event(message)

    def on_tick(self, now: float) -> None:
        link = self._link
        if link is None:
            return
        if now - self._heard > SILENCE_SECONDS:
            self.on_silence()
            link.break_off("the venue fell silent")
            return
        if now - self._spoke >= HEARTBEAT_SECONDS:
            self._spoke = now
            link.send("[]")
        for request_id in [key for key, awaited in self._awaited.items() if awaited.deadline < now]:
            awaited = self._awaited.pop(request_id)
            self._refuse(awaited, OutcomeUnknown("no answer"))

    def on_closed(self, reason: str) -> None:
        self._link = None
        self._awaited.clear()
        self.on_down(reason)

    def on_connect_failed(self, error: BrokerError) -> None:
        self._moved = isinstance(error, HostMoved)
        if isinstance(error, AuthFailed):
            self.on_failed(error)
        else:
            self.on_down(str(error))

    def ask(
        self,
        endpoint: str,
        on_reply: OnReply,
        *,
        query: str = "",
        body: bytes = b"",
        on_refusal: OnRefusal | None = None,
        within: float = REPLY_SECONDS,
        priority: Priority | None = Priority.POLL,
    ) -> None:
        """Send a request of our own from the loop's thread; `on_reply` gets a 2xx answer's payload.

        Any other answer, none `within` seconds, or no budget for it, goes to `on_refusal`, or else breaks the link off.
        `priority` None: the request was paid for before.
        """
        link = self._link
        if link is None:
            return
        try:
            if priority is not None:
                self._gate.spend(priority, endpoint)
        except RateLimited as error:
            self._go_without(endpoint, error, on_refusal if priority is Priority.POLL else None)
            return
        request_id = self.next_id()
        self._awaited[request_id] = _Awaited(time.monotonic() + within, endpoint, on_reply, on_refusal)
        link.write(request_frame(endpoint, request_id, query, body))

    def socket_token(self, token: Token) -> str:
        return token.access

    def on_refused_token(self, token: Token, *, is_proven: bool) -> None:
        self._auth.discard(token)

    def on_connecting(self) -> None: ...

    def on_silence(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_failed(self, error: AuthFailed) -> None: ...

    def on_authorized(self, token: Token) -> None: ...

    def on_event(self, message: parse.Json) -> None: ...

    def on_order_reply(self, request_id: int, status: int, payload: Any) -> None: ...

    def on_written(self, written: Sequence[tuple[object, float]]) -> None: ...

    def on_unsent(self, tickets: Sequence[object], reason: str) -> None: ...

    def _on_reply(self, message: parse.Json) -> None:
        status, payload = message.get("s", 0), message.get("d")
        awaited = self._awaited.pop(message["i"], None)
        if awaited is None:
            self.on_order_reply(message["i"], status, payload)
            return
        try:
            with self._gate.heeding(awaited.endpoint):
                check_status(status, payload if isinstance(payload, str) else "")
                check_penalty(payload)
        except BrokerError as error:
            self._refuse(awaited, error)
        else:
            awaited.on_reply(payload)

    def _refuse(self, awaited: _Awaited, error: BrokerError) -> None:
        if isinstance(error, RateLimited):
            self._hold(error.until)
        if awaited.on_refusal is not None:
            awaited.on_refusal(error)
        else:
            self._break_off(f"{awaited.endpoint}: {error}")

    def _go_without(self, endpoint: str, error: RateLimited, on_refusal: OnRefusal | None) -> None:
        """The venue was not asked: what only fills in may be left out, the opening of a session has to wait."""
        if on_refusal is not None:
            on_refusal(error)
        else:
            self._hold(error.until)
            self._break_off(f"{endpoint}: {error}")

    def _hold(self, until: datetime) -> None:
        self.stream.hold((until - datetime.now(UTC)).total_seconds(), everybody=True)

    def _on_authorized(self, _payload: Any) -> None:
        self._refused_tokens = self._odd_answers = 0
        if self._token is not None:
            self.on_authorized(self._token)

    def _on_stranger(self, error: BrokerError) -> None:
        """The venue does not know our token: the next connect signs in anew, once where the answer only hints at it."""
        is_refused = isinstance(error, AuthExpired)
        self._refused_tokens += is_refused
        self._odd_answers += not is_refused
        if self._token is not None and (is_refused or self._odd_answers == ODD_ANSWERS):
            self.on_refused_token(self._token, is_proven=is_refused)
        self._break_off(f"authorize: {error}")

    def _on_shutdown(self, detail: Any) -> None:
        reason = str(detail.get("reasonCode", "")) if isinstance(detail, dict) else ""
        if reason.endswith("QuotaReached"):
            self.stream.hold(QUOTA_HOLD_SECONDS, everybody=reason == ADDRESS_QUOTA)
        self._break_off(f"shutdown by the venue: {reason}")

    def _break_off(self, reason: str) -> None:
        if self._link is not None:
            self._link.break_off(reason)
