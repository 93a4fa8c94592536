"""The seconds without a stop: written down when they end, summed up by venue."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from brokers.base import OrderRole, OrderStatus, Side
from execution.models import UnprotectedSpan
from execution.reports.apply import apply_events
from execution.unprotected import Figures, figures_for, unprotected_now
from justtrades import clock
from tests.execution.venue import Venue
from tests.execution.watched import later
from tests.factories import OrderIntentFactory, PositionFactory, TraderFactory, UserFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
STOP = OrderRole.STOP


def spans() -> list[tuple[str, float, bool]]:
    rows = UnprotectedSpan.objects.order_by("began_at")
    return [(row.ended_by, (row.ended_at - row.began_at).total_seconds(), row.was_acted_on) for row in rows]


def test_a_stop_that_comes_with_its_fill_is_no_span_and_one_that_comes_later_is() -> None:
    at_once = Venue()
    at_once.apply(at_once.report(OrderStatus.FILLED), at_once.fill("1"), at_once.leg(STOP, "501"))
    assert at_once.intent.protected_at == at_once.intent.filled_at
    start, late = clock.now(), Venue()
    with later(start, 0):
        late.apply(late.report(OrderStatus.FILLED), late.fill("1"))
    with later(start, 0.4):
        late.apply(late.leg(STOP, "501"))
    assert spans() == [("protected", 0.4, False)]
    (span,) = UnprotectedSpan.objects.all()
    assert (span.owner_id, span.trader_id, span.account_id, span.venue, span.symbol) == (
        late.intent.owner_id, late.intent.trader_id, late.intent.account_id, "tradovate", late.intent.symbol,
    )  # fmt: skip


def test_a_stop_that_is_lost_begins_a_span_and_the_positions_end_ends_it() -> None:
    start, venue = clock.now(), Venue()
    venue.apply(
        venue.report(OrderStatus.FILLED), venue.fill("1"), venue.leg(STOP, "501"), venue.leg(OrderRole.TARGET, "502")
    )
    with later(start, 10):
        venue.apply(venue.leg(STOP, "501", OrderStatus.CANCELED))
    with later(start, 13):
        venue.apply(venue.fill("2", broker_order_id="502", side=Side.SELL, price="110"))
    assert spans() == [("flat", 3.0, False)]


def queries(followers: int, *, is_naked: bool) -> int:
    """What a batch with the stops of so many followers asks; those that are naked get their first one."""
    venues = [Venue() for _ in range(followers)]
    for venue in venues:
        stops = [] if is_naked else [venue.leg(STOP, "501")]
        venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"), *stops)
    events = [(venue.intent.account.login_id, venue.leg(STOP, "501", stop_price=D(95))) for venue in venues]
    with CaptureQueriesContext(connection) as captured:
        apply_events(events)
    return len(captured)


def test_spans_cost_a_batch_the_same_however_many_there_are() -> None:
    assert queries(4, is_naked=True) == queries(1, is_naked=True)
    assert queries(4, is_naked=False) == queries(1, is_naked=False)
    assert len(spans()) == 5


def span_of(trader: Trader, seconds: float, *, ago: timedelta = timedelta(hours=1), **fields: Any) -> None:
    began = clock.now() - ago
    usual = {"venue": "webull", "symbol": "MNQZ6", "ended_by": "protected"}
    UnprotectedSpan.objects.create(
        owner=trader.owner, account=trader.account, trader=trader, began_at=began,
        ended_at=began + timedelta(seconds=seconds), **{**usual, **fields},
    )  # fmt: skip


def figures(user: User) -> dict[tuple[str, str], Figures]:
    return {(venue.venue, row.window): row for venue in figures_for(user) for row in venue.windows}


def test_figures_are_by_venue_and_window_and_the_owners_own() -> None:
    trader = TraderFactory()
    for tenth in range(1, 11):
        span_of(trader, tenth / 10)
    span_of(trader, 9, ago=timedelta(days=3), was_acted_on=True, ended_by="flat")
    span_of(trader, 5, ago=timedelta(days=20), venue="projectx")
    span_of(trader, 99, ago=timedelta(days=31))
    span_of(TraderFactory(), 77)
    found = figures(trader.owner)
    assert set(found) == {(venue, window) for venue in ("webull", "projectx") for window in ("24h", "7d", "30d")}
    day, week = found["webull", "24h"], found["webull", "7d"]
    assert (day.count, day.p50, day.p95, day.max, day.acted_on, day.closed) == (10, 0.55, 0.955, 1.0, 0, 0)
    assert (week.count, week.p50, week.p95, week.max, week.acted_on, week.closed) == (11, 0.6, 5.0, 9.0, 1, 1)
    assert found["webull", "30d"].count == 11
    never = found["projectx", "7d"]
    assert (never.count, never.p50, never.p95, never.max) == (0, None, None, None), "none is not zero seconds"
    assert figures_for(UserFactory()) == []


def test_entries_of_the_day_count_by_whether_their_stop_came_with_the_fill() -> None:
    trader, now = TraderFactory(), clock.now()
    usual = {"trader": trader, "signal__status": "planned", "filled_at": now}
    OrderIntentFactory(**usual, protected_at=now)
    OrderIntentFactory(**usual, protected_at=now + timedelta(milliseconds=5))
    OrderIntentFactory(**usual)
    OrderIntentFactory(**usual, protected_at=now, stop_distance=None)
    OrderIntentFactory(**usual, protected_at=now, created_at=now - timedelta(days=2))
    OrderIntentFactory(**{**usual, "filled_at": None})
    (venue,) = figures_for(trader.owner)
    assert (venue.venue, venue.entries.filled, venue.entries.at_once) == ("tradovate", 3, 1)


def test_what_is_unprotected_now_comes_longest_first_with_its_rule_and_costs_the_same_for_many() -> None:
    trader, now = TraderFactory(), clock.now()

    def lacking(seconds: float, **fields: Any) -> None:
        account = TraderFactory(recorder=trader.recorder)
        PositionFactory(trader=account, unprotected_since=now - timedelta(seconds=seconds), **fields)

    lacking(3)
    lacking(8, net_qty=-1)
    lacking(60, net_qty=0)
    PositionFactory(unprotected_since=now)
    with CaptureQueriesContext(connection) as few:
        found = unprotected_now(trader.owner)
    assert [(row.position.net_qty, row.bound_s, row.done) for row in found] == [(-1, 5, ""), (1, 5, "")]
    assert "again" in found[0].policy
    for seconds in range(10):
        lacking(seconds)
    with CaptureQueriesContext(connection) as many:
        assert len(unprotected_now(trader.owner)) == 12
    assert len(many) == len(few) <= 3
