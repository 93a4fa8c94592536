"""A plain Tradovate client over real sockets, as a third party would write it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Self

import requests
import websocket

from brokers.sandbox.testing import RunningSandbox, SandboxAccount

PATIENCE_SECONDS = 5.0
Row = dict[str, Any]


class VenueClient:
    """One login with its token and, after ``connect``, one socket. ``events`` collects all props received."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount) -> None:
        self.sandbox = sandbox
        self.account = account
        self.http = requests.Session()
        self.session: Row = self.rest(
            "auth/accesstokenrequest", {"name": account.username, "password": account.password}
        ).json()
        self.http.headers["Authorization"] = f"Bearer {self.session['accessToken']}"
        self.socket: websocket.WebSocket | None = None
        self.symbol: str = self.read("contract/suggest", t="MNQ", l=1)[0]["name"]
        self.events: list[Row] = []
        self.replies: dict[int, Row] = {}
        self._next_id = 10

    def rest(self, path: str, body: Row | None = None, **query: object) -> requests.Response:
        url = f"{self.sandbox.rest_url}/{path}"
        if body is None:
            return self.http.get(url, params=query, timeout=PATIENCE_SECONDS)
        return self.http.post(url, json=body, timeout=PATIENCE_SECONDS)

    def read(self, path: str, **query: object) -> Any:
        response = self.rest(path, **query)
        response.raise_for_status()
        return response.json()

    def connect(self) -> Self:
        self.socket = websocket.create_connection(self.sandbox.ws_url, timeout=PATIENCE_SECONDS)
        assert self.socket.recv() == "o"
        assert self.request("authorize", self.session["accessToken"])["s"] == 200
        assert self.request("user/syncrequest", {"users": [self.session["userId"]]})["s"] == 200
        self.until("userSessionStats")
        self.events.clear()
        return self

    def send(self, endpoint: str, body: Row | str = "", query: str = "") -> int:
        assert self.socket is not None
        self._next_id += 1
        text = body if isinstance(body, str) else json.dumps(body)
        self.socket.send(f"{endpoint}\n{self._next_id}\n{query}\n{text}")
        return self._next_id

    def request(self, endpoint: str, body: Row | str = "", query: str = "") -> Row:
        number = self.send(endpoint, body, query)
        self.wait(lambda: number in self.replies, f"reply to {endpoint}")
        return self.replies.pop(number)

    def wait(self, happened: Callable[[], object], what: str) -> None:
        """Read frames until ``happened``."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < until, f"no {what}"
            self.receive()

    def receive(self) -> None:
        assert self.socket is not None
        frame = self.socket.recv()
        if not isinstance(frame, str) or not frame.startswith("a"):
            return
        for message in json.loads(frame[1:]):
            if "i" in message:
                self.replies[message["i"]] = message
            else:
                self.events.append(message)

    def until(self, entity_type: str, **wanted: object) -> Row:
        """Wait for a props event whose entity has these values; the entity."""

        def found() -> Row | None:
            matching = (row for row in self.rows(entity_type) if wanted.items() <= row.items())
            return next(matching, None)

        self.wait(found, f"{entity_type} {wanted}")
        row = found()
        assert row is not None
        return row

    def rows(self, entity_type: str) -> list[Row]:
        props = [event["d"] for event in self.events if event["e"] == "props"]
        return [d["entity"] for d in props if d["entityType"] == entity_type]

    def order(self, action: str, qty: int = 1, order_type: str = "Market", **fields: object) -> Row:
        """Body of placeorder for MNQ's front month."""
        return {
            "accountSpec": self.account.name,
            "accountId": self.account.id,
            "action": action,
            "symbol": self.symbol,
            "orderQty": qty,
            "orderType": order_type,
            "isAutomated": True,
            **fields,
        }

    def strategy(self, action: str, entry: Row, brackets: list[Row], **fields: object) -> Row:
        """Body of startorderstrategy."""
        return {
            "accountId": self.account.id,
            "accountSpec": self.account.name,
            "symbol": self.symbol,
            "orderStrategyTypeId": 2,
            "action": action,
            "params": json.dumps({"entryVersion": entry, "brackets": brackets}),
            "isAutomated": True,
            **fields,
        }

    def start(self, action: str, entry: Row, brackets: list[Row]) -> int:
        """Start a strategy over the socket; its id."""
        reply = self.request("orderStrategy/startOrderStrategy", self.strategy(action, entry, brackets))
        assert reply["s"] == 200, reply
        strategy_id: int = reply["d"]["orderStrategy"]["id"]
        return strategy_id

    def state(self) -> Row:
        return self.sandbox.account_state(self.account.id)

    def net_position(self) -> int:
        return sum(position["netPos"] for position in self.state()["positions"])

    def working(self) -> list[tuple[str, str, float | None]]:
        """(action, order type, price or stop price) of each working order."""
        return sorted(
            (o["action"], o["orderType"], o["price"] if o["price"] is not None else o["stopPrice"])
            for o in self.state()["workingOrders"]
        )

    def close(self) -> None:
        self.http.close()
        if self.socket is not None:
            self.socket.close()
