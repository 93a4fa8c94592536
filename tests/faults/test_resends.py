"""F22 and F23: the same alert again and again, and forty times at once, through the real web process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from recorders.models import Signal
from tests.e2e.house import House
from tests.faults import invariants

pytestmark = pytest.mark.faults


def test_f22_resends_are_one_signal_and_one_order(make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    body = house.alert("buy")
    for _ in range(4):
        assert house.send(body).status_code == requests.codes.ok
        house.await_protected(+1)
    assert len(set(house.promised)) == 1
    assert Signal.objects.get(recorder=house.recorder).resend_count == 3
    invariants.hold(house)
    assert [len(one.entries_at_venue()) for one in house.followers] == [1, 1]


def test_f23_forty_at_once_have_one_winner(make_house: Callable[..., House]) -> None:
    house = make_house(followers=2)
    body = house.alert("buy")
    barrier = threading.Barrier(40)

    def send(_: int) -> int:
        barrier.wait(20)
        return house.send(body, timeout_s=20).status_code

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(send, range(40))) == {requests.codes.ok}
    assert len(house.promised) == 40
    assert len(set(house.promised)) == 1
    assert Signal.objects.get(recorder=house.recorder).resend_count == 39
    house.await_protected(+1)
    invariants.hold(house)
    assert [len(one.entries_at_venue()) for one in house.followers] == [1, 1]
