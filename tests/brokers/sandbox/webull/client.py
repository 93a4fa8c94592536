"""A plain Webull client over real HTTP, with a signer of its own, as a third party would write it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests

from brokers.sandbox.testing import RunningSandbox, SandboxAccount

PATIENCE_SECONDS = 5.0
HASHES = {"HMAC-SHA256": (hashlib.sha256, hashlib.sha256), "HMAC-SHA1": (hashlib.sha1, hashlib.md5)}
DONE = frozenset({"FILLED", "CANCELLED", "FAILED"})
NEW_TOKEN = "new"
Row = dict[str, Any]


def new_id() -> str:
    return uuid.uuid4().hex


def signed_headers(key: str, algorithm: str = "HMAC-SHA256") -> dict[str, str]:
    return {
        "x-app-key": key,
        "x-timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-signature-version": "1.0",
        "x-signature-algorithm": algorithm,
        "x-signature-nonce": new_id(),
    }


def encoded_mac(secret: str, algorithm: str, text: str) -> str:
    mac = hmac.new(f"{secret}&".encode(), quote(text, safe="").encode(), HASHES[algorithm][0])
    return base64.b64encode(mac.digest()).decode()


class VenueClient:
    """One app key. ``futures`` and ``margin`` are its account ids; NEW_TOKEN has a token made first."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.account = account
        self.http = requests.Session()
        self.algorithm = "HMAC-SHA256"
        self.version = "v3"
        self.token = token
        self.patience = PATIENCE_SECONDS
        if token == NEW_TOKEN:
            self.token = self.post("/auth/tokens/create").json()["token"]
        listed = {row["account_class"]: row["account_id"] for row in self.read("/trading/accounts/list")}
        self.futures, self.margin = listed["FUTURES"], listed["INDIVIDUAL_MARGIN"]

    def front(self, root: str) -> str:
        """The symbol of a future's first live month."""
        listed = self.read("/trading/instruments/futures/contracts/list", category="US_FUTURES", code=root)
        return str(listed[0]["symbol"])

    def send(self, method: str, path: str, body: Row | None = None, **query: object) -> requests.Response:
        """Sign and send. ``host`` in the query is no parameter but what is signed as the host."""
        host = str(query.pop("host", urlsplit(self.sandbox.rest_url).netloc))
        params = {name: str(value) for name, value in query.items()}
        raw = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = signed_headers(self.account.username, self.algorithm)
        pairs = sorted({**headers, **params, "host": host}.items())
        text = f"{path}&" + "&".join(f"{name}={value}" for name, value in pairs)
        if raw:
            text += "&" + HASHES[self.algorithm][1](raw).hexdigest().upper()
        headers["x-signature"] = encoded_mac(self.account.password, self.algorithm, text)
        headers |= {"x-version": self.version} | ({} if self.token is None else {"x-access-token": self.token})
        url = self.sandbox.rest_url + path + (f"?{urlencode(params)}" if params else "")
        return self.http.request(method, url, data=raw, headers=headers, timeout=self.patience)

    def get(self, path: str, **query: object) -> requests.Response:
        return self.send("GET", path, **query)

    def post(self, path: str, **body: object) -> requests.Response:
        return self.send("POST", path, body)

    def read(self, path: str, **query: object) -> Any:
        response = self.get(path, **query)
        assert response.status_code == 200, (path, response.text)
        return response.json()

    def place(self, *orders: Row, account_id: str | None = None, **fields: object) -> requests.Response:
        account = account_id or (self.futures if orders[0]["instrument_type"] == "FUTURES" else self.margin)
        return self.post("/trading/orders/place", account_id=account, new_orders=list(orders), **fields)

    def placed(self, *orders: Row, **fields: object) -> str:
        """The client_order_id of the first order, which must be accepted."""
        response = self.place(*orders, **fields)
        assert response.status_code == 200, response.text
        return str(orders[0]["client_order_id"])

    def detail(self, client_order_id: str, account_id: str | None = None) -> Row:
        path = "/trading/orders/get"
        group = self.read(path, account_id=account_id or self.futures, client_order_id=client_order_id)
        found: Row = next(order for order in group["orders"] if order["client_order_id"] == client_order_id)
        return found

    def status(self, client_order_id: str, account_id: str | None = None) -> str:
        return str(self.detail(client_order_id, account_id)["status"])

    def becomes(self, client_order_id: str, status: str, account_id: str | None = None) -> Row:
        """Wait for the order to have this status; the order."""
        until(lambda: self.status(client_order_id, account_id) == status, f"{client_order_id} {status}")
        return self.detail(client_order_id, account_id)

    def cancel(self, client_order_id: str, account_id: str | None = None) -> requests.Response:
        fields = {"account_id": account_id or self.futures, "client_order_id": client_order_id}
        return self.post("/trading/orders/cancel", **fields)

    def state(self, account_class: str = "FUTURES") -> Row:
        mine = [row for row in self.sandbox.state() if row["username"] == self.account.username]
        found: Row = next(row for row in mine if row["name"].startswith(f"{account_class}-"))
        return found

    def net_position(self, account_class: str = "FUTURES") -> int:
        return sum(position["netPos"] for position in self.state(account_class)["positions"])

    def close(self) -> None:
        self.http.close()


def until(happened: Callable[[], object], what: str) -> None:
    """Poll until ``happened``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.005)


def future(symbol: str, side: str = "BUY", order_type: str = "MARKET", qty: int = 1, **fields: object) -> Row:
    return {
        "client_order_id": new_id(),
        "combo_type": "NORMAL",
        "symbol": symbol,
        "instrument_type": "FUTURES",
        "market": "US",
        "side": side,
        "order_type": order_type,
        "quantity": str(qty),
        "entrust_type": "QTY",
        "time_in_force": "DAY",
        **fields,
    }


def stock(symbol: str, side: str = "BUY", order_type: str = "MARKET", qty: int = 10, **fields: object) -> Row:
    extra = {"instrument_type": "EQUITY", "support_trading_session": "CORE"}
    return future(symbol, side, order_type, qty, **{**extra, **fields})


def option(contract: Row, side: str = "BUY", order_type: str = "LIMIT", qty: int = 1, **fields: object) -> Row:
    """``contract`` is a row of the option contracts list."""
    leg = {
        "side": side,
        "quantity": str(qty),
        "symbol": contract["underlying_symbol"],
        "strike_price": contract["strike_price"],
        "option_expire_date": contract["expiration_date"],
        "instrument_type": "OPTION",
        "option_type": contract["option_type"],
        "market": "US",
    }
    extra = {"instrument_type": "OPTION", "option_strategy": "SINGLE", "legs": [leg]}
    return future(contract["underlying_symbol"], side, order_type, qty, **{**extra, **fields})
