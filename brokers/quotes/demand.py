"""Which contracts are wanted right now, by whoever has no feed of its own; a lane that has one subscribes them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from brokers.quotes.cache import client

_KEY = "jt:wanted-quotes"
WANTED_FOR_S = 30.0


def want(symbols: Iterable[str], seconds: float = WANTED_FOR_S) -> None:
    """Ask for quotes of `symbols` for so long; asking again prolongs it. Raises `redis.RedisError`."""
    until = time.time() + seconds
    wishes = dict.fromkeys(symbols, until)
    if wishes:
        client().zadd(_KEY, wishes, gt=True)


def wanted() -> set[str]:
    """What anybody wants at this moment. Raises `redis.RedisError`."""
    now = time.time()
    pipe = client().pipeline(transaction=False)
    pipe.zremrangebyscore(_KEY, "-inf", now)
    pipe.zrange(_KEY, 0, -1)
    _, names = pipe.execute()
    return set(names)
