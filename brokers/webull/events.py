"""Webull's trade events over gRPC: a trigger to look, never the only source.

One live subscription per app key; some accounts get nothing but pings, so silence about orders means nothing and
silence altogether means that the stream is dead (Webull wire facts, trade events).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc

from brokers.connector import Backoff
from brokers.errors import OutcomeUnknown
from brokers.webull import protos
from brokers.webull.parse import event_of
from brokers.webull.signing import SIGNATURE_HEADER, Algorithm, sign_grpc, signed_headers
from brokers.webull.types import TradeEvent

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 75.0
REFUSED_PAUSE_SECONDS = 60.0
SECURE_SCHEME = "grpcs://"


class EventStream:
    """A thread of its own. `on_event` and `on_subscribed` are called in it; the latter each time the stream is up."""

    def __init__(self, url: str, app_key: str, app_secret: str) -> None:
        self._url = url
        self._app_key = app_key
        self._app_secret = app_secret
        self.on_event: Callable[[TradeEvent], object] = lambda _: None
        self.on_subscribed: Callable[[], object] = lambda: None
        self.backoff = Backoff()
        self._accounts: list[str] = []
        self._stopping = threading.Event()
        self._call: Any = None
        self._heard = 0.0
        self._thread = threading.Thread(target=self._run, name="webull-events", daemon=True)

    def start(self, accounts: Sequence[str]) -> None:
        """Subscribe to these account ids; once."""
        self._accounts = list(accounts)
        if not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._cancel()

    def check_silence(self) -> None:
        """Give a stream up that has said nothing for too long; called now and then by whoever polls."""
        if self._call is not None and time.monotonic() - self._heard > SILENCE_SECONDS:
            logger.info("webull's events fell silent")
            self._cancel()

    def _cancel(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            pause = 0.0
            try:
                pause = self._listen()
            except grpc.RpcError as error:
                pause = _pause_after(error)
            except Exception:  # the outermost frame of this thread: a bug here must not end the login's events
                logger.exception("webull's events failed inside this program")
            attempt = 0 if time.monotonic() - started > SILENCE_SECONDS else attempt + 1
            self._stopping.wait(max(pause, self.backoff.delay(attempt)))

    def _listen(self) -> float:
        """Until the stream ends; seconds to stay away for on top of the back-off."""
        with _channel(self._url) as channel:
            subscribe = channel.unary_stream(
                protos.EVENTS_METHOD,
                request_serializer=None,
                response_deserializer=protos.SUBSCRIBE_RESPONSE.FromString,
            )
            request = protos.SUBSCRIBE_REQUEST(
                subscribeType=protos.ALL_EVENTS,
                timestamp=int(datetime.now(UTC).timestamp() * 1000),
                accounts=self._accounts,
            ).SerializeToString()
            self._heard = time.monotonic()
            self._call = subscribe(request, metadata=self._metadata(request))
            try:
                for response in self._call:
                    self._heard = time.monotonic()
                    if response.eventType in (protos.AUTH_ERROR, protos.TOO_MANY_CONNECTIONS):
                        logger.warning("webull refuses its events: %s", response.eventType)
                        return REFUSED_PAUSE_SECONDS
                    if response.eventType == protos.EXPIRED:
                        return 0.0
                    self._take(response)
            finally:
                self._call = None
        return 0.0

    def _take(self, response: Any) -> None:
        if response.eventType == protos.SUBSCRIBED:
            self.on_subscribed()
        elif response.eventType == protos.ORDER_EVENT:
            try:
                event = event_of(response.payload)
            except OutcomeUnknown as error:
                logger.warning("an event of webull could not be read: %s", error)
            else:
                self.on_event(event)

    def _metadata(self, request: bytes) -> tuple[tuple[str, str], ...]:
        headers = signed_headers(self._app_key, Algorithm.SHA256)
        signature = sign_grpc(self._app_secret, headers, request)
        return (*headers.items(), (SIGNATURE_HEADER, signature))


def _channel(url: str) -> Any:
    """`grpcs://host:port` is encrypted, a bare `host:port` is a server on this machine."""
    if url.startswith(SECURE_SCHEME):
        return grpc.secure_channel(url.removeprefix(SECURE_SCHEME), grpc.ssl_channel_credentials())
    return grpc.insecure_channel(url)


def _pause_after(error: Any) -> float:
    """A key has one live subscription: whoever comes second waits longer than a network that hiccups."""
    code = error.code()
    logger.info("webull's events ended: %s", code)
    is_refused = code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAUTHENTICATED)
    return REFUSED_PAUSE_SECONDS if is_refused else 0.0
