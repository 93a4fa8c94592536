"""F33 to F51 at the venues that are asked over REST: they misbehave towards one account, and to it alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from execution.models import Fill, IntentStatus, Order
from risk.models import AccountRules
from tests.e2e.house import PRICE, Follower, House, symbol
from tests.e2e.plant import Plant, running_plant, seen_from_here
from tests.faults import invariants
from tests.faults.test_broker import entry_statuses, holds, login_state

pytestmark = pytest.mark.faults
VENUES = ("projectx", "webull")
ALL = ("tradovate", *VENUES)
every_venue = pytest.mark.parametrize("venue", ALL, indirect=True)
PATIENCE_S = 60.0
"""A hub may be silent for thirty seconds before it counts as lost."""


@pytest.fixture(scope="module")
def plant_process(django_db_blocker: Any) -> Iterator[Plant]:
    with django_db_blocker.unblock(), running_plant(*VENUES) as plant:
        with seen_from_here(plant):
            plant.run()
        yield plant


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest, plant: Plant) -> Iterator[str]:
    for sandbox in plant.sandboxes.values():
        sandbox.clear_faults()
        sandbox.price(symbol(), PRICE)
    yield request.param
    for sandbox in plant.sandboxes.values():
        sandbox.clear_faults()


@pytest.fixture
def make(venue: str, make_house: Callable[..., House]) -> Callable[..., House]:
    def made(followers: int, **settings: Any) -> House:
        house = make_house(**settings)
        house.follow(followers, venue)
        house.await_live()
        return house

    return made


def fault(follower: Follower, kind: str, **params: Any) -> None:
    follower.sandbox.fault(follower.broker_id, kind, **params)


def fault_login(follower: Follower, kind: str, **params: Any) -> None:
    follower.sandbox.fault(follower.login_name, kind, **params)


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_f33_f34_an_answer_that_does_not_come_or_cannot_be_read_is_found_out(
    plant: Plant, make: Callable[..., House], kind: str
) -> None:
    house = make(2)
    fault(house.followers[0], kind)
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert len(house.followers[0].entries_at_venue()) == 1


def test_f33_a_connection_lost_before_the_order_was_taken_is_found_out(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(2)
    lost, healthy = house.followers
    fault(lost, "drop_before_accept")
    house.post("buy")
    plant.until(lambda: holds(healthy, 1), "the other one is not held up")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert len(lost.entries_at_venue()) == 1, "this venue takes no id twice: what was proven not placed went again"


def test_f35_a_broker_that_takes_eight_seconds_is_doubted_then_believed(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(2)
    slow, healthy = house.followers
    fault(slow, "delay", seconds=8, count=1)
    house.post("buy")
    plant.until(lambda: holds(healthy, 1), "the other one is not held up")
    plant.until(lambda: "unknown" in entry_statuses(slow), "the slow one is doubted")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert len(slow.entries_at_venue()) == 1


def test_f36_one_account_that_hangs_holds_up_nobody(plant: Plant, make: Callable[..., House]) -> None:
    house = make(6)
    hung, *others = house.followers
    fault(hung, "hang", count=1)
    house.post("buy")
    plant.until(lambda: all(holds(one, 1) for one in others), "the others are in")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert len(hung.entries_at_venue()) == 1


@every_venue
def test_f37_too_many_requests_is_no_success_and_no_storm(plant: Plant, make: Callable[..., House]) -> None:
    house = make(2)
    limited, healthy = house.followers
    fault(limited, "rate_limit", count=1)
    house.post("buy")
    plant.until(lambda: holds(healthy, 1), "the other one is not held up")
    plant.until(lambda: limited.intents[0].finished_at is not None, "it ends", PATIENCE_S)
    assert limited.intents[0].status in {IntentStatus.FAILED, IntentStatus.EXPIRED}
    assert limited.entries_at_venue() == []
    assert limited.net == 0


def test_f39_a_token_that_expires_under_an_order_is_renewed_and_the_order_placed_once(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(2)
    expired = house.followers[0]
    fault_login(expired, "token_expiry")
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert len(expired.entries_at_venue()) == 1
    plant.until(lambda: login_state(expired) == "live", "the login is well again", PATIENCE_S)


@every_venue
def test_f40_a_login_that_is_refused_stops_alone_and_its_position_is_still_shown(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(2)
    refused, healthy = house.followers
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    fault_login(refused, "bad_login")
    fault_login(refused, "token_expiry", drop_sockets=True)
    house.post("close")
    plant.until(lambda: holds(healthy, 0), "the other one is out")
    plant.until(lambda: login_state(refused) == "failed", "its owner is told", PATIENCE_S)
    assert refused.net == refused.venue_net == 1
    refused.sandbox.clear_faults()


def test_f41_a_stream_that_says_nothing_is_left_and_the_order_is_found_by_asking(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(2)
    silent = house.followers[0]
    fault_login(silent, "silent_socket")
    house.post("buy")
    plant.until(lambda: silent.venue_net == 1, "the venue took it")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    house.post("close")
    house.await_flat(timeout_s=PATIENCE_S)
    invariants.hold(house)


def test_f44_an_entry_that_fills_in_parts_is_covered_part_by_part(plant: Plant, make: Callable[..., House]) -> None:
    house = make(1, initial_position_size=3, targets=[{"distance": 40, "trim": 50}, {"distance": 80}])
    (follower,) = house.followers
    fault(follower, "partial_fill", parts=[1, 2], interval=1.0)
    house.post("buy")
    house.await_protected(+1, 3, timeout_s=PATIENCE_S)
    plant.until(
        lambda: sum(qty for _, kind, qty, _ in follower.venue_exits if kind == "Limit") == 3, "all have targets"
    )
    house.post("close")
    house.await_flat(timeout_s=PATIENCE_S)
    invariants.hold(house)


@every_venue
def test_f46_a_target_that_is_refused_leaves_the_stop_and_is_tried_once_more(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(1)
    (follower,) = house.followers
    fault(follower, "reject", leg="target", mode="exchange")
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    plant.until(
        lambda: Order.objects.filter(trader=follower.trader, role="target", status="rejected").exists(),
        "the refused target is shown",
    )
    plant.until(
        lambda: sorted(kind for _, kind, _, _ in follower.venue_exits) == ["Limit", "Stop"], "it is placed once more"
    )
    house.post("close")
    house.await_flat(timeout_s=PATIENCE_S)
    invariants.hold(house)


@every_venue
def test_f47_a_stop_that_is_refused_is_placed_again(plant: Plant, make: Callable[..., House]) -> None:
    house = make(1)
    (follower,) = house.followers
    fault(follower, "reject", leg="stop", mode="exchange")
    house.post("buy")
    plant.until(lambda: follower.venue_net == 1, "it is in")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert "REARM" in {intent.reason_code for intent in follower.intents}


@every_venue
def test_f47_a_stop_that_is_refused_ends_the_position_where_that_is_the_rule(
    plant: Plant, make: Callable[..., House]
) -> None:
    house = make(1)
    (follower,) = house.followers
    AccountRules.objects.create(account=follower.trader.account, unprotected_policy="flatten")
    fault(follower, "reject", leg="stop", mode="exchange")
    house.post("buy")
    plant.until(lambda: follower.venue_net == 1, "it is in")
    house.await_flat(timeout_s=PATIENCE_S)
    invariants.hold(house)
    assert "UNPROTECTED" in {intent.reason_code for intent in follower.intents}


def test_f51_an_empty_answer_is_not_flat(plant: Plant, make: Callable[..., House]) -> None:
    house = make(1)
    (follower,) = house.followers
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    fault(follower, "empty_lists", count=20, endpoint="*")
    fault_login(follower, "silent_socket")
    plant.until(lambda: _taken(follower, "empty_lists") >= 2, "it was told nothing, twice", PATIENCE_S)
    assert follower.net == follower.venue_net == 1
    follower.sandbox.clear_faults()
    house.await_protected(+1, timeout_s=PATIENCE_S)
    assert Fill.objects.filter(account=follower.trader.account).count() == 1


def _taken(follower: Follower, kind: str) -> int:
    return sum(row["taken"] for row in follower.sandbox.faults() if row["kind"] == kind)


def test_f48_a_sibling_that_the_venue_leaves_working_is_canceled(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    sandbox = plant.others["projectx"]
    sandbox.clear_faults()
    sandbox.price(symbol(), PRICE)
    house = make_house()
    house.follow(1, "projectx")
    house.await_live()
    (follower,) = house.followers
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
    fault(follower, "sibling_survives")
    sandbox.price(symbol(), PRICE + 10)
    house.await_flat(timeout_s=PATIENCE_S)
    invariants.hold(house)


STORM_LOGINS = 20
MOST_EACH = 15
"""Requests of one login for coming back: signing in, listing, one look at everything, and a refused try or two."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stormed", ["tradovate", "projectx"])
def test_f38_twenty_streams_that_are_told_to_slow_down_come_back_without_a_storm(
    plant: Plant, make_house: Callable[..., House], stormed: str
) -> None:
    sandbox = plant.sandboxes[stormed]
    sandbox.clear_faults()
    house = make_house()
    house.follow(STORM_LOGINS, stormed)
    house.await_live()
    began = time.time()
    sandbox.fault("*", "rate_limit", endpoint="*", count=3)
    sandbox.fault("*", "shutdown")
    plant.until(lambda: any(login_state(one) != "live" for one in house.followers), "they lost their streams")
    house.await_live(timeout_s=200)
    assert len(sandbox.arrivals(began)) <= STORM_LOGINS * MOST_EACH
    sandbox.clear_faults()
    house.post("buy")
    house.await_protected(+1, timeout_s=PATIENCE_S)
