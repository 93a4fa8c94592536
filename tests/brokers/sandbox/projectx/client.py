"""A plain ProjectX client over real sockets, as a third party would write it; every reply is held to its schema."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import requests
import websocket
from jsonschema import Draft202012Validator

from brokers.sandbox.testing import RunningSandbox, SandboxAccount

PATIENCE_SECONDS = 5.0
END = "\x1e"
BUY, SELL = 0, 1
LIMIT, MARKET, STOP_LIMIT, STOP, TRAILING_STOP, JOIN_BID, JOIN_ASK = range(1, 8)
OPEN, FILLED, CANCELED, EXPIRED, REJECTED, PENDING, SUSPENDED = 1, 2, 3, 4, 5, 6, 8
LONG_AGO = "2020-01-01T00:00:00Z"
SCHEMAS = json.loads(Path(__file__).with_name("schemas.json").read_text())
EVENTS = {
    "GatewayUserAccount": "Account",
    "GatewayUserOrder": "HubOrder",
    "GatewayUserPosition": "Position",
    "GatewayUserTrade": "HubTrade",
}
Row = dict[str, Any]


def conforms(document: Any, name: str) -> None:
    schema = {**SCHEMAS["$defs"][name], "$defs": SCHEMAS["$defs"]}
    Draft202012Validator(schema).validate(document)


def poll(happened: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.005)


class Hub:
    """One hub connection, past its handshake. ``events`` are invocations received: (target, arguments)."""

    def __init__(self, url: str, token: str | None, *, handshake: str = '{"protocol":"json","version":1}') -> None:
        address = url if token is None else f"{url}{'&' if '?' in url else '?'}access_token={token}"
        self.socket = websocket.create_connection(address, timeout=PATIENCE_SECONDS)
        self.socket.send(handshake + END)
        self._rest = ""
        self.frames: list[str] = []
        self.messages: list[Row] = []
        self.completions: dict[str, Row] = {}
        self.events: list[tuple[str, list[Any]]] = []
        self._ids = itertools.count(1)
        self.wait(lambda: self.messages, "handshake")
        self.greeting = self.messages.pop(0)

    def send(self, *messages: Row) -> None:
        self.socket.send("".join(json.dumps(message) + END for message in messages))

    def start(self, target: str, *arguments: Any) -> str:
        """Invoke with an id, not waiting; the id."""
        number = str(next(self._ids))
        self.send({"type": 1, "invocationId": number, "target": target, "arguments": list(arguments)})
        return number

    def invoke(self, target: str, *arguments: Any) -> Row:
        """Invoke and wait for the completion."""
        number = self.start(target, *arguments)
        self.wait(lambda: number in self.completions, f"completion of {target}")
        return self.completions.pop(number)

    def subscribe(self, account_id: int) -> Self:
        assert "error" not in self.invoke("SubscribeAccounts")
        for kind in ("Orders", "Positions", "Trades"):
            assert "error" not in self.invoke(f"Subscribe{kind}", account_id)
        return self

    def wait(self, happened: Callable[[], object], what: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < until, f"no {what}"
            self.receive()

    def receive(self) -> None:
        frame = self.socket.recv()
        assert isinstance(frame, str)
        self.frames.append(frame)
        *whole, self._rest = (self._rest + frame).split(END)
        for record in whole:
            self._take(json.loads(record))

    def _take(self, message: Row) -> None:
        kind = message.get("type")
        if kind == 3:
            self.completions[message["invocationId"]] = message
        elif kind == 1:
            assert set(message) == {"type", "target", "arguments"}
            self.events.append((message["target"], message["arguments"]))
        else:
            self.messages.append(message)

    def rows(self, target: str) -> list[Row]:
        """Data of the user events of a target, unwrapped and held to their schema."""
        found = [arguments[0].get("data", arguments[0]) for name, arguments in self.events if name == target]
        for row in found:
            conforms(row, EVENTS[target])
        return found

    def until(self, target: str, **wanted: Any) -> Row:
        """Wait for a user event whose row has these values."""

        def found() -> Row | None:
            return next((row for row in self.rows(target) if wanted.items() <= row.items()), None)

        self.wait(found, f"{target} {wanted}")
        row = found()
        assert row is not None
        return row

    def market_rows(self, target: str) -> list[Any]:
        return [arguments[1] for name, arguments in self.events if name == target]

    def close(self) -> None:
        self.socket.close()


class Client:
    """One login with its token; ``hub`` opens connections."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount) -> None:
        self.sandbox = sandbox
        self.account = account
        self.http = requests.Session()
        self.hubs: list[Hub] = []
        self.token: str = self.log_in()["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self.contract_id = self.contract("MNQ")["id"]

    def log_in(self) -> Row:
        return self.call("Auth/loginKey", userName=self.account.username, apiKey=self.account.password)

    def post(self, path: str, body: object = None, **headers: str) -> requests.Response:
        url = f"{self.sandbox.rest_url}/api/{path}"
        return self.http.post(url, json=body, timeout=PATIENCE_SECONDS, headers=headers)

    def call(self, path: str, **body: Any) -> Row:
        """A reply of HTTP 200, held to its schema."""
        response = self.post(path, body)
        assert response.status_code == 200, (response.status_code, response.text)
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        reply: Row = response.json()
        conforms(reply, path)
        return reply

    def mine(self, path: str, **body: Any) -> Row:
        """A call about the own account."""
        return self.call(path, accountId=self.account.id, **body)

    def contract(self, root: str) -> Row:
        """The front month whose symbol is exactly this root's."""
        found = self.call("Contract/search", searchText=root, live=False)["contracts"]
        exact = [row for row in found if row["name"][:-2] == root and row["activeContract"]]
        assert len(exact) == 1, found
        row: Row = exact[0]
        return row

    def place(self, side: int, size: int = 1, order_type: int = MARKET, **fields: Any) -> Row:
        order = {"contractId": self.contract_id, "type": order_type, "side": side, "size": size} | fields
        return self.mine("Order/place", **order)

    def placed(self, side: int, size: int = 1, order_type: int = MARKET, **fields: Any) -> int:
        reply = self.place(side, size, order_type, **fields)
        assert reply["success"], reply
        number: int = reply["orderId"]
        return number

    def order(self, order_id: int) -> Row:
        row: Row = self.mine("Order/searchById", orderId=order_id)["order"]
        return row

    def orders(self) -> list[Row]:
        rows: list[Row] = self.mine("Order/search", startTimestamp=LONG_AGO)["orders"]
        return rows

    def open_orders(self) -> list[Row]:
        rows: list[Row] = self.mine("Order/searchOpen")["orders"]
        return rows

    def trades(self) -> list[Row]:
        rows: list[Row] = self.mine("Trade/search", startTimestamp=LONG_AGO)["trades"]
        return rows

    def positions(self) -> list[tuple[int, int, float]]:
        """(type, size, average price) of each."""
        rows = self.mine("Position/searchOpen")["positions"]
        return [(row["type"], row["size"], row["averagePrice"]) for row in rows]

    def balance(self) -> float:
        value: float = self.call("Account/search", onlyActiveAccounts=True)["accounts"][0]["balance"]
        return value

    def state(self) -> Row:
        return self.sandbox.account_state(self.account.id)

    def net(self) -> int:
        return sum(position["netPos"] for position in self.state()["positions"])

    def hub(self, name: str = "user") -> Hub:
        url = self.sandbox.ws_url if name == "user" else self.sandbox.md_url
        hub = Hub(url, self.token)
        self.hubs.append(hub)
        return hub

    def user_hub(self) -> Hub:
        """A user hub that gets everything of the account."""
        return self.hub().subscribe(self.account.id)

    def close(self) -> None:
        self.http.close()
        for hub in self.hubs:
            hub.close()
