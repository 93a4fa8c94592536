"""One reading of the newest quotes for all sockets of the live process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from brokers.quotes import cache
from brokers.quotes.quote import QuoteBook
from justtrades import clock

READ_EVERY_SECONDS = 0.2
FORGET_AFTER_SECONDS = 60.0


class QuoteBoard:
    """Reads at most five times a second, whatever the number of sockets that ask. Belongs to one event loop."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._asked_at: dict[str, float] = {}
        self._book = QuoteBook({}, clock.now())
        self._read_at = float("-inf")

    async def latest(self, symbols: Iterable[str]) -> QuoteBook:
        """What all sources say of these symbols and perhaps others. Raises `redis.RedisError`."""
        now = time.monotonic()
        has_new = False
        for symbol in symbols:
            has_new = has_new or symbol not in self._asked_at
            self._asked_at[symbol] = now
        async with self._lock:
            if has_new or now - self._read_at >= READ_EVERY_SECONDS:
                self._asked_at = {name: at for name, at in self._asked_at.items() if now - at < FORGET_AFTER_SECONDS}
                self._book = await asyncio.to_thread(cache.book, list(self._asked_at))
                self._read_at = time.monotonic()
        return self._book


board = QuoteBoard()
