"""Announcements: numbered, coalesced, and never in the way of who makes them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from execution.feed import INTERVAL_SECONDS, Feed, sequence_key
from justtrades.supervisor.ports import any_free_port
from tests.pages.conftest import until


@pytest.fixture
def counters() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.CHANNELS_URL) as client:
        yield client


def number_of(counters: redis.Redis, owner_id: uuid.UUID) -> int:
    return int(counters.get(sequence_key(owner_id)) or 0)


def test_an_announcement_is_numbered_per_user(counters: redis.Redis) -> None:
    feed, alice, bob = Feed(), uuid.uuid4(), uuid.uuid4()
    feed.announce(alice, "orders")
    until(lambda: number_of(counters, alice) == 1)
    assert number_of(counters, bob) == 0


def test_a_burst_becomes_few_messages(counters: redis.Redis) -> None:
    feed, owner = Feed(), uuid.uuid4()
    start = time.monotonic()
    for _ in range(2000):
        feed.announce(owner, "orders", "positions")
    until(lambda: not feed._pending)
    allowed = 2 + (time.monotonic() - start) / INTERVAL_SECONDS
    assert 1 <= number_of(counters, owner) <= allowed


def test_an_outage_holds_nobody_up_and_what_it_swallowed_is_told_afterwards(
    counters: redis.Redis, settings: object, caplog: pytest.LogCaptureFixture
) -> None:
    reachable = settings.CHANNELS_URL
    settings.CHANNELS_URL = f"redis://127.0.0.1:{any_free_port()}/1"
    feed, owner = Feed(), uuid.uuid4()
    feed.announce(owner, "orders")
    until(lambda: feed._is_out)
    for _ in range(100):
        feed.announce(owner, "positions")
    assert sum("feed.outage" in record.getMessage() for record in caplog.records) == 1
    assert feed._pending[owner] == {"orders", "positions"} or until(lambda: feed._pending.get(owner))
    settings.CHANNELS_URL = reachable
    assert number_of(counters, owner) == 0
