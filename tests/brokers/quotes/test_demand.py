"""Who has no feed asks those who have one."""

from __future__ import annotations

import pytest

from brokers.quotes import demand
from tests.brokers.scripted import until

pytestmark = pytest.mark.usefixtures("valkey")


def test_what_several_want_is_wanted_once() -> None:
    demand.want(["MNQZ6", "MESZ6"])
    demand.want(["MNQZ6"])
    demand.want([])
    assert demand.wanted() == {"MNQZ6", "MESZ6"}


def test_a_wish_ends_by_itself() -> None:
    demand.want(["MNQZ6"], seconds=0.05)
    demand.want(["MESZ6"])
    until(lambda: demand.wanted() == {"MESZ6"})


def test_a_short_wish_does_not_end_a_longer_one() -> None:
    demand.want(["MNQZ6"], seconds=60)
    demand.want(["MNQZ6"], seconds=0.01)
    demand.want(["MESZ6"], seconds=0.02)
    until(lambda: "MESZ6" not in demand.wanted())
    assert demand.wanted() == {"MNQZ6"}
