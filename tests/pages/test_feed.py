"""Announcements: numbered, coalesced, and never in the way of who makes them."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as product

from execution.feed import INTERVAL_SECONDS, Feed, sequence_key
from justtrades.supervisor.ports import any_free_port
from justtrades.supervisor.throwaway import _directory, _running
from justtrades.supervisor.valkey import EmbeddedValkey
from tests.pages.conftest import until


@pytest.fixture
def counters() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(product.CHANNELS_URL) as client:
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
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with _directory() as directory:
        server = EmbeddedValkey(directory / "valkey", any_free_port(), "a-password", durable=False)
        settings.CHANNELS_URL = f"{server.url()}/1"
        feed, owner = Feed(), uuid.uuid4()
        for _ in range(100):
            feed.announce(owner, "positions")
        until(lambda: feed._is_out)
        feed.announce(owner, "orders")
        assert feed._thread_pid == os.getpid()
        with _running(server, signal.SIGTERM):
            with redis.Redis.from_url(settings.CHANNELS_URL) as counters:
                until(lambda: number_of(counters, owner) == 1)
            until(lambda: not feed._is_out)
            assert feed._pending == {}
    assert sum("feed.outage" in record.getMessage() for record in caplog.records) == 1
