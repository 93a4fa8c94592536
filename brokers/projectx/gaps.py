"""Half-turns that the hub left out: an order that says it filled more than its trades do is asked about over REST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brokers.projectx.book import Book

WAIT_SECONDS = 2.0
MOST_LOOKS = 3


@dataclass(slots=True)
class _Gap:
    due: float
    looks: int = 0


class Gaps:
    """`look` asks for an account's half-turns and returns at once. Belongs to the loop's thread."""

    def __init__(self, book: Book, look: Callable[[int], None]) -> None:
        self._book = book
        self._look = look
        self._gaps: dict[int, _Gap] = {}

    def tick(self, now: float) -> None:
        """`now` is monotonic. Events of one fill come in any order, so each order is waited for a while first."""
        lacking = self._book.lacking()
        self._gaps = {order_id: self._gaps.get(order_id, _Gap(now + WAIT_SECONDS)) for order_id in lacking}
        due = [order_id for order_id, gap in self._gaps.items() if gap.due <= now and gap.looks < MOST_LOOKS]
        for order_id in due:
            gap = self._gaps[order_id]
            gap.looks += 1
            gap.due = now + WAIT_SECONDS * (gap.looks + 1)
        for account_id in {lacking[order_id] for order_id in due}:
            self._look(account_id)
