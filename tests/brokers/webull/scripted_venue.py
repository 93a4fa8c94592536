"""A Webull whose every answer a test writes itself, and an access to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from brokers.access import Access, Credentials, Endpoints, Priority, Token
from brokers.errors import RateLimited
from tests.brokers.scripted import Answer, RestServer
from tests.brokers.tradovate.stores import MemoryStore

APP_KEY, APP_SECRET = "app-key-of-a-test", "app-secret-of-a-test"
NOWHERE = "127.0.0.1:9"
Reply = Answer | Callable[[Any, dict[str, str]], Answer | None] | None


class ScriptedVenue:
    """`answers` maps a path to its answer, or to a callable of the decoded body and the headers."""

    def __init__(self, *, token_check: bool = False) -> None:
        self.answers: dict[str, Reply] = {"/openapi/config": ok({"token_check_enabled": token_check})}
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self.server = RestServer(self._answer)
        self.url = self.server.url.removesuffix("/v1")

    def access(self, store: MemoryStore | None = None, budget: CountingBudget | None = None) -> Access:
        credentials = Credentials("webull", "sandbox", APP_KEY, "device-1", {"password": APP_SECRET})
        endpoints = Endpoints(self.url, NOWHERE, NOWHERE)
        return Access(credentials, endpoints, store or MemoryStore(), budget or CountingBudget())

    def asked(self, path: str) -> int:
        return sum(1 for _, asked, _ in self.server.requests if asked.partition("?")[0] == path)

    def _answer(self, _method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        with self._lock:
            self.headers.append(headers)
        reply = self.answers.get(path.partition("?")[0], refusal("NOT_SCRIPTED"))
        return reply(orjson.loads(body) if body else None, headers) if callable(reply) else reply

    def close(self) -> None:
        self.server.close()


class CountingBudget:
    """Notes what was spent; `empty` are the endpoints that have nothing left, and for which priorities."""

    def __init__(self, empty: dict[str, Priority] | None = None) -> None:
        self.spent: list[tuple[Priority, str]] = []
        self.penalties: list[datetime] = []
        self.empty = empty or {}

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        if endpoint in self.empty and priority >= self.empty[endpoint]:
            raise RateLimited(datetime.fromisoformat("2999-01-01T00:00:00+00:00"), f"nothing left for {endpoint}")
        self.spent.append((priority, endpoint))

    def penalise(self, until: datetime) -> None:
        self.penalties.append(until)


def ok(payload: Any) -> Answer:
    return 200, orjson.dumps(payload)


def refusal(code: str, message: str = "no", status: int = 417) -> Answer:
    return status, orjson.dumps({"error_code": code, "message": message})


def token_row(token: str, status: str = "NORMAL", expires: int = 4_000_000_000_000) -> Answer:
    return ok({"token": token, "expires": expires, "expires_at": expires, "status": status})


def stored(token: str) -> MemoryStore:
    return MemoryStore(Token(token, datetime.fromisoformat("2099-01-01T00:00:00+00:00")))


FUTURES_ROW = {
    "user_id": "1",
    "account_id": "F1",
    "account_number": "TEST0001",
    "account_type": "MARGIN",
    "account_label": "Futures",
    "account_class": "FUTURES",
}
