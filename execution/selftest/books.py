"""The venue's own books, over the sandbox's control interface, and a watch over every position in them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

CONTROL_TIMEOUT_S = 10
SAMPLE_EVERY_S = 0.25
UNPROTECTED_BOUND_S = 5.0


@dataclass(frozen=True, slots=True)
class AccountBook:
    """One account as the venue sees it. `entries` counts each id that we sent; `nameless` are orders without one."""

    broker_id: str
    positions: dict[str, int]
    working: list[dict[str, Any]]
    entries: list[dict[str, Any]]

    def client_ids(self, since: int = 0) -> Counter[str]:
        """How often each client order id, or strategy uuid, stands in the book after its first `since` entries."""
        names = (entry["uuid"] or entry["clOrdId"] for entry in self.entries[since:] if entry["kind"] != "liquidation")
        return Counter(name for name in names if name is not None)

    def stop_coverage(self, symbol: str) -> int:
        """Contracts of the position that working stops on its closing side cover."""
        closing = "Sell" if self.positions.get(symbol, 0) > 0 else "Buy"
        return sum(
            int(order["qty"])
            for order in self.working
            if order["symbol"] == symbol and order["action"] == closing and "Stop" in order["orderType"]
        )

    def is_exposed(self) -> bool:
        return any(self.stop_coverage(symbol) < abs(net) for symbol, net in self.positions.items())


class Venue:
    """The sandbox's control interface."""

    def __init__(self, control_url: str) -> None:
        self._control_url = control_url

    def books(self) -> dict[str, AccountBook]:
        """By broker account id. Raises requests.RequestException."""
        answer = requests.get(f"{self._control_url}/state", timeout=CONTROL_TIMEOUT_S)
        answer.raise_for_status()
        return {str(row["id"]): _book(row) for row in answer.json()["tradovate"]["accounts"]}

    def pin_price(self, symbol: str, price: str) -> None:
        """Hold the market still, so that nothing but our own orders moves a position."""
        self._change("/price", {"symbol": symbol, "price": int(price)})

    def release_price(self, symbol: str) -> None:
        self._change("/price", {"symbol": symbol, "feed": "seeded"})

    def delay_answers(self, milliseconds: int) -> None:
        """Have the venue wait before it looks at each request."""
        self._change("/switches", {"delay_ms": milliseconds})

    def _change(self, path: str, body: dict[str, Any]) -> None:
        requests.post(f"{self._control_url}{path}", json=body, timeout=CONTROL_TIMEOUT_S).raise_for_status()


def _book(row: dict[str, Any]) -> AccountBook:
    positions = {held["symbol"]: int(held["netPos"]) for held in row["positions"]}
    return AccountBook(str(row["id"]), positions, row["workingOrders"], row["entries"])


@dataclass(slots=True)
class Watch:
    """Which accounts stayed exposed for longer than the bound; fed with samples of the books, so free of any clock."""

    bound_s: float = UNPROTECTED_BOUND_S
    worst_s: float = 0.0
    violations: set[str] = field(default_factory=set)
    _since: dict[str, float] = field(default_factory=dict)

    def sample(self, moment: float, books: Iterable[AccountBook]) -> None:
        for book in books:
            if not book.is_exposed():
                self._since.pop(book.broker_id, None)
                continue
            exposed_s = moment - self._since.setdefault(book.broker_id, moment)
            self.worst_s = max(self.worst_s, exposed_s)
            if exposed_s > self.bound_s:
                self.violations.add(book.broker_id)


class Watcher:
    """Samples the books a few times a second until stopped."""

    def __init__(self, books: Callable[[], dict[str, AccountBook]]) -> None:
        self._books = books
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.watch = Watch()
        self.samples = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(SAMPLE_EVERY_S):
            try:
                books = self._books()
            except requests.RequestException:
                continue
            self.watch.sample(time.monotonic(), books.values())
            self.samples += 1
