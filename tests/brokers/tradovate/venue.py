"""A Tradovate whose every frame a test writes itself, and a connection to it whose every event a test sees."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson

from brokers.access import Access, Budget, Credentials, Endpoints, Unlimited
from brokers.base import AccountRef, ConnectionState, Sink
from brokers.connector import Backoff
from brokers.reports import ConnectionReport, Event
from brokers.streams import StreamLoop
from brokers.tradovate.adapter import TradovateConnection
from brokers.tradovate.contracts import ContractBook
from brokers.venue import Connect
from tests.brokers.scripted import Answer, Peer, RestServer, SocketServer, until
from tests.brokers.tradovate.stores import MemoryStore

ACCOUNT = AccountRef("5001", "DEMO70001")
SNAPSHOT: dict[str, Any] = {
    "users": [{"id": 70001, "name": "trader1"}],
    "accounts": [{"id": 5001, "name": "DEMO70001", "userId": 70001, "active": True}],
    "contracts": [{"id": 43, "name": "MNQZ6"}],
    "contractGroups": [],
}
_E = TypeVar("_E")


class Venue:
    """`rest` maps a path to its answer, or to a callable; sign-in and renewal work unless overridden."""

    def __init__(self) -> None:
        self.rest: dict[str, Answer | Callable[[bytes, dict[str, str]], Answer | None]] = {}
        self.user_id: int | None = 70001
        self._serial = itertools.count(1)
        self.socket = SocketServer()
        self.rest_server = RestServer(self._answer)

    def _answer(self, _method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        path = path.removeprefix("/v1/")
        scripted = self.rest.get(path, self.rest.get(path.split("?")[0]))
        if callable(scripted):
            return scripted(body, headers)
        if scripted is not None:
            return scripted
        if path in ("auth/accesstokenrequest", "auth/renewaccesstoken"):
            return 200, self._token()
        return 404, b""

    def _token(self) -> bytes:
        until_ = (datetime.now(UTC) + timedelta(minutes=80)).isoformat().replace("+00:00", "Z")
        user = {} if self.user_id is None else {"userId": self.user_id}
        return orjson.dumps({"accessToken": f"token-{next(self._serial)}", "expirationTime": until_, **user})

    def paths(self) -> list[str]:
        return [path.removeprefix("/v1/") for path in self.rest_server.paths()]

    def close(self) -> None:
        self.socket.close()
        self.rest_server.close()


class Line:
    """One upgraded socket of the venue, speaking its framing."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def expect(self, endpoint: str) -> tuple[int, str, str]:
        """Id, query and body of the next request, which must go to this endpoint."""
        name, request_id, query, body = self.peer.receive().split("\n", 3)
        assert name == endpoint
        return int(request_id), query, body

    def reply(self, request_id: int, payload: Any = None, status: int = 200) -> None:
        message = {"s": status, "i": request_id}
        if payload is not None:
            message["d"] = payload
        self.say(message)

    def say(self, *messages: Any) -> None:
        self.peer.send(b"a" + orjson.dumps(messages))

    def event(self, entity_type: str, entity: Any, event_type: str = "Created") -> None:
        self.say(props(entity_type, entity, event_type))

    def sign_in(self, snapshot: dict[str, Any] | None = None) -> None:
        """The whole opening of a session."""
        self.peer.send("o")
        self.reply(self.expect("authorize")[0])
        self.reply(self.expect("user/syncrequest")[0], snapshot or SNAPSHOT)


def props(entity_type: str, entity: Any, event_type: str = "Created") -> dict[str, Any]:
    return {"e": "props", "d": {"entityType": entity_type, "eventType": event_type, "entity": entity}}


class Client:
    """A connection with its own loop; keeps every event it is told."""

    def __init__(
        self,
        rest_url: str,
        ws_url: str,
        *,
        username: str = "trader1",
        password: str = "pw",  # noqa: S107
        budget: Budget | None = None,
        connect: Connect | None = None,
    ) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self.loop = StreamLoop(backoff=Backoff(first=0.01, most=0.05))
        self.loop.start()
        self.store = MemoryStore()
        credentials = Credentials("tradovate", "demo", username, "device-1", {"password": password})
        self.access = Access(credentials, Endpoints(rest_url, ws_url), self.store, budget or Unlimited())
        self.connection = (connect or _connect_alone)(1, self.access, self._sink, self.loop)

    def _sink(self, login_id: int, events: Sequence[Event]) -> None:
        assert login_id == 1
        with self._lock:
            self.events.extend(events)

    def heard(self, kind: type[_E]) -> list[_E]:
        with self._lock:
            return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind: type[_E], count: int = 1, seconds: float = 5.0) -> list[_E]:
        """The events of this kind, as soon as there are `count`."""
        until(lambda: len(self.heard(kind)) >= count, seconds)
        return self.heard(kind)

    def wait_state(self, state: ConnectionState, seconds: float = 5.0) -> None:
        until(lambda: self.connection.state is state, seconds)

    def states(self) -> list[ConnectionState]:
        return [report.state for report in self.heard(ConnectionReport)]

    def close(self) -> None:
        self.connection.stop()
        self.loop.stop()


def _connect_alone(login_id: int, access: Access, sink: Sink, loop: StreamLoop) -> TradovateConnection:
    """With a contract book of its own, so that no test learns from another's venue."""
    return TradovateConnection(login_id, access, sink, loop, ContractBook())


def opened(venue: Venue, client: Client) -> Line:
    client.connection.start()
    return Line(venue.socket.accepted())


def live(venue: Venue, client: Client, snapshot: dict[str, Any] | None = None) -> Line:
    line = opened(venue, client)
    line.sign_in(snapshot)
    client.wait_state(ConnectionState.LIVE)
    return line
