"""SignalR's JSON protocol under either hub: address, handshake, records, pings, silence, and the venue's log-outs.

Every record ends with 0x1E; a message may hold several, and a record may be spread over several. The token travels in
the query of a direct WebSocket; where that is refused, the next try negotiates first (ProjectX wire facts, hubs).
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson

from brokers.access import Token
from brokers.connector import Stream
from brokers.errors import AuthExpired, AuthFailed, BrokerError, NotReached, OutcomeUnknown, RateLimited
from brokers.http import HttpClient
from brokers.links import Link, text_frame
from brokers.projectx.auth import Auth
from brokers.projectx.parse import Json

logger = logging.getLogger(__name__)

SEPARATOR = b"\x1e"
HANDSHAKE = b'{"protocol":"json","version":1}' + SEPARATOR
PING = b'{"type":6}' + SEPARATOR
PING_SECONDS = 10.0
SILENCE_SECONDS = 30.0
HANDSHAKE_SECONDS = 10.0
MOST_REFUSED_TOKENS = 3
# Another session of the same user took over: two that each sign in at once would throw each other out for ever.
LOGOUT_HOLD_SECONDS = 2.0
LONGEST_LOGOUT_HOLD_SECONDS = 300.0
QUIET_AFTER_LOGOUT_SECONDS = 600.0
_INVOCATION, _COMPLETION, _CLOSE = 1, 3, 7
LOGOUT = "gatewaylogout"


def invocation(target: str, arguments: Sequence[Any], invocation_id: str) -> bytes:
    """One record; the id asks for a completion."""
    record = {"type": _INVOCATION, "invocationId": invocation_id, "target": target, "arguments": list(arguments)}
    return orjson.dumps(record) + SEPARATOR


class Records:
    """Cuts the stream of messages into whole records."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, message: bytes) -> list[Json]:
        """The records complete so far. Raises `OutcomeUnknown` for what is no JSON object."""
        *whole, self._rest = (self._rest + message).split(SEPARATOR)
        try:
            records = [orjson.loads(piece) for piece in whole if piece]
        except orjson.JSONDecodeError:
            raise OutcomeUnknown("the hub sent a record that is not JSON") from None
        if not all(isinstance(record, dict) for record in records):
            raise OutcomeUnknown("the hub sent a record that is not an object")
        return records


class HubSession:
    """A hub's socket as a `StreamSession`. Subclasses say what to do once it speaks, and what events mean."""

    def __init__(self, auth: Auth, url: str) -> None:
        self.stream = Stream(self)
        self._auth = auth
        self._url = url
        self._ids = itertools.count(1)
        self._token: Token | None = None
        self._negotiates = False
        self._refused_tokens = 0
        self._logouts = 0
        self._logged_out_at = 0.0
        self._link: Link | None = None
        self._records = Records()
        self._asked: dict[str, str] = {}
        self._speaks = False
        self._opened = self._heard = self._spoke = 0.0

    def prepare(self) -> str:
        if self._refused_tokens >= MOST_REFUSED_TOKENS:
            raise AuthFailed("TokenRefused", "the venue's hub refuses the tokens that the venue gave us")
        try:
            self._token = self._auth.token()
            self.before_connecting()
            query = {"access_token": self._token.access}
            if self._negotiates:
                query = {"id": self._connection_id(self._token), **query}
        except RateLimited as error:
            # The venue counts by login: others need not wait with this one, as they do for a limit on addresses.
            self.stream.hold((error.until - datetime.now(UTC)).total_seconds())
            raise OutcomeUnknown(str(error)) from None
        return f"{self._url}?{urlencode(query)}"

    def on_open(self, link: Link) -> None:
        self._link = link
        self._records = Records()
        self._asked = {}
        self._speaks = False
        self._opened = self._heard = self._spoke = time.monotonic()
        link.write(text_frame(HANDSHAKE))

    def on_texts(self, messages: Sequence[bytes]) -> None:
        self._heard = time.monotonic()
        for message in messages:
            try:
                records = self._records.feed(message)
            except OutcomeUnknown as error:
                logger.warning("%s", error)
                self._break_off(str(error))
                return
            for record in records:
                self._on_record(record)

    def on_tick(self, now: float) -> None:
        link = self._link
        if link is None:
            return
        if now - self._heard > SILENCE_SECONDS:
            self.on_silence()
            link.break_off("the venue fell silent")
        elif not self._speaks and now - self._opened > HANDSHAKE_SECONDS:
            link.break_off("the hub did not answer the handshake")
        elif self._speaks and now - self._spoke >= PING_SECONDS:
            self._spoke = now
            link.write(text_frame(PING))

    def on_closed(self, reason: str) -> None:
        self._link = None
        self._speaks = False
        self.on_down(reason)

    def on_connect_failed(self, error: BrokerError) -> None:
        if isinstance(error, AuthFailed):
            self.on_failed(error)
            return
        if isinstance(error, NotReached):
            # Whether the way in or the host is the trouble is not told: each way is tried in turn.
            self._negotiates = not self._negotiates
        self.on_down(str(error))

    def on_connecting(self) -> None: ...

    def on_written(self, written: Sequence[tuple[object, float]]) -> None: ...

    def on_unsent(self, tickets: Sequence[object], reason: str) -> None: ...

    def ask(self, target: str, *arguments: Any) -> None:
        """Invoke a method of the hub, from the loop's thread. One that it refuses goes to `on_refused`."""
        if self._link is None:
            return
        name = str(next(self._ids))
        self._asked[name] = target
        self._link.write(text_frame(invocation(target, arguments, name)))

    @property
    def waits(self) -> bool:
        """Whether an invocation has no completion yet."""
        return bool(self._asked)

    def before_connecting(self) -> None:
        """Runs in the connect pool with a token at hand, and may block. Raises a `BrokerError`."""

    def on_speaking(self) -> None:
        """The handshake is done."""

    def on_completed(self) -> None:
        """An invocation was answered."""

    def on_refused(self, target: str, reason: str) -> None:
        self._break_off(f"{target}: {reason}")

    def on_event(self, target: str, arguments: Sequence[Any]) -> None: ...

    def on_silence(self) -> None: ...

    def on_down(self, reason: str) -> None: ...

    def on_failed(self, error: AuthFailed) -> None: ...

    def _on_record(self, record: Json) -> None:
        kind = record.get("type")
        if kind is None:
            self._on_handshake(record)
        elif kind == _INVOCATION:
            self._on_invocation(str(record.get("target", "")), record.get("arguments") or [])
        elif kind == _COMPLETION:
            target = self._asked.pop(str(record.get("invocationId")), "")
            if record.get("error"):
                self.on_refused(target, str(record["error"]))
            else:
                self.on_completed()
        elif kind == _CLOSE:
            self._break_off(f"closed by the venue: {record.get('error') or 'no reason given'}")

    def _on_handshake(self, record: Json) -> None:
        if record.get("error"):
            if self._token is not None:
                self._auth.discard(self._token)
            self._break_off(f"the hub refused the handshake: {record['error']}")
            return
        self._speaks = True
        self._refused_tokens = 0
        self.on_speaking()

    def _on_invocation(self, target: str, arguments: Sequence[Any]) -> None:
        if target.lower() == LOGOUT:
            self._on_logout()
        else:
            self.on_event(target, arguments)

    def _on_logout(self) -> None:
        """The session was ended: the next connect signs in anew, later each time that this comes again soon."""
        now = time.monotonic()
        self._logouts = self._logouts + 1 if now - self._logged_out_at < QUIET_AFTER_LOGOUT_SECONDS else 0
        self._logged_out_at = now
        if self._token is not None:
            self._auth.discard(self._token)
        if self._logouts:
            self.stream.hold(min(LOGOUT_HOLD_SECONDS * 2.0**self._logouts, LONGEST_LOGOUT_HOLD_SECONDS))
        self._break_off("the venue ended the session: another one took over, or its time was up")

    def _connection_id(self, token: Token) -> str:
        """Ask the hub for a connection, which also tells a token that it does not take."""
        address = urlsplit(self._url)
        scheme = {"wss": "https", "ws": "http"}[address.scheme]
        base = urlunsplit((scheme, address.netloc, address.path, "", ""))
        try:
            answer = HttpClient(base).post("negotiate?negotiateVersion=1", b"", bearer=token.access)
        except AuthExpired:
            self._refused_tokens += 1
            self._auth.renew(token)
            raise
        found = answer.get("connectionToken") or answer.get("connectionId") if isinstance(answer, dict) else None
        if not isinstance(found, str):
            raise OutcomeUnknown("the hub's negotiation could not be read")
        return found

    def _break_off(self, reason: str) -> None:
        if self._link is not None:
            self._link.break_off(reason)
