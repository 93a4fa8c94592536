"""The Redis side: short questions with a short patience, and one log line when it goes away.

Losing Redis costs precision, never an order: whoever asks gets `Away` and goes on with what it knows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from brokers.budget.ledger import Common
from brokers.budget.names import EPOCH, PENALTIES, own_key
from brokers.budget.windows import MICROSECONDS

logger = logging.getLogger(__name__)

PATIENCE_S = 0.25
PAUSE_S = 1.0
"""How long nobody asks again after Redis did not answer."""
_KEPT_FOR_S = 60
_Answer = TypeVar("_Answer")

# Grants all or nothing. KEYS: the penalties, then one sorted set per part. ARGV: now, the member's name, how many
# penalty fields and their names, then `most`, `length` and `cost` of each part. The answer is 0 or when to come again.
_TAKE = """
local now, name, fields = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local wait = 0
for i = 1, fields do
  wait = math.max(wait, tonumber(redis.call('HGET', KEYS[1], ARGV[3 + i]) or '0'))
end
if wait <= now then wait = 0 end
for i = 2, #KEYS do
  local at = 3 + fields + (i - 2) * 3
  local most, length, cost = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', now - length))
  local taken = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
  local missing = math.max(cost, 1) - most
  for j = 1, #taken, 2 do missing = missing + tonumber(string.match(taken[j], '^%d+')) end
  if missing > 0 then
    local opens = now + length
    for j = 1, #taken, 2 do
      missing = missing - tonumber(string.match(taken[j], '^%d+'))
      if missing <= 0 then opens = tonumber(taken[j + 1]) + length break end
    end
    wait = math.max(wait, opens)
  end
end
if wait > 0 then return string.format('%.0f', wait) end
for i = 2, #KEYS do
  local at = 3 + fields + (i - 2) * 3
  if tonumber(ARGV[at + 3]) > 0 then
    redis.call('ZADD', KEYS[i], ARGV[1], ARGV[at + 3] .. ':' .. name)
    redis.call('PEXPIRE', KEYS[i], math.ceil(tonumber(ARGV[at + 2]) / 1000) + 1000)
  end
end
return '0'
"""
# Only ever later; fields whose time has passed go. KEYS: the penalties. ARGV: now, then a field and its time each.
_SILENCE = """
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) <= tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], all[i]) end
end
for i = 2, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if tonumber(ARGV[i + 1]) > known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
"""


class Away(Exception):
    """Redis did not answer in time."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What one holder's hash is to say: buckets to write, buckets to drop, and for how long (s) it matters."""

    holder: str
    buckets: Mapping[str, int]
    gone: Sequence[str]
    keep_s: int


class Store:
    """Thread-safe. Every method raises `Away`."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._take = self._client.register_script(_TAKE)
        self._silence = self._client.register_script(_SILENCE)
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._is_away = False
        self._prober: int | None = None

    def probe_here(self) -> None:
        """From now on only this thread finds out whether Redis is back: its loss costs the others one wait in all."""
        self._prober = threading.get_ident()

    def take(self, now: int, name: str, commons: Sequence[Common], cost: int, silences: Sequence[str]) -> int:
        """Take `cost` from every part or from none: 0, or the moment (microseconds) at which to come again.

        A `cost` of 0 asks whether one could be taken.
        """
        keys = [PENALTIES, *(common.key for common in commons)]
        arguments: list[Any] = [now, name, len(silences), *silences]
        for common in commons:
            arguments += [common.most, common.length, cost]
        return int(self._ask(lambda: self._take(keys=keys, args=arguments)))

    def tell_taken(self, name: str, taken: Mapping[str, tuple[int, Sequence[tuple[int, int]]]]) -> None:
        """Add what was taken while Redis was away: by key, the window's length and (time, cost). Safe to repeat."""
        pipeline = self._client.pipeline(transaction=False)
        for key, (length, entries) in taken.items():
            pipeline.zadd(key, {f"{cost}:{name}:{at}": at for at, cost in entries})
            pipeline.expire(key, length // MICROSECONDS + _KEPT_FOR_S)
        self._ask(pipeline.execute)

    def publish(self, publications: Iterable[Publication]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for publication in publications:
            key = own_key(publication.holder)
            if publication.buckets:
                pipeline.hset(key, items=[word for bucket in publication.buckets.items() for word in bucket])
            if publication.gone:
                pipeline.hdel(key, *publication.gone)
            pipeline.expire(key, publication.keep_s + _KEPT_FOR_S)
        self._ask(pipeline.execute)

    def published(self, holders: Sequence[str]) -> list[dict[str, int]]:
        """The buckets of each holder, in their order."""
        pipeline = self._client.pipeline(transaction=False)
        for holder in holders:
            pipeline.hgetall(own_key(holder))
        rows = self._ask(pipeline.execute)
        return [{name: int(cost) for name, cost in row.items()} for row in rows]

    def taken(self, parts: Sequence[tuple[str, int]], now: int) -> list[int]:
        """How much of each part (its key and its window's length) is taken, in their order."""
        pipeline = self._client.pipeline(transaction=False)
        for key, length in parts:
            pipeline.zrangebyscore(key, f"({now - length}", "+inf")
        return [sum(int(member.partition(":")[0]) for member in row) for row in self._ask(pipeline.execute)]

    def silence(self, now: int, until: Mapping[str, int]) -> None:
        words = [word for field in until.items() for word in field]
        self._ask(lambda: self._silence(keys=[PENALTIES], args=[now, *words]))

    def silences(self) -> dict[str, int]:
        rows = self._ask(lambda: self._client.hgetall(PENALTIES))
        return {str(name): int(until) for name, until in rows.items()}

    def epoch(self, mine: str) -> str:
        """The name of this Redis's memory: a new one says that all was forgotten."""

        pipeline = self._client.pipeline()
        pipeline.set(EPOCH, mine, nx=True)
        pipeline.get(EPOCH)
        return str(self._ask(pipeline.execute)[1])

    def probe_anywhere(self) -> None:
        self._prober = None

    def close(self) -> None:
        self._client.close()

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        is_probing = self._prober is None or self._prober == threading.get_ident()
        if self._is_away and (not is_probing or time.monotonic() < self._away_until):
            raise Away
        try:
            answer = question()
        except (redis.RedisError, OSError) as error:
            self._went_away(error)
            raise Away from None
        if self._is_away:
            self._is_away = False
            logger.info("budgets are shared again")
        return answer

    def _went_away(self, error: Exception) -> None:
        with self._lock:
            is_news = not self._is_away
            self._is_away = True
            self._away_until = time.monotonic() + PAUSE_S
        if is_news:
            logger.warning("budgets go on without Redis: %s", type(error).__name__)
