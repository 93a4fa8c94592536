"""The newest quote of each contract and source, shared between processes.

Losing it costs a number on a screen and the fills of paper accounts, never a broker's order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from brokers.quotes.quote import Quote, QuoteBook, choose
from justtrades import clock

__all__ = ["Quote", "book", "latest", "store"]

_KEY = "jt:quotes"
_TIMEOUT_S = 0.25
_KEPT_S = 24 * 3600
_Row = dict[str | bytes | bytearray | memoryview | int | float, Any]


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """The database of quotes and of who wants them. A slow one is given up after a quarter of a second."""
    return redis.Redis.from_url(
        f"{settings.REDIS_URL}/2", socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, decode_responses=True
    )


def store(quotes: Iterable[Quote]) -> None:
    """Raises `redis.RedisError` when the cache cannot be reached."""
    rows: dict[str, _Row] = {}
    for quote in quotes:
        rows.setdefault(quote.symbol, {})[quote.source] = _dump(quote)
    if not rows:
        return
    pipe = client().pipeline(transaction=False)
    for symbol, by_source in rows.items():
        pipe.hset(f"{_KEY}:{symbol}", mapping=by_source)
        pipe.expire(f"{_KEY}:{symbol}", _KEPT_S)
    pipe.execute()


def latest(symbols: Iterable[str], prefer: str = "", *, indicative: bool = False) -> dict[str, Quote]:
    """The quote to go by for each of `symbols` that has one; `prefer` is the source that comes first (see `choose`).

    Late ones are left out unless `indicative`: those are for screens. Raises `redis.RedisError` when the cache is out
    of reach.
    """
    now = clock.now()
    found: dict[str, Quote] = {}
    for symbol, quotes in every(symbols).items():
        chosen = choose((quote for quote in quotes if indicative or not quote.is_indicative), prefer, now)
        if chosen is not None:
            found[symbol] = chosen
    return found


def book(symbols: Iterable[str]) -> QuoteBook:
    """What every source says of `symbols`. Raises `redis.RedisError` when the cache is out of reach."""
    return QuoteBook(every(symbols), clock.now())


def every(symbols: Iterable[str]) -> dict[str, list[Quote]]:
    """What each source last said of each of `symbols`. Raises `redis.RedisError` when the cache is out of reach."""
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    pipe = client().pipeline(transaction=False)
    for symbol in wanted:
        pipe.hgetall(f"{_KEY}:{symbol}")
    return {
        symbol: [_load(symbol, source, row) for source, row in by_source.items()]
        for symbol, by_source in zip(wanted, pipe.execute(), strict=True)
    }


def _dump(quote: Quote) -> str:
    prices = {
        name: None if value is None else str(value)
        for name, value in (("last", quote.last), ("bid", quote.bid), ("ask", quote.ask))
    }
    return json.dumps({**prices, "at": quote.at.isoformat(), "delay": quote.delay_s})


def _load(symbol: str, source: str, row: str) -> Quote:
    fields = json.loads(row)
    prices = {name: None if fields[name] is None else Decimal(fields[name]) for name in ("last", "bid", "ask")}
    at = datetime.fromisoformat(fields["at"])
    return Quote(symbol=symbol, at=at, source=source, delay_s=fields["delay"], **prices)
