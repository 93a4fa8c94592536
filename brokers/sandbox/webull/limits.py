"""Documented request limits, per app key and endpoint (wire facts, 7)."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable

_ORDERS, _READS, _INSTRUMENTS, _QUOTES = (600, 60.0), (2, 2.0), (60, 60.0), (600, 60.0)
# Endpoint → (requests, seconds).
LIMITS: dict[str, tuple[int, float]] = {
    "auth/tokens/create": (10, 10.0),
    "auth/tokens/check": (10, 10.0),
    "trading/accounts/list": (10, 30.0),
    "trading/assets/balances/get": _READS,
    "trading/assets/positions/list": _READS,
    "trading/orders/open-orders/list": _READS,
    "trading/orders/historical-orders/list": _READS,
    "trading/orders/get": _READS,
    "trading/orders/preview": (150, 10.0),
    "trading/orders/place": _ORDERS,
    "trading/orders/batch-place": _ORDERS,
    "trading/orders/replace": _ORDERS,
    "trading/orders/cancel": _ORDERS,
    "trading/instruments/stocks/profiles/list": _INSTRUMENTS,
    "trading/instruments/options/contracts/list": _INSTRUMENTS,
    "trading/instruments/futures/contracts/list": _INSTRUMENTS,
    "market-data/stocks/snapshots/list": (300, 60.0),
    "market-data/stocks/depths/list": (300, 60.0),
    "market-data/stocks/ticks/list": (300, 60.0),
    "market-data/stocks/bars/list": (1, 1.0),
    "market-data/futures/snapshots/list": _QUOTES,
    "market-data/futures/depths/list": _QUOTES,
    "market-data/futures/ticks/list": _QUOTES,
    "market-data/futures/bars/list": _QUOTES,
    "market-data/options/snapshots/list": _QUOTES,
    "market-data/options/ticks/list": _INSTRUMENTS,
    "market-data/options/bars/list": _QUOTES,
}


class RateLimits:
    """Counts over a sliding window. A refused request does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def admit(self, app_key: str, endpoint: str) -> bool:
        limit = LIMITS.get(endpoint)
        if limit is None:
            return True
        most, seconds = limit
        seen, now = self._seen[app_key, endpoint], self._clock()
        while seen and now - seen[0] >= seconds:
            seen.popleft()
        if len(seen) >= most:
            return False
        seen.append(now)
        return True

    def clear(self) -> None:
        self._seen.clear()
