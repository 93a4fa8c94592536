"""F1 to F3: the web process dies at each moment of receiving, as the sender sees it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest
import requests

from recorders.models import Signal
from tests.e2e.house import House
from tests.e2e.plant import Plant
from tests.faults import invariants

pytestmark = pytest.mark.faults
DOOMED = "doomed-web"


@pytest.fixture
def doomed_web(plant: Plant) -> Iterator[Callable[[str], str]]:
    """A second web process that dies at a kill-point; the other one stands in for its replacement."""
    yield lambda point: plant.start_web(DOOMED, dies_at=point)
    plant.signal(DOOMED, signal.SIGKILL)
    plant.kill(DOOMED)


def is_answered(house: House, body: bytes, web_url: str) -> bool:
    try:
        return house.send(body, web_url=web_url).status_code == requests.codes.ok
    except requests.ConnectionError:
        return False


def test_f1_killed_before_the_commit_nothing_is_stored_and_a_resend_is_the_first(
    make_house: Callable[..., House], doomed_web: Callable[[str], str]
) -> None:
    house = make_house(followers=1)
    body = house.alert("buy")
    assert not is_answered(house, body, doomed_web("webhook.pre_commit"))
    assert Signal.objects.filter(recorder=house.recorder).count() == 0
    assert is_answered(house, body, house.plant.web_url)
    house.await_protected(+1)
    assert Signal.objects.get(recorder=house.recorder).resend_count == 0
    invariants.hold(house)


@pytest.mark.parametrize(("fault", "point"), [("f2", "webhook.post_commit"), ("f3", "webhook.pre_ring")])
def test_f2_f3_killed_after_the_commit_the_sweeper_acts_and_a_resend_is_known(
    make_house: Callable[..., House], doomed_web: Callable[[str], str], fault: str, point: str
) -> None:
    house = make_house(followers=1)
    body = house.alert("buy")
    assert not is_answered(house, body, doomed_web(point)), fault
    stored = Signal.objects.get(recorder=house.recorder)
    house.await_protected(+1)
    assert is_answered(house, body, house.plant.web_url)
    assert house.promised == [str(stored.pk)]
    assert Signal.objects.get(recorder=house.recorder).resend_count == 1
    invariants.hold(house)
