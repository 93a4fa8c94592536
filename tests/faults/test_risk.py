"""A limit is reached on fifty accounts while something dies: they end flat, verified and locked, and no other does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import redis

from execution.models import Flatten, FlattenStatus, Position
from justtrades import clock
from risk.models import AccountDay, ActionStatus, LimitKind, LimitScope, RiskAction, RiskLimit
from tests.e2e.house import PRICE, Follower, House, symbol
from tests.e2e.plant import Plant, running_plant, seen_from_here
from tests.faults import invariants

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
OVER, UNDER = 40, 10
ROOM = Decimal(100)
FALL = 60.0
"""Points: one MNQ contract loses 120 dollars, more than the room and far less than the stop would cost."""
PATIENCE_S = 90.0
SLOW_S = 3.0
"""So long the venue does nothing about an order: what is sent stays under way, and less than it takes to give it up."""
SETTINGS = {"targets": [], "stop_distance": 2000}


@pytest.fixture(scope="module")
def plant_process(django_db_blocker: Any) -> Iterator[Plant]:
    with django_db_blocker.unblock(), running_plant("projectx", "webull") as plant:
        with seen_from_here(plant):
            plant.run()
        yield plant


@pytest.fixture
def house(plant: Plant, make_house: Callable[..., House], request: pytest.FixtureRequest) -> House:
    venue: str = request.param
    for sandbox in plant.sandboxes.values():
        sandbox.clear_faults()
        sandbox.price(symbol(), PRICE)
    made = make_house(**SETTINGS)
    if venue == "paper":
        forget_prices(plant)
        # Paper has no market of its own: one Tradovate login tells the price.
        make_house(followers=1)
        made.follow_paper(OVER + UNDER)
    else:
        made.follow(OVER + UNDER, venue)
    made.await_live(PATIENCE_S)
    return made


def forget_prices(plant: Plant) -> None:
    """Paper would take what another drill's sandbox said last for the price of now, for as long as it is fresh."""
    with redis.Redis.from_url(f"{plant.valkey.url}/2") as quotes:
        for key in quotes.scan_iter("jt:quotes:*"):
            quotes.delete(key)


def venues(*names: str) -> Any:
    return pytest.mark.parametrize("house", names, indirect=True)


def arm(house: House) -> None:
    """The first forty may lose little, the others much."""
    for number, follower in enumerate(house.followers):
        account = follower.trader.account
        RiskLimit.objects.create(
            owner=house.owner,
            scope=LimitScope.ACCOUNT,
            account=account,
            kind=LimitKind.DAILY_LOSS,
            amount=ROOM if number < OVER else ROOM * 100,
        )
    accounts = [one.trader.account_id for one in house.followers]
    house.plant.until(
        lambda: AccountDay.objects.filter(account__in=accounts).count() == len(accounts), "each day is counted"
    )


def enter(house: House) -> None:
    house.post("buy")
    house.plant.until(lambda: held(house.followers) == len(house.followers), "all are in", PATIENCE_S)
    # Where the stop follows the fill, a lane that dies between them finds what was too long without it, and closes it.
    naked = Position.objects.filter(trader__in=[one.trader for one in house.followers], unprotected_since__isnull=False)
    house.plant.until(lambda: not naked.exists(), "all are under their stops", PATIENCE_S)
    accounts = [one.trader.account_id for one in house.followers]
    watched = AccountDay.objects.filter(account__in=accounts, open_positions=1, open_pnl__isnull=False)
    house.plant.until(lambda: watched.count() == len(accounts), "all are watched", PATIENCE_S)


def held(followers: Iterable[Follower]) -> int:
    return Position.objects.filter(trader__in=[one.trader for one in followers], net_qty=1).count()


def books(followers: list[Follower]) -> list[dict[str, Any]]:
    """What the venue has of these accounts; one look for all of them."""
    wanted = {one.broker_id for one in followers}
    return [state for state in followers[0].sandbox.state() if state["id"] in wanted]


def all_flat(followers: list[Follower]) -> bool:
    ours = not Position.objects.filter(trader__in=[one.trader for one in followers]).exclude(net_qty=0).exists()
    if not ours or followers[0].venue == "paper":
        return ours
    rows = books(followers)
    return len(rows) == len(followers) and all(
        row["positions"] == row["workingOrders"] == row["suspendedOrders"] == [] for row in rows
    )


def check_after(house: House) -> None:
    over, under = house.followers[:OVER], house.followers[OVER:]
    house.plant.until(lambda: all_flat(over), "who is over the limit is flat with nothing working", PATIENCE_S)
    accounts = [one.trader.account_id for one in over]
    verified = Flatten.objects.filter(account__in=accounts, status=FlattenStatus.FLAT)
    house.plant.until(lambda: verified.count() >= OVER, "each one is verified", PATIENCE_S)
    actions = RiskAction.objects.filter(account__owner=house.owner)
    assert set(actions.values_list("account_id", flat=True)) == set(accounts), "nobody else was touched"
    assert actions.count() == OVER, "decided once each"
    assert set(actions.values_list("status", flat=True)) == {ActionStatus.FLAT}
    assert actions.filter(locks_until__gt=clock.now(), unlocked_at=None).count() == OVER, "each one is locked"
    assert held(under) == UNDER
    if under[0].venue != "paper":
        assert all(row["positions"] for row in books(under))


def stays_locked(house: House) -> None:
    """A new alert goes to those that are not locked, and all that was promised holds of everybody."""
    house.await_live(PATIENCE_S)
    house.post("close")
    house.plant.until(lambda: all_flat(house.followers), "all are out", PATIENCE_S)
    house.post("buy")
    under = house.followers[OVER:]
    house.plant.until(lambda: held(under) == UNDER, "who is not locked is in again", PATIENCE_S)
    denied = [one.intents[-1] for one in house.followers[:OVER]]
    assert {(one.status, one.reason_code) for one in denied} == {("denied", "RISK_LOCK")}
    house.post("close")
    house.plant.until(lambda: all_flat(house.followers), "all are out", PATIENCE_S)
    invariants.hold(house)


def fall(house: House) -> None:
    """The price goes through the limit, at every venue."""
    for sandbox in house.plant.sandboxes.values():
        sandbox.price(symbol(), PRICE - FALL)


def slow_down(house: House) -> None:
    if house.followers[0].venue != "paper":
        house.followers[0].sandbox.fault("*", "delay", seconds=SLOW_S)


def quicken(house: House) -> None:
    if house.followers[0].venue != "paper":
        house.followers[0].sandbox.clear_faults()


def closing(house: House) -> int:
    """How many who are over the limit are being closed, and are not called flat."""
    accounts = [one.trader.account_id for one in house.followers[:OVER]]
    return Flatten.objects.filter(account__in=accounts, status=FlattenStatus.ACTING).count()


def nobody_is_out(house: House) -> bool:
    """Whether the venue has done nothing yet of what it was sent."""
    return sum(bool(row["positions"]) for row in books(house.followers[:OVER])) == OVER


def fall_slowly(house: House) -> None:
    """Return in the middle of the closing: everything is decided and sent, and the venue has not done it."""
    slow_down(house)
    fall(house)
    house.plant.until(lambda: closing(house) == OVER, "everybody over the limit is being closed")


def is_in_the_middle(house: House) -> None:
    """Call it when the fault has happened; from then on the venue is as quick as ever."""
    assert closing(house) == OVER
    assert nobody_is_out(house)
    quicken(house)


@venues("paper", "tradovate", "projectx", "webull")
def test_fifty_accounts_and_forty_over_the_limit(house: House) -> None:
    arm(house)
    enter(house)
    fall(house)
    check_after(house)
    stays_locked(house)


@pytest.mark.parametrize("point", ["guard.decided", "guard.sent"])
@venues("paper", "tradovate", "projectx", "webull")
def test_the_lane_dies_in_the_middle_of_the_closing(house: House, point: str) -> None:
    plant = house.plant
    arm(house)
    enter(house)
    plant.kill("lane")
    plant.start_lane(dies_at=point)
    house.await_live(PATIENCE_S)
    slow_down(house)
    fall(house)
    plant.wait_for_death("lane")
    assert closing(house) > 0, "what it had decided is written down, and not done"
    assert house.followers[0].venue == "paper" or nobody_is_out(house)
    quicken(house)
    plant.start_lane()
    check_after(house)
    stays_locked(house)


@venues("tradovate", "projectx", "webull")
def test_the_sweeper_and_valkey_die_in_the_middle_of_the_closing(house: House) -> None:
    plant = house.plant
    arm(house)
    enter(house)
    fall_slowly(house)
    plant.kill("sweeper")
    plant.valkey.kill()
    try:
        is_in_the_middle(house)
        check_after(house)
    finally:
        plant.valkey.start()
        plant.start_sweeper()
    stays_locked(house)


@venues("tradovate", "projectx", "webull")
def test_every_socket_is_dropped_in_the_middle_of_the_closing(house: House) -> None:
    arm(house)
    enter(house)
    fall_slowly(house)
    house.followers[0].sandbox.fault("*", "token_expiry", drop_sockets=True)
    is_in_the_middle(house)
    check_after(house)
    stays_locked(house)
