"""Opening links: the upgrade through a small gate, with a jittered back-off and one cool-down for all.

A venue that answers 429 or a quota error to one connection means all of them: whoever waits, waits on.
"""

from __future__ import annotations

import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import websocket

from brokers.errors import AuthFailed, BrokerError, NotReached, RateLimited
from brokers.links import Link

logger = logging.getLogger(__name__)

LONGEST_SHARED_COOLDOWN_SECONDS = 60.0


class HostMoved(NotReached):
    """The upgrade was refused with 421: this host does not serve the login, or no longer."""


class StreamSession(Protocol):
    """What a venue says on one socket. `prepare` runs in the connect pool and may block; all else in the loop."""

    def on_connecting(self) -> None: ...

    def prepare(self) -> str:
        """The address to connect to, after signing in if need be. Raises a `BrokerError`."""

    def on_open(self, link: Link) -> None: ...

    def on_texts(self, messages: Sequence[bytes]) -> None:
        """The messages that one read brought."""

    def on_tick(self, now: float) -> None:
        """Called four times a second while open; `now` is monotonic."""

    def on_written(self, written: Sequence[tuple[object, float]]) -> None:
        """Tickets whose frames went to the operating system, each with the moment in seconds since the epoch."""

    def on_unsent(self, tickets: Sequence[object], reason: str) -> None:
        """Proof that no byte of these frames left this machine."""

    def on_closed(self, reason: str) -> None: ...

    def on_connect_failed(self, error: BrokerError) -> None: ...


class Stream:
    """A session's place in the loop; it outlives its links."""

    def __init__(self, session: StreamSession) -> None:
        self.session = session
        self.link: Link | None = None
        self.attempts = 0
        self.due = 0.0
        self.shared_hold = 0.0
        self.removed = False

    def settled(self) -> None:
        """The session works: the next reconnect starts with the shortest back-off again."""
        self.attempts = 0

    def hold(self, seconds: float, *, everybody: bool = False) -> None:
        """No reconnect before `seconds` have passed; with `everybody`, after the next close, no one else's either."""
        self.due = max(self.due, time.monotonic() + seconds)
        if everybody:
            self.shared_hold = seconds


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before connection attempt n: doubling from `first` to `most`, the upper half of it random."""

    first: float = 0.5
    most: float = 30.0

    def delay(self, attempt: int) -> float:
        span = min(self.most, self.first * 2.0 ** min(attempt, 16))
        return span * random.uniform(0.5, 1.0)  # noqa: S311 - spreads reconnects, guards nothing


class Connector:
    """Connects streams that are due, `gate` at a time. Its methods belong to the loop's thread.

    `post` runs a callable in that thread, `opened` takes the upgraded socket there.
    """

    def __init__(
        self,
        *,
        gate: int,
        timeout: float,
        backoff: Backoff,
        post: Callable[[Callable[[], object]], None],
        opened: Callable[[Stream, socket.socket], None],
    ) -> None:
        self._pool = ThreadPoolExecutor(gate, thread_name_prefix="connect")
        self._timeout = timeout
        self._backoff = backoff
        self._post = post
        self._opened = opened
        self._waiting: dict[Stream, None] = {}
        self._cool_until = 0.0
        # Loading the certificate store once per link would cost a megabyte and 20 ms each.
        self._tls = ssl.create_default_context()

    def add(self, stream: Stream) -> None:
        self._waiting[stream] = None

    def retry(self, stream: Stream) -> None:
        if stream.shared_hold > 0:
            self.cool_down(stream.shared_hold)
            stream.shared_hold = 0.0
        stream.due = max(stream.due, time.monotonic() + self._backoff.delay(stream.attempts))
        self._waiting[stream] = None

    def forget(self, stream: Stream) -> None:
        self._waiting.pop(stream, None)

    def cool_down(self, seconds: float) -> None:
        """Let nobody connect for a while: the venue limits addresses, not only logins."""
        self._cool_until = max(self._cool_until, time.monotonic() + min(seconds, LONGEST_SHARED_COOLDOWN_SECONDS))

    def start_due(self, now: float) -> None:
        if now < self._cool_until:
            return
        for stream in [stream for stream in self._waiting if stream.due <= now]:
            del self._waiting[stream]
            stream.session.on_connecting()
            self._pool.submit(self._connect, stream)

    def shut(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _connect(self, stream: Stream) -> None:
        if stream.removed:
            return
        if time.monotonic() < self._cool_until:
            self._post(lambda: self.add(stream))
            return
        try:
            opened = open_socket(stream.session.prepare(), timeout=self._timeout, context=self._tls)
        except BrokerError as error:
            failure: BrokerError = error
        except Exception:  # the outermost frame of this thread: one broken session must not stop the others
            logger.exception("connecting a stream failed")
            failure = NotReached("connecting failed inside this program")
        else:
            self._post(lambda: self._opened(stream, opened))
            return
        self._post(lambda: self._failed(stream, failure))

    def _failed(self, stream: Stream, error: BrokerError) -> None:
        if stream.removed:
            return
        stream.attempts += 1
        if isinstance(error, RateLimited):
            seconds = (error.until - datetime.now(UTC)).total_seconds()
            stream.hold(seconds, everybody=True)
        # A refused login stays out of the queue: hammering it would lock the owner out.
        if not isinstance(error, AuthFailed):
            self.retry(stream)
        stream.session.on_connect_failed(error)


def open_socket(url: str, *, timeout: float, context: ssl.SSLContext) -> socket.socket:
    """Connect and upgrade; blocks up to `timeout` seconds per step. Raises `NotReached` or `RateLimited`."""
    try:
        upgraded = websocket.create_connection(
            url,
            timeout=timeout,
            redirect_limit=0,
            suppress_origin=True,
            enable_multithread=False,
            skip_utf8_validation=True,
            sslopt={"context": context},
        )
    except websocket.WebSocketBadStatusException as error:
        raise _refusal(error.status_code) from None
    except (websocket.WebSocketException, OSError) as error:
        raise NotReached(f"connect failed: {_short(error)}") from None
    if upgraded.sock is None:
        raise NotReached("connect failed: no socket")
    return upgraded.sock


def _refusal(status: int) -> BrokerError:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(datetime.now(UTC) + timedelta(minutes=1), "too many connections")
    if status == HTTPStatus.MISDIRECTED_REQUEST:
        return HostMoved("upgrade refused: this host does not serve the login")
    return NotReached(f"upgrade refused: HTTP {status}")


def _short(error: Exception) -> str:
    reason = getattr(error, "strerror", None)
    return reason if isinstance(reason, str) else type(error).__name__
