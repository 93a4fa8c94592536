"""Telling a user's browsers that something of theirs changed, without ever holding up the thread that changed it.

`announce` only adds to a set in memory. One thread with one event loop (a loop per call leaks a Redis connection each)
writes at most four numbered messages a second per user to the channel layer. Nothing relies on their delivery: the
numbers are counted in Redis, so a browser that misses one sees the gap and takes a snapshot.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from uuid import UUID

import redis.asyncio
import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from redis.exceptions import RedisError

TOPICS = frozenset({"signals", "intents", "orders", "positions", "connections", "pnl"})
INTERVAL_SECONDS = 0.25
OUTAGE_PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 1.0

log = structlog.get_logger(__name__)


def group_name(owner_id: UUID) -> str:
    """The channel group of a user's browsers; only the server ever names one."""
    return f"feed.{owner_id.hex}"


def sequence_key(owner_id: UUID) -> str:
    """The Redis key that counts the messages to a user, in the channel layer's database."""
    return f"jt:feed:seq:{owner_id.hex}"


def connect_counter() -> redis.asyncio.Redis:
    """A client for the counters; belongs to the event loop that first uses it. A hung Redis costs one second."""
    return redis.asyncio.Redis.from_url(
        settings.CHANNELS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


class Feed:
    """Coalesces announcements per user and publishes them from its own daemon thread, started by the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._pending: dict[UUID, set[str]] = {}
        self._published_at: dict[UUID, float] = {}
        self._thread_pid = 0
        self._is_out = False

    def announce(self, owner_id: UUID, *topics: str) -> None:
        with self._lock:
            self._pending.setdefault(owner_id, set()).update(topics)
            if self._thread_pid != os.getpid():
                self._thread_pid = os.getpid()
                threading.Thread(target=self._run, name="feed", daemon=True).start()
        self._news.set()

    def _run(self) -> None:
        while True:
            try:
                asyncio.run(self._publish_for_ever())
            except Exception:
                log.exception("feed.thread_restarted")
                time.sleep(OUTAGE_PAUSE_SECONDS)

    async def _publish_for_ever(self) -> None:
        async with connect_counter() as counter:
            while True:
                self._news.wait()
                self._news.clear()
                due = self._take_due()
                await asyncio.gather(*(self._publish_or_keep(counter, owner, topics) for owner, topics in due.items()))
                await asyncio.sleep(OUTAGE_PAUSE_SECONDS if self._is_out else INTERVAL_SECONDS / 5)
                with self._lock:
                    if self._pending:
                        self._news.set()

    def _take_due(self) -> dict[UUID, set[str]]:
        now = time.monotonic()
        with self._lock:
            due = [
                owner_id
                for owner_id in self._pending
                if now - self._published_at.get(owner_id, float("-inf")) >= INTERVAL_SECONDS
            ]
            return {owner_id: self._pending.pop(owner_id) for owner_id in due}

    async def _publish_or_keep(self, counter: redis.asyncio.Redis, owner_id: UUID, topics: set[str]) -> None:
        self._published_at[owner_id] = time.monotonic()
        try:
            await asyncio.wait_for(self._publish(counter, owner_id, topics), 2 * TIMEOUT_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            with self._lock:
                self._pending.setdefault(owner_id, set()).update(topics)
            if not self._is_out:
                log.warning("feed.outage", reason=type(error).__name__)
            self._is_out = True
        else:
            if self._is_out:
                log.info("feed.recovered")
            self._is_out = False

    async def _publish(self, counter: redis.asyncio.Redis, owner_id: UUID, topics: set[str]) -> None:
        seq = await counter.incr(sequence_key(owner_id))
        layer = get_channel_layer()
        await layer.group_send(group_name(owner_id), {"type": "feed.news", "seq": seq, "topics": sorted(topics)})


_feed = Feed()


def announce(owner_id: UUID, *topics: str) -> None:
    """Tell `owner_id`'s browsers that these of `TOPICS` changed. Call it after the commit; never blocks or raises."""
    _feed.announce(owner_id, *topics)
