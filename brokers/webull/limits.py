"""Webull's request limits as data: per app key and endpoint (Webull wire facts, rate limits)."""

from __future__ import annotations

from brokers.access import Limit

CONFIG, AUTH, ACCOUNTS = "config", "auth", "accounts"
BALANCES, POSITIONS, OPEN, HISTORY, DETAIL = "balances", "positions", "open", "history", "detail"
PREVIEW, PLACE, REPLACE, CANCEL = "preview", "place", "replace", "cancel"
INSTRUMENTS, STOCK_QUOTES, QUOTES, STREAMING = "instruments", "stock_quotes", "quotes", "streaming"

# Two in two seconds, counted where they arrive: a little more keeps two that were delayed from meeting a third.
READ_SECONDS = 2.2


def _limit(endpoint: str, requests: int, seconds: float, reserve: float) -> Limit:
    return Limit("login", requests, seconds, frozenset({endpoint}), reserve)


# A flatten reads the orders and the position before it closes: half of two reads is the least that can be kept for it.
LIMITS = (
    _limit(AUTH, 10, 10, 0),
    _limit(ACCOUNTS, 10, 30, 0.1),
    *(_limit(endpoint, 2, READ_SECONDS, 0.5) for endpoint in (POSITIONS, OPEN, DETAIL)),
    *(_limit(endpoint, 2, READ_SECONDS, 0) for endpoint in (BALANCES, HISTORY)),
    _limit(PREVIEW, 150, 10, 0),
    *(_limit(endpoint, 600, 60, 0.1) for endpoint in (PLACE, REPLACE, CANCEL)),
    _limit(INSTRUMENTS, 60, 60, 0),
    _limit(STOCK_QUOTES, 300, 60, 0),
    _limit(QUOTES, 600, 60, 0),
)
_SECONDS = {endpoint: limit.seconds for limit in LIMITS for endpoint in limit.endpoints}
LONGEST_SILENCE_SECONDS = 5.0


def silence_after(endpoint: str) -> float:
    """Seconds to keep still after a 429 that names no time: the counts slide, so a whole window is never needed."""
    return min(_SECONDS.get(endpoint, LONGEST_SILENCE_SECONDS), LONGEST_SILENCE_SECONDS)
