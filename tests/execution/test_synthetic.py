"""On a venue that links nothing, exits follow the fill and shrink with each other."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import BracketLeg, OrderRole, Side, SubmitOrder, Trail
from execution.abilities import abilities_of, lacking, market_of, native_part
from execution.models import IntentKind, IntentStatus, Order, OrderIntent, Position
from execution.submitting import bracket_rows
from recorders.settings import read_settings
from tests.execution.desk import planned_intents
from tests.execution.plain_venue import PLAIN, SINGLE, PlainVenue, live_legs, register
from tests.execution.venue import Venue
from tests.factories import OrderIntentFactory, RecorderFactory, TraderFactory
from tests.traders.cases import MNQ, targets
from traders.exits import template_of

pytestmark = pytest.mark.django_db
D = Decimal
STOP, TARGET = OrderRole.STOP, OrderRole.TARGET
THREE_TARGETS = {"targets": targets((40, 34), (80, 33), (120, 33)), "stop_distance": 20}
HALF_RUNS = {"targets": targets((40, 50)), "stop_distance": 20}
NO_STOP = {"targets": targets((40, 100))}


@pytest.fixture(autouse=True)
def plain_venues(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def held_at(venue: str, qty: int, **settings: object) -> PlainVenue:
    """An entry of `qty` contracts on its way at the venue, with the exits of these settings."""
    template = template_of(read_settings(settings or THREE_TARGETS), MNQ, D(1))
    legs = [BracketLeg(1, D(10), D(5))] * qty
    desk = Venue(
        qty=qty, bracket=bracket_rows(legs, range(qty)), exits=template.text, trader__account__login__venue=venue,
        stop_distance=D(5) if template.stop is not None else None,
    )  # fmt: skip
    Order.objects.filter(pk=desk.order.pk).update(qty=qty, symbol=desk.intent.symbol)
    return PlainVenue(desk)


def test_the_stop_goes_first_and_covers_all_and_each_target_has_its_part() -> None:
    venue = held_at(PLAIN, 3)
    venue.open_entry(3)
    venue.run()
    assert [type(one) for one in venue.sent] == [SubmitOrder] * 4
    assert venue.sent[0].client_order_id.startswith("S-"), "nothing may go before the stop"
    assert venue.working(STOP) == [(3, D("24995"))]
    assert venue.working(TARGET) == [(1, D("25010")), (1, D("25020")), (1, D("25030"))]
    assert all(one.is_protective and one.side is Side.SELL for one in venue.sent if isinstance(one, SubmitOrder))
    assert OrderIntent.objects.filter(kind=IntentKind.PROTECT, status=IntentStatus.DONE).count() == 1
    assert Position.objects.get().unprotected_since is None


def test_a_target_that_fills_takes_its_part_out_of_the_stop() -> None:
    venue = held_at(PLAIN, 3)
    venue.open_entry(3)
    venue.run()
    venue.fill(venue.names(TARGET)[0], 1, "25010")
    venue.run()
    assert venue.working(STOP) == [(2, D("24995"))]
    assert venue.working(TARGET) == [(1, D("25020")), (1, D("25030"))], "what filled is not placed again"


def test_a_stop_that_fills_in_parts_takes_the_nearest_targets_with_it() -> None:
    venue = held_at(PLAIN, 3)
    venue.open_entry(3)
    venue.run()
    venue.fill(venue.names(STOP)[0], 1, "24995")
    venue.run()
    assert venue.working(TARGET) == [(1, D("25020")), (1, D("25030"))]
    venue.fill(venue.names(STOP)[0], 2, "24995")
    venue.run()
    assert venue.working(TARGET) == venue.working(STOP) == []
    assert venue.net == 0


def test_each_part_of_an_entry_gets_its_exits_when_it_fills() -> None:
    venue = held_at(PLAIN, 3)
    for filled in (1, 2, 3):
        venue.open_entry(1)
        venue.run()
        assert sum(qty for qty, _ in venue.working(STOP)) == filled
        assert sum(qty for qty, _ in venue.working(TARGET)) == filled
    assert [price for _, price in venue.working(TARGET)] == [D("25010"), D("25020"), D("25030")]


def test_what_no_target_closes_keeps_its_stop_when_the_target_has_filled() -> None:
    venue = held_at(PLAIN, 4, **HALF_RUNS)
    venue.open_entry(4)
    venue.run()
    assert (venue.working(STOP), venue.working(TARGET)) == ([(4, D("24995"))], [(2, D("25010"))])
    venue.fill(venue.names(TARGET)[0], 2, "25010")
    venue.run()
    assert (venue.working(STOP), venue.working(TARGET)) == ([(2, D("24995"))], [])


def test_without_a_stop_only_targets_are_placed() -> None:
    venue = held_at(PLAIN, 2, **NO_STOP)
    venue.open_entry(2)
    venue.run()
    assert (venue.working(STOP), venue.working(TARGET)) == ([], [(2, D("25010"))])


def test_where_one_pair_goes_along_several_targets_wait_for_the_fill_under_a_whole_stop() -> None:
    venue = held_at(SINGLE, 3)
    venue.desk.apply(venue.desk.leg(STOP, "501", qty=3, stop_price=D("24995"), bracket_index=0))
    venue.open_entry(3)
    venue.run()
    assert [one.client_order_id[:2] for one in venue.sent] == ["T-", "T-", "T-"], "the stop is there already"
    assert live_legs() == [("stop", 3), ("target", 1), ("target", 1), ("target", 1)]
    assert Order.objects.get(role="stop").target_index is None


def test_a_stop_that_the_entry_brought_along_is_not_placed_again_because_it_is_told_of_late() -> None:
    venue = held_at(SINGLE, 3)
    venue.open_entry(3)
    venue.run()
    assert [one.client_order_id[:2] for one in venue.sent] == ["T-", "T-", "T-"]
    venue.desk.apply(venue.desk.leg(STOP, "501", qty=3, stop_price=D("24995"), bracket_index=0))
    assert live_legs() == [("stop", 3), ("target", 1), ("target", 1), ("target", 1)]


def test_a_crash_between_the_fill_and_the_exits_loses_nothing() -> None:
    venue = held_at(PLAIN, 3)
    venue.open_entry(3)
    waiting = OrderIntent.objects.get(kind=IntentKind.PROTECT)
    assert (waiting.status, waiting.qty, waiting.reason_code) == (IntentStatus.CLEARED, 3, "EXITS_FOLLOW")
    venue.fills -= 1
    venue.book["500"].filled, venue.net = 0, 0
    venue.fill("500", 3)
    assert OrderIntent.objects.filter(kind=IntentKind.PROTECT).count() == 1, "the same fill again wishes nothing again"


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_events_leaves_more_in_exits_than_is_held(seed: int) -> None:
    """Parts of entry, stop and targets fill in any order, the lane keeps up after each."""
    chance = random.Random(seed)
    venue = held_at(PLAIN, 3, **chance.choice([THREE_TARGETS, HALF_RUNS]))
    for _ in range(12):
        entry_left = 3 - (venue.book["500"].filled if "500" in venue.book else 0)
        resting = [*venue.names(STOP), *venue.names(TARGET)]
        if entry_left and (not resting or chance.random() < 0.5):
            venue.open_entry(chance.randint(1, entry_left))
        elif resting:
            name = chance.choice(resting)
            venue.fill(name, chance.randint(1, venue.book[name].qty - venue.book[name].filled))
        venue.run()
        assert venue.net >= 0, "an exit opened a position"
        assert sum(qty for qty, _ in venue.working(STOP)) == venue.net, "the stop covers exactly what is held"
        assert sum(qty for qty, _ in venue.working(TARGET)) <= venue.net
    assert Position.objects.get().net_qty == venue.net


@pytest.mark.parametrize(
    ("venue", "legs", "native"),
    [
        (PLAIN, ((1, 10, 5),), ()),
        (SINGLE, ((3, 10, 5),), ((3, 10, 5),)),
        (SINGLE, ((1, 10, 5), (2, 20, 5)), ((3, None, 5),)),
        (SINGLE, ((1, 10, None), (2, 20, None)), ()),
        ("tradovate", ((1, 10, 5), (2, 20, 5)), ((1, 10, 5), (2, 20, 5))),
    ],
)
def test_what_goes_with_an_entry_is_what_the_venue_can_take(
    venue: str, legs: tuple[tuple[int, ...], ...], native: tuple[tuple[int, ...], ...]
) -> None:
    def bracket(rows: tuple[tuple[int, ...], ...]) -> tuple[BracketLeg, ...]:
        return tuple(BracketLeg(qty, *(None if d is None else D(d) for d in rest)) for qty, *rest in rows)

    assert native_part(bracket(legs), abilities_of(venue, "MNQZ6")) == bracket(native)


@pytest.mark.parametrize(
    ("symbol", "market"), [("MNQZ6", "futures"), ("AAPL", "stocks"), ("AAPL270115C00220000", "options")]
)
def test_a_symbol_tells_its_market(symbol: str, market: str) -> None:
    assert market_of(symbol) == market


@pytest.mark.parametrize(
    ("venue", "trigger", "step", "lacks"),
    [
        (PLAIN, 0, 0, ""),
        (PLAIN, 10, 0, "stops that trail from a trigger on or in steps"),
        (PLAIN, 0, 1, "stops that trail from a trigger on or in steps"),
        ("tradovate", 10, 1, ""),
        ("elsewhere", 0, 0, "trailing stops"),
    ],
)
def test_what_a_venue_cannot_do_is_named(venue: str, trigger: int, step: int, lacks: str) -> None:
    leg = BracketLeg(1, D(10), D(5), Trail(D(5), D(trigger), D(step)))
    assert lacking((leg,), abilities_of(venue, "MNQZ6")) == lacks


def test_an_entry_whose_exits_the_broker_cannot_do_is_denied_by_name(settings: Any) -> None:
    settings.BROKER_ENDPOINTS = {(PLAIN, "sandbox"): ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")}
    made = RecorderFactory(
        settings={"stop_distance": "20", "stop_type": "trailing", "trail_trigger_ticks": 10, "trail_step_ticks": 1}
    )
    TraderFactory(recorder=made, account__login__venue=PLAIN)
    (intent,) = planned_intents(made)
    assert (intent.status, intent.reason_code) == (IntentStatus.DENIED, "VENUE_CAPABILITY")
    assert "trail from a trigger" in intent.reason_text


def test_exits_wait_for_a_close_that_is_under_way() -> None:
    venue = held_at(PLAIN, 2)
    venue.open_entry(1)
    venue.run()
    leaving = OrderIntentFactory(
        trader=venue.desk.intent.trader, kind=IntentKind.EXIT, leg="exit", side="sell", symbol=venue.desk.intent.symbol,
        status=IntentStatus.DISPATCHED,
    )  # fmt: skip
    venue.open_entry(1)
    venue.run()
    waiting = OrderIntent.objects.get(kind=IntentKind.PROTECT, status=IntentStatus.CLEARED)
    assert waiting.after_id == leaving.id
    assert venue.working(STOP) == [(1, D("24995"))], "nothing was placed beside the close"
    OrderIntent.objects.filter(pk=leaving.pk).update(status=IntentStatus.FAILED)
    venue.run()
    assert sum(qty for qty, _ in venue.working(STOP)) == 2, "the close failed: what is held is covered"


def test_a_stop_that_came_with_an_entry_is_left_alone_while_the_entry_still_fills() -> None:
    venue = held_at(SINGLE, 3)
    whole = venue.desk.leg(STOP, "501", qty=3, stop_price=D("24995"), bracket_index=0)
    venue.desk.apply(whole)
    venue.open_entry(1)
    venue.desk.apply(replace(whole, parent_client_order_id=None, stop_price=D("24994")))
    assert Order.objects.get(role="stop").wanted_qty in {None, 3}, "told of alone, it is still meant for all three"
    venue.open_entry(2)
    assert live_legs() == [("stop", 3)]
