"""A Gateway whose every answer a test writes itself, over real sockets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from threading import Event as Flag
from typing import Any

import orjson

from brokers.access import Endpoints
from brokers.base import AccountRef, ConnectionState
from tests.brokers.projectx import frames
from tests.brokers.projectx.trader import Client, Trader
from tests.brokers.scripted import Answer, Peer, RestServer, SocketServer

Scripted = Answer | Callable[[dict[str, Any], dict[str, str]], Answer | None]
SEPARATOR = b"\x1e"


class Venue:
    """`rest` maps an endpoint, such as `Order/place`, to its answer or to a callable; the books start out empty."""

    def __init__(self) -> None:
        self.rest: dict[str, Scripted] = {}
        self.accounts = [frames.account()]
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.contracts = [frames.contract()]
        self._serial = itertools.count(1)
        self.socket = SocketServer()
        self.rest_server = RestServer(self._answer)
        # Its answers have a head and a body: without this each would wait 40 ms for the client's acknowledgement.
        self.rest_server._server.RequestHandlerClass.disable_nagle_algorithm = True  # type: ignore[attr-defined]

    def _answer(self, _method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        endpoint = path.rsplit("/api/", maxsplit=1)[-1]
        fields = orjson.loads(body) if body else {}
        scripted = self.rest.get(endpoint)
        if callable(scripted):
            return scripted(fields, headers)
        return scripted if scripted is not None else (200, self._usual(endpoint, fields))

    def _usual(self, endpoint: str, fields: dict[str, Any]) -> bytes:
        if endpoint == "Auth/loginKey":
            return frames.ok(token=frames.jwt(next(self._serial)))
        if endpoint == "Order/searchOpen":
            return frames.ok(orders=[order for order in self.orders if order["status"] == 1])
        if endpoint == "Order/searchById":
            found = [order for order in self.orders if order["id"] == fields["orderId"]]
            return frames.ok(order=found[0]) if found else frames.failure(1, order=None)
        if endpoint == "Contract/searchById":
            listed = [row for row in self.contracts if row["id"] == fields["contractId"]]
            return frames.ok(contract=listed[0]) if listed else frames.failure(1, contract=None)
        rows = {
            "Account/search": {"accounts": self.accounts},
            "Order/search": {"orders": self.orders},
            "Trade/search": {"trades": self.trades},
            "Position/searchOpen": {"positions": self.positions},
            "Contract/search": {"contracts": self.contracts},
            "Contract/available": {"contracts": self.contracts},
        }
        return frames.ok(**rows.get(endpoint, {}))

    def calls(self, endpoint: str) -> list[dict[str, Any]]:
        """The bodies that this endpoint was sent."""
        return [orjson.loads(body or b"{}") for _, path, body in self.rest_server.requests if path.endswith(endpoint)]

    def endpoints(self) -> Endpoints:
        rest_url = self.rest_server.url.removesuffix("/v1")
        hub = self.socket.url.removesuffix("/v1/websocket")
        return Endpoints(rest_url, f"{hub}/hubs/user", f"{hub}/hubs/market")

    def close(self) -> None:
        self.socket.close()
        self.rest_server.close()


class Gate:
    """Holds the answers of an endpoint back until opened."""

    def __init__(self, venue: Venue, endpoint: str) -> None:
        self.reached, self.open = Flag(), Flag()
        self._usual = venue._usual
        self._endpoint = endpoint
        venue.rest[endpoint] = self._answer

    def _answer(self, fields: dict[str, Any], _headers: dict[str, str]) -> Answer:
        answer = self._usual(self._endpoint, fields)
        self.reached.set()
        assert self.open.wait(5)
        return 200, answer


class Line:
    """One upgraded socket of the hub, speaking SignalR."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def receive(self) -> dict[str, Any]:
        """The client's next record that is no ping."""
        while True:
            record: dict[str, Any] = json.loads(self.peer.receive().rstrip("\x1e"))
            if record.get("type") != 6:
                return record

    def say(self, *records: Any) -> None:
        self.peer.send(b"".join(orjson.dumps(record) + SEPARATOR for record in records))

    def event(self, target: str, data: Any, action: int = 1) -> None:
        self.say({"type": 1, "target": target, "arguments": [{"action": action, "data": data}]})

    def shake_hands(self) -> None:
        assert self.receive() == {"protocol": "json", "version": 1}
        self.say({})

    def expect(self, target: str, *arguments: Any) -> None:
        """The next invocation, which is answered."""
        record = self.receive()
        assert (record["target"], record["arguments"]) == (target, list(arguments))
        self.say({"type": 3, "invocationId": record["invocationId"], "result": None})

    def subscribe(self, account_id: int = frames.ACCOUNT_ID) -> None:
        self.expect("SubscribeAccounts")
        for target in ("SubscribeOrders", "SubscribePositions", "SubscribeTrades"):
            self.expect(target, account_id)


def trader_of(venue: Venue) -> Trader:
    client = Client(venue.endpoints(), "trader1", "the-api-key")
    return Trader(client, AccountRef(str(frames.ACCOUNT_ID), frames.ACCOUNT_NAME))


def opened(venue: Venue, trader: Trader) -> Line:
    trader.client.connection.start()
    return Line(venue.socket.accepted())


def live(venue: Venue, trader: Trader) -> Line:
    line = opened(venue, trader)
    line.shake_hands()
    line.subscribe()
    trader.client.wait_state(ConnectionState.LIVE)
    return line
