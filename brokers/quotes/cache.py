"""The newest quote of each contract, shared between processes. Losing it costs a number on a screen, never an order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

_KEY = "jt:quotes"
_TIMEOUT_S = 0.25


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices in points; None where the venue has not said. `at` is aware UTC: an old quote is to be shown as old."""

    symbol: str
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    at: datetime


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        f"{settings.REDIS_URL}/2", socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, decode_responses=True
    )


def store(quotes: Iterable[Quote]) -> None:
    """Raises `redis.RedisError` when the cache cannot be reached."""
    rows: dict[str | bytes | bytearray | memoryview | int | float, Any] = {q.symbol: _dump(q) for q in quotes}
    if rows:
        _client().hset(_KEY, mapping=rows)


def latest(symbols: Iterable[str]) -> dict[str, Quote]:
    """The newest quote of each of `symbols` that has one. Raises `redis.RedisError` when the cache is out of reach."""
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    rows = _client().hmget(_KEY, wanted)
    return {symbol: _load(symbol, str(row)) for symbol, row in zip(wanted, rows, strict=True) if row is not None}


def _dump(quote: Quote) -> str:
    prices = {
        name: None if value is None else str(value)
        for name, value in (("last", quote.last), ("bid", quote.bid), ("ask", quote.ask))
    }
    return json.dumps({**prices, "at": quote.at.isoformat()})


def _load(symbol: str, row: str) -> Quote:
    fields = json.loads(row)
    prices = {name: None if fields[name] is None else Decimal(fields[name]) for name in ("last", "bid", "ask")}
    return Quote(symbol=symbol, at=datetime.fromisoformat(fields["at"]), **prices)
