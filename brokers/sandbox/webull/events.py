"""The trade events port: gRPC ``EventService/Subscribe``, one live stream per app key (wire facts, 8)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc
import orjson

from brokers.sandbox.webull import messages, signature
from brokers.sandbox.webull.books import Account, Login
from brokers.sandbox.webull.protobuf import MalformedError
from brokers.sandbox.webull.wire import Row, now_ms

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

GRACE_SECONDS = 0.2
SHORTEST_PING_SECONDS = 0.05
_SECOND_STREAM = "already has an active subscription"
_METADATA = (*signature.SIGNED_HEADERS, signature.SIGNATURE)


class Stream:
    """One subscription. ``ended`` is put last; ``silent`` keeps it open and sends nothing any more."""

    def __init__(self, login: Login, accounts: tuple[str, ...]) -> None:
        self.login = login
        self.accounts = accounts
        self.silent = False
        self.request_id = uuid.uuid4().hex
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, event_type: int, content_type: str = messages.TEXT, payload: str = "") -> bytes:
        return messages.subscribe_response(event_type, content_type, payload, self.request_id, now_ms())

    def deliver(self, event: Row) -> None:
        self.queue.put_nowait(self.say(messages.ORDER_EVENT, messages.JSON, orjson.dumps(event).decode()))

    def end(self) -> None:
        self.queue.put_nowait(None)


class EventsPort(grpc.GenericRpcHandler):
    """Handles the one method there is."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._server: Any = None
        self.streams: list[Stream] = []

    async def start(self, host: str, port: int) -> int:
        """The port that was taken. Raises OSError when it is not free."""
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        self._server.add_generic_rpc_handlers((self,))
        try:
            taken = int(self._server.add_insecure_port(f"{host}:{port}"))
        except RuntimeError as refused:
            raise OSError(f"port {port} is not free") from refused
        await self._server.start()
        return taken

    async def stop(self) -> None:
        for stream in self.streams:
            stream.end()
        if self._server is not None:
            await self._server.stop(GRACE_SECONDS)

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != messages.SUBSCRIBE_METHOD:
            return None
        return grpc.unary_stream_rpc_method_handler(self._subscribe)

    def of_login(self, login: Login | None) -> list[Stream]:
        """Streams of a login; None for all."""
        return [stream for stream in self.streams if login is None or stream.login is login]

    def tell(self, account: Account, event: Row) -> None:
        if self._venue.is_silenced(account):
            return
        for stream in self.of_login(account.login):
            if account.account_id in stream.accounts:
                stream.deliver(event)

    async def _subscribe(self, raw: bytes, context: Any) -> AsyncIterator[bytes]:
        metadata = {str(name): str(value) for name, value in context.invocation_metadata()}
        app_key = metadata.get("x-app-key")
        self._venue.arrivals.note(messages.SUBSCRIBE_METHOD.strip("/").lower(), "grpc", app_key)
        faults = self._venue.faults
        if faults.holds("refuse_connections", None) or faults.holds("refuse_connections", app_key):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection refused")
        login, wanted = self._signer(metadata, raw), _parse(raw)
        if login is None or wanted is None or not wanted.accounts:
            yield messages.subscribe_response(messages.AUTH_ERROR, messages.TEXT, "", uuid.uuid4().hex, now_ms())
            return
        stream = Stream(login, wanted.accounts if wanted.subscribe_type & messages.ORDERS else ())
        if not all(login.account(name) for name in wanted.accounts):
            yield stream.say(messages.AUTH_ERROR)
            return
        if self.of_login(login):
            if self._venue.switches.second_stream == "event":
                yield stream.say(messages.NUM_OF_CONN_EXCEED)
                return
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{login.username} {_SECOND_STREAM}")
        async for message in self._run(stream):
            yield message
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the stream was ended")

    async def _run(self, stream: Stream) -> AsyncIterator[bytes]:
        self.streams.append(stream)
        try:
            yield stream.say(messages.SUBSCRIBE_SUCCESS)
            while True:
                message = await self._next(stream)
                if message is None:
                    return
                if not stream.silent:
                    yield message
        finally:
            self.streams.remove(stream)

    async def _next(self, stream: Stream) -> bytes | None:
        pause = max(self._venue.switches.ping_seconds, SHORTEST_PING_SECONDS)
        try:
            return await asyncio.wait_for(stream.queue.get(), pause)
        except TimeoutError:
            return stream.say(messages.PING)

    def _signer(self, metadata: dict[str, str], raw: bytes) -> Login | None:
        """The login whose secret signed the subscription; None when nobody did, or a fault says so."""
        if any(name not in metadata for name in _METADATA) or metadata[signature.ALGORITHM] not in signature.ALGORITHMS:
            return None
        login = self._venue.logins.get(metadata["x-app-key"])
        if login is None or self._venue.faults.holds("bad_login", login.username):
            return None
        expected = signature.grpc_signature(login.password, metadata, raw)
        if not signature.matches(expected, metadata[signature.SIGNATURE]):
            return None
        problem = self._venue.freshness_problem(login, metadata["x-timestamp"], metadata["x-signature-nonce"])
        return login if problem is None else None


def _parse(raw: bytes) -> messages.SubscribeRequest | None:
    try:
        return messages.SubscribeRequest.parse(raw)
    except MalformedError:
        return None
