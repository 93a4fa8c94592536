"""Where the exits would be: asked over the API, nothing stored."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from recorders.models import Signal
from tests.factories import Chain

ASKED = {"ticker": "MNQ1!", "side": "buy", "price": "20000"}
HALVES = [{"ticks": 40, "trim": 50}, {"distance": 20, "unit": "points"}]


def ask(client: APIClient, **given: Any) -> Any:
    return client.post("/api/traders/preview/", {**ASKED, **given}, format="json")


def test_sizes_of_one_to_ten(alice: APIClient) -> None:
    rows = ask(alice, targets=HALVES, stop_ticks=20).json()
    assert [row["size"] for row in rows] == list(range(1, 11))
    assert [sum(leg["contracts"] for leg in row["legs"]) for row in rows] == list(range(1, 11))
    assert rows[2]["legs"] == [
        {"contracts": 2, "target_price": "20010", "stop_price": "19995"},
        {"contracts": 1, "target_price": "20020", "stop_price": "19995"},
    ]


def test_of_a_recorder_with_and_without_changes(alice: APIClient, hers: Chain) -> None:
    recorder = str(hers.recorder.pk)
    usual = {"contracts": 1, "target_price": "20010", "stop_price": "19995"}
    assert ask(alice, recorder=recorder).json()[0]["legs"] == [usual]
    changed = ask(alice, recorder=recorder, stop_ticks=0, side="sell").json()[0]["legs"]
    assert changed == [{"contracts": 1, "target_price": "19990", "stop_price": None}]
    assert ask(alice, recorder=recorder, stop_ticks=None).json()[0]["legs"] == [usual]
    assert ask(alice).json()[0]["legs"] == [{"contracts": 1, "target_price": None, "stop_price": None}]
    assert Signal.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ticker": "NOTHING"}, "ticker"),
        ({"ticker": ""}, "ticker"),
        ({"ticker": "x" * 65}, "ticker"),
        ({"side": "long"}, "side"),
        ({"side": None}, "side"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e999999"}, "price"),
        ({"price": True}, "price"),
        ({"price": 10_000_001}, "price"),
        ({"price": None}, "price"),
        ({"stop_distance": True}, "stop_distance"),
        ({"targets": [{"distance": 1, "trim": 101}]}, "targets"),
        ({"recorder": "x"}, "recorder"),
        ({"recorder": None}, "recorder"),
        ({"size": 3}, "size"),
    ],
    ids=repr,
)
def test_what_cannot_be_previewed_is_named(given: dict[str, Any], named: str, alice: APIClient) -> None:
    answer = ask(alice, **given)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])


def test_the_largest_settings_are_computed(alice: APIClient) -> None:
    far = [{"distance": "100000000", "unit": unit} for unit in ("ticks", "points", "percent", "dollars", "price")]
    for ticker in ("6J1!", "ZN1!", "CL1!", "MNQ1!"):
        for side in ("buy", "sell"):
            answer = ask(alice, ticker=ticker, side=side, targets=far, stop_distance="0.0000000001", price="9999999.5")
            assert answer.status_code == 200, answer.json()


def test_charlie_previews_only_what_is_theirs(charlie: APIClient, hers: Chain) -> None:
    answer = ask(charlie, recorder=str(hers.recorder.pk))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["recorder"])
    assert ask(APIClient()).status_code == 401
