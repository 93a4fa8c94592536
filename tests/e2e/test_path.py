"""One alert becomes a protected position on every follower, and the next one ends it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from execution.models import IntentSource, IntentStatus, Order, OrderIntent, Position
from recorders.models import SignalStatus
from tests.e2e.house import PRICE, STOP_POINTS, TARGET_POINTS, House, symbol

BUY, SELL = 1, -1


@pytest.mark.parametrize(("action", "side"), [("buy", BUY), ("sell", SELL)])
def test_entry_then_close(make_house: Callable[..., House], action: str, side: int) -> None:
    house = make_house(followers=3)
    house.followers[2].trader.multiplier = Decimal(2)
    house.followers[2].trader.save()
    signal_id = house.post(action)
    sizes = [1, 1, 2]
    for follower, size in zip(house.followers, sizes, strict=True):
        house.plant.until(lambda f=follower, s=size: f.net == f.venue_net == side * s, f"{follower} holds {size}")
        house.plant.until(lambda f=follower: len(f.venue_exits) == 2, f"{follower} has stop and target")
        way_out = "Sell" if side == BUY else "Buy"
        assert follower.venue_exits == [
            (way_out, "Limit", size, PRICE + side * TARGET_POINTS),
            (way_out, "Stop", size, PRICE - side * STOP_POINTS),
        ]
        house.plant.until(lambda f=follower: f.intents[0].protected_at is not None, f"{follower} knows that it is safe")
        assert follower.position.avg_price == Decimal(PRICE)
        (intent,) = follower.intents
        assert (intent.status, intent.side, intent.qty) == (IntentStatus.DONE, action, size)
        assert intent.created_at <= intent.sent_at <= intent.acknowledged_at <= intent.protected_at
    assert house.signal(signal_id).status == SignalStatus.PLANNED
    house.post("close")
    house.await_flat()
    for follower in house.followers:
        assert [
            intent.status for intent in house.plant.until(lambda f=follower: _finished(f.intents), "intents done")
        ] == [IntentStatus.DONE] * 2
        assert follower.position.realized_pnl == 0
        assert not Order.objects.filter(account=follower.trader.account, status__in=["working", "suspended"]).exists()


def _finished(intents: list[OrderIntent]) -> list[OrderIntent]:
    return intents if all(intent.finished_at is not None for intent in intents) else []


def test_distances_count_from_each_fill_not_from_the_alerts_price(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    house.post("buy", price="24000")
    house.await_protected(BUY)
    assert house.followers[0].venue_exits == [
        ("Sell", "Limit", 1, PRICE + TARGET_POINTS),
        ("Sell", "Stop", 1, PRICE - STOP_POINTS),
    ]


def test_a_reversal_ends_one_position_and_opens_the_other(make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(BUY)
    house.post("sell")
    house.await_protected(SELL)
    for follower in house.followers:
        assert follower.venue_exits == [
            ("Buy", "Limit", 1, PRICE - TARGET_POINTS),
            ("Buy", "Stop", 1, PRICE + STOP_POINTS),
        ]
        assert [(intent.leg, intent.status) for intent in follower.intents] == [
            ("entry", "done"), ("exit", "done"), ("entry", "done"),
        ]  # fmt: skip


@pytest.mark.parametrize(("price", "pnl"), [(PRICE + TARGET_POINTS, 20), (PRICE - STOP_POINTS, -10)])
def test_the_exit_that_is_reached_flattens_and_takes_the_other_one_with_it(
    make_house: Callable[..., House], price: float, pnl: int
) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(BUY)
    house.plant.sandbox.price(symbol(), price)
    house.await_flat()
    for follower in house.followers:
        assert follower.position.realized_pnl == pnl
        assert follower.position.avg_price is None
        statuses = Order.objects.filter(trader=follower.trader).values_list("role", "status")
        assert sorted(statuses) == sorted(
            [
                ("entry", "filled"),
                ("target", "filled" if pnl > 0 else "canceled"),
                ("stop", "canceled" if pnl > 0 else "filled"),
            ]
        )


def test_the_same_direction_again_changes_nothing(make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    house.post("buy")
    house.await_protected(BUY)
    again = house.post("buy")
    signal = house.plant.until(lambda: _settled(house, again), "the second signal is judged")
    assert (signal.status, signal.reason_code) == (SignalStatus.IGNORED, "SAME_DIRECTION")
    assert [len(follower.entries_at_venue()) for follower in house.followers] == [1, 1]


def _settled(house: House, signal_id: str):
    signal = house.signal(signal_id)
    return signal if signal.status != SignalStatus.RECEIVED else None


def test_a_close_of_nothing_opens_nothing(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    signal_id = house.post("close")
    signal = house.plant.until(lambda: _settled(house, signal_id), "the signal is judged")
    assert (signal.status, signal.reason_code) == (SignalStatus.IGNORED, "ALREADY_FLAT")
    assert house.followers[0].at_venue["orders"] == 0


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [({"targets": []}, ["Stop"]), ({"stop_distance": 0}, ["Limit"]), ({"targets": [], "stop_distance": 0}, [])],
)
def test_zero_places_nothing(make_house: Callable[..., House], settings: dict[str, Any], kinds: list[str]) -> None:
    house = make_house(followers=1, **settings)
    (follower,) = house.followers
    house.post("buy")
    house.plant.until(lambda: follower.net == follower.venue_net == 1, "the position is there")
    house.plant.until(lambda: [kind for _, kind, _, _ in follower.venue_exits] == kinds, f"only {kinds}")
    house.plant.until(
        lambda: Position.objects.get(trader=follower.trader).unprotected_since is None, "nothing is missing"
    )
    house.post("close")
    house.await_flat()


def test_two_recorders_on_one_account_leave_each_others_share_alone(make_house: Callable[..., House]) -> None:
    first = make_house(followers=1)
    second = make_house(targets=[{"distance": 80}], stop_distance=60)
    (one,) = first.followers
    (other,) = second.follow_on(one.trader.account.login, overrides={"initial_position_size": 2})
    first.post("buy")
    first.await_protected(BUY)
    second.post("buy")
    first.plant.until(lambda: other.net == 2 and other.venue_net == 3, "the broker holds the net")
    first.plant.until(lambda: len(other.venue_exits) == 4, "both have their exits")
    first.post("close")
    first.plant.until(lambda: one.net == 0 and other.venue_net == 2, "the first one's share is gone")
    first.plant.until(lambda: len(other.venue_exits) == 2, "and its exits")
    assert other.venue_exits == [("Sell", "Limit", 2, PRICE + 20), ("Sell", "Stop", 2, PRICE - 15)]
    assert other.net == 2
    second.post("close")
    second.await_flat()


def test_a_login_with_two_accounts_shares_one_socket(make_house: Callable[..., House]) -> None:
    house = make_house()
    sandbox = house.plant.sandbox
    wanted = {"username": "both", "password": "two-accounts", "accounts": ["BOTH-1", "BOTH-2"]}
    rows = sandbox.post("/accounts", logins=[wanted])
    before = sandbox.stats()["sockets"]
    login = house.connect(rows[0]["username"], rows[0]["password"])
    house.follow_on(login)
    house.await_live()
    assert len({follower.broker_id for follower in house.followers}) == 2
    house.post("buy")
    house.await_protected(BUY)
    authorised = [row for row in sandbox.arrivals() if row["endpoint"] == "authorize" and row["username"] == "both"]
    assert len(authorised) <= 2, "one for orders, at most one for quotes"
    assert sandbox.stats()["sockets"] - before <= 2
    house.post("close")
    house.await_flat()


def test_a_position_closed_by_hand_is_taken_in_and_its_exits_are_canceled(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1)
    (follower,) = house.followers
    house.post("buy")
    house.await_protected(BUY)
    house.plant.sandbox.manual(follower.broker_id, symbol(), "Sell", 1)
    house.await_flat()
    house.post("buy")
    house.await_protected(BUY)


def test_a_stop_that_was_refused_is_placed_again(make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    naked, safe = house.followers
    reject = {"reason": "InvalidPrice", "mode": "async", "leg": "stop"}
    house.plant.sandbox.fault(naked.broker_id, "reject", **reject)
    house.post("buy")
    house.plant.until(lambda: naked.net == 1, "the position is there")
    house.await_protected(BUY)
    assert [intent.reason_code for intent in naked.intents if intent.source == IntentSource.RISK_ACTION] == ["REARM"]
    assert sorted(kind for _, kind, _, _ in naked.venue_exits) == ["Limit", "Stop"]
    assert safe.net == safe.venue_net == 1
