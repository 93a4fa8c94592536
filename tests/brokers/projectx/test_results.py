"""The day's result, for which the API has no field: half-turns, positions and the newest bar."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.errors import OutcomeUnknown
from brokers.projectx import adapter
from brokers.sessions import session_of
from tests.brokers.projectx import frames
from tests.brokers.projectx.trader import PRICE, SandboxTrader, Trader
from tests.brokers.projectx.venue import Venue, live
from tests.brokers.scripted import until

BARS = "History/retrieveBars"


def test_the_sandbox_says_what_was_realised_and_is_open(trader: SandboxTrader) -> None:
    trader.enter(qty=2, target=None, stop=100)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.sandbox.price("MNQ", PRICE + 10)
    assert trader.client.connection.day_pnl(trader.ref) == 2 * 10 * 2
    trader.accepted(trader.flatten())
    until(lambda: trader.net_told() == 0)
    assert trader.client.connection.day_pnl(trader.ref) == 2 * 10 * 2


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        (frames.ok(bars=[{"t": "2026-11-24T15:00:00Z", "c": 25010.5}]), D(21)),
        (frames.ok(bars=[]), None),
        (frames.failure(1, bars=None), None),
        (frames.ok(bars=[{"t": "2026-11-24T15:00:00Z"}]), OutcomeUnknown),
    ],
)
def test_what_is_open_has_no_worth_without_a_price(
    venue: Venue, scripted: Trader, bars: bytes, expected: D | type[OutcomeUnknown] | None
) -> None:
    venue.positions = [frames.position(1, 1, 25_000)]
    venue.rest[BARS] = (200, bars)
    if isinstance(expected, type):
        with pytest.raises(expected):
            scripted.client.connection.day_pnl(scripted.ref)
    else:
        assert scripted.client.connection.day_pnl(scripted.ref) == expected
    (asked,) = venue.calls("Trade/search")
    assert datetime.fromisoformat(asked["startTimestamp"]) == session_of(datetime.now(UTC)).start


def test_a_look_while_the_hub_is_away_vouches_for_the_books(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "FOLLOW_AFTER_SECONDS", 0.01)
    connection = scripted.client.connection
    assert connection.books_at is None
    line = live(venue, scripted)
    before = datetime.now(UTC)
    first = connection.books_at
    assert first is not None
    assert first >= before
    venue.socket.refuse_with = "503 Service Unavailable"
    line.peer.close()
    scripted.client.wait_state(ConnectionState.DOWN)
    away = datetime.now(UTC)
    until(lambda: connection.books_at is not None and connection.books_at >= away)
    assert connection.state is not ConnectionState.LIVE
