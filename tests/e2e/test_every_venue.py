"""One signal, twenty accounts, five venues: each ends with the same position under its own stop and targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import OrderRole
from execution.models import IntentStatus, Order, Position
from tests.e2e.house import PRICE, STOP_POINTS, TARGET_POINTS, Follower, House, symbol
from tests.e2e.plant import Plant, running_plant, seen_from_here
from traders.quota import quota_of

SANDBOXED = ("tradovate", "ninjatrader", "projectx", "webull")
ACCOUNTS_EACH = 4
ORDER_ENDPOINTS = {
    "tradovate": "orderstrategy/startorderstrategy",
    "projectx": "order/place",
    "webull": "trading/orders/place",
}
TWO_TARGETS = [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}]
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def plant_process(django_db_blocker: Any) -> Iterator[Plant]:
    with django_db_blocker.unblock(), running_plant("projectx", "webull") as plant:
        with seen_from_here(plant):
            plant.run()
        yield plant


@pytest.fixture
def house(plant: Plant, make_house: Callable[..., House]) -> House:
    """Four accounts at each venue follow one recorder whose signals are two contracts with two targets."""
    for sandbox in plant.others.values():
        sandbox.clear_faults()
        sandbox.price(symbol(), PRICE)
    made = make_house(targets=TWO_TARGETS, initial_position_size=2)
    for venue in SANDBOXED:
        made.follow(ACCOUNTS_EACH, venue)
    made.follow_paper(ACCOUNTS_EACH)
    made.await_live()
    return made


def holds(follower: Follower, net: int) -> bool:
    return follower.net == net and (follower.venue == "paper" or follower.venue_net == net)


def exits_at(follower: Follower) -> list[tuple[str, int, Decimal]]:
    """Kind, remaining contracts and price of each working exit, merged by price; the venue's own where it has some."""
    if follower.venue == "paper":
        rows = Order.objects.filter(trader=follower.trader, role__in=[OrderRole.STOP, OrderRole.TARGET])
        found = [
            ("Stop" if row.role == OrderRole.STOP else "Limit", row.qty - row.filled_qty, row.stop_price or row.price)
            for row in rows.filter(status="working")
        ]
    else:
        found = [(kind, qty, price) for _, kind, qty, price in follower.venue_exits]
    merged: dict[tuple[str, Decimal], int] = {}
    for kind, qty, price in found:
        merged[kind, Decimal(str(price))] = merged.get((kind, Decimal(str(price))), 0) + qty
    return sorted((kind, qty, price) for (kind, price), qty in merged.items())


def order_requests(house: House, venue: str, since: float) -> int:
    """What the venue itself counted."""
    arrivals = house.plant.sandboxes[venue].arrivals(since)
    return sum(row["endpoint"] == ORDER_ENDPOINTS[venue] for row in arrivals)


def test_one_signal_on_twenty_accounts_of_five_venues(house: House) -> None:
    price, target, stop = Decimal(str(PRICE)), Decimal(str(TARGET_POINTS)), Decimal(str(STOP_POINTS))
    wanted = [("Limit", 1, price + target), ("Limit", 1, price + 2 * target), ("Stop", 2, price - stop)]
    began, plan = time.time(), quota_of(house.recorder)
    house.post("buy")
    for follower in house.followers:
        house.plant.until(lambda f=follower: holds(f, 2), f"{follower.venue} holds two", PATIENCE_S)
        house.plant.until(lambda f=follower: exits_at(f) == wanted, f"{follower.venue} has its exits", PATIENCE_S)
    assert len(house.followers) == 5 * ACCOUNTS_EACH
    protected = Position.objects.filter(trader__recorder=house.recorder, net_qty=2, unprotected_since__isnull=True)
    house.plant.until(lambda: protected.count() == len(house.followers), "all are protected in our books")
    on_wires = sum(order_requests(house, venue, began) for venue in ORDER_ENDPOINTS)
    assert (plan.accounts, plan.calls) == (len(house.followers), on_wires + ACCOUNTS_EACH), "paper's are on no wire"
    house.post("close")
    for follower in house.followers:
        house.plant.until(lambda f=follower: holds(f, 0), f"{follower.venue} is flat", PATIENCE_S)
        house.plant.until(lambda f=follower: exits_at(f) == [], f"{follower.venue} has nothing working", PATIENCE_S)
        ended = house.plant.until(
            lambda f=follower: all(one.finished_at is not None for one in f.intents) and f.intents, "all is finished"
        )
        assert {one.status for one in ended} == {IntentStatus.DONE}, follower.venue
        if follower.venue != "paper":
            assert len(follower.entries_at_venue()) == len(set(follower.entries_at_venue()))


@pytest.mark.parametrize("venue", ["projectx", "webull"])
def test_a_target_that_is_reached_leaves_the_rest_under_a_smaller_stop(house: House, venue: str) -> None:
    house.post("buy")
    mine = [follower for follower in house.followers if follower.venue == venue]
    for follower in mine:
        house.plant.until(lambda f=follower: len(exits_at(f)) == 3, f"{venue} has its exits", PATIENCE_S)
    house.plant.sandboxes[venue].price(symbol(), PRICE + TARGET_POINTS)
    for follower in mine:
        house.plant.until(lambda f=follower: holds(f, 1), "one target is reached", PATIENCE_S)
        house.plant.until(
            lambda f=follower: [row[:2] for row in exits_at(f)] == [("Limit", 1), ("Stop", 1)], "one pair is left"
        )
    house.plant.sandboxes[venue].price(symbol(), PRICE - STOP_POINTS)
    for follower in mine:
        house.plant.until(lambda f=follower: holds(f, 0) and exits_at(f) == [], "stopped out, nothing left", PATIENCE_S)
