"""What a person does at the broker by hand, beside a trader of ours on the same contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.house import House, symbol

BUY, SELL = 1, -1


@pytest.mark.parametrize("action", ["Buy", "Sell"])
def test_contracts_of_ones_own_do_not_hold_up_the_trader(make_house: Callable[..., House], action: str) -> None:
    house = make_house(followers=1, initial_position_size=2)
    (follower,) = house.followers
    house.post("buy")
    house.await_protected(BUY, 2)
    house.plant.sandbox.manual(follower.broker_id, symbol(), action, 1)
    at_venue = 3 if action == "Buy" else 1
    house.plant.until(lambda: follower.venue_net == at_venue, "the venue holds both")
    house.post("close")
    house.await_flat()
    house.plant.until(lambda: all(intent.finished_at is not None for intent in follower.intents), "nothing is left")
    house.post("sell")
    house.await_protected(SELL, 2)
