"""Every setting as a trader's override: null is inherited, 0 is 0, and what is not given stays."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from justtrades.testing import Cast
from recorders.models import Recorder
from recorders.settings import FIELDS, defaults
from tests.api.test_settings_recorders import BAD, CANONICAL, NEEDS, TARGETS, VALUES, kind_of
from tests.factories import BrokerAccountFactory, Chain, RecorderFactory, TraderFactory
from traders.models import Trader

pytestmark = pytest.mark.usefixtures("ready_broker")


def own(trader: Trader) -> str:
    return f"/api/traders/{trader.pk}/"


@pytest.fixture
def plain(cast: Cast) -> Trader:
    """Alice's trader without overrides, of a recorder of which every setting is the default."""
    recorder = RecorderFactory(owner=cast.alice, template=defaults())
    return TraderFactory(recorder=recorder)


@pytest.mark.parametrize("name", FIELDS)
def test_an_override_reads_back_and_is_cleared_by_null(name: str, alice: APIClient, plain: Trader) -> None:
    given = {name: VALUES[name], **NEEDS.get(name, {})}
    before = alice.get(own(plain)).json()
    assert [before[field] for field in FIELDS] == [None] * len(FIELDS)
    changed = alice.patch(own(plain), given, format="json").json()
    assert {field: changed[field] for field in FIELDS if changed[field] is not None} == given
    assert changed["effective"][name] == {"value": VALUES[name], "source": "trader"}
    assert before["effective"][name] == {"value": defaults()[name], "source": "recorder"}
    untouched = alice.patch(own(plain), {"multiplier": "2"}, format="json").json()
    assert untouched[name] == VALUES[name]
    assert alice.patch(own(plain), dict.fromkeys(given), format="json").json() == before | {
        "multiplier": "2",
        "effective": before["effective"] | {"multiplier": {"value": "2", "source": "trader"}},
    }
    plain.refresh_from_db()
    assert plain.overrides == {}


@pytest.mark.parametrize("name", FIELDS)
def test_an_override_at_creation(name: str, alice: APIClient, cast: Cast, plain: Trader) -> None:
    given = {name: VALUES[name], **NEEDS.get(name, {})}
    account = BrokerAccountFactory(login__owner=cast.alice)
    ids = {"recorder": str(plain.recorder_id), "account": str(account.pk)}
    made = alice.post("/api/traders/", {**ids, **given}, format="json")
    assert made.status_code == 201, made.json()
    assert {field: made.json()[field] for field in FIELDS if made.json()[field] is not None} == given


@pytest.mark.parametrize("name", FIELDS)
def test_a_wrong_type_names_the_field(name: str, alice: APIClient, plain: Trader) -> None:
    for value in BAD[kind_of(name)]:
        if value is None:
            continue
        answer = alice.patch(own(plain), {name: value}, format="json")
        assert answer.status_code == 400, value
        assert {key.partition(".")[0] for key in answer.json()["errors"]} == {name}, value
    plain.refresh_from_db()
    assert plain.overrides == {}


def test_zero_is_not_null(alice: APIClient, hers: Chain) -> None:
    """The recorder has a target of 40 and a stop of 20 ticks."""
    inherited = alice.get(own(hers.trader)).json()["effective"]
    assert (inherited["stop_distance"], inherited["targets"]["source"]) == (
        {"value": "20", "source": "recorder"},
        "recorder",
    )
    none = alice.patch(own(hers.trader), {"stop_distance": 0, "targets": [], "risk_dollars": 0}, format="json").json()
    assert (none["stop_distance"], none["targets"], none["risk_dollars"]) == ("0", [], "0")
    assert none["effective"]["stop_distance"] == {"value": "0", "source": "trader"}
    assert none["effective"]["targets"] == {"value": [], "source": "trader"}
    again = alice.patch(own(hers.trader), {"stop_distance": None}, format="json").json()
    assert again["effective"]["stop_distance"] == {"value": "20", "source": "recorder"}
    assert (again["targets"], again["risk_dollars"]) == ([], "0")


def test_what_is_inherited_follows_the_recorder(alice: APIClient, hers: Chain) -> None:
    alice.patch(own(hers.trader), {"initial_position_size": 5}, format="json")
    alice.patch(f"/api/recorders/{hers.recorder.pk}/", {"stop_ticks": 8, "initial_position_size": 2}, format="json")
    effective = alice.get(own(hers.trader)).json()["effective"]
    assert (effective["stop_distance"]["value"], effective["initial_position_size"]["value"]) == ("8", 5)


def test_shorthands(alice: APIClient, hers: Chain) -> None:
    assert alice.get(own(hers.trader)).json()["stop_ticks"] is None
    given = alice.patch(own(hers.trader), {"stop_ticks": 12, "target_ticks": 0}, format="json").json()
    assert (given["stop_ticks"], given["stop_distance"], given["stop_unit"]) == (12, "12", "ticks")
    assert (given["target_ticks"], given["targets"]) == (0, [])
    cleared = alice.patch(own(hers.trader), {"stop_ticks": None, "target_ticks": None}, format="json").json()
    names = ("stop_ticks", "stop_distance", "stop_unit", "target_ticks", "targets")
    assert [cleared[name] for name in names] == [None] * 5
    shown = alice.patch(own(hers.trader), {"target_ticks": 30}, format="json").json()
    assert shown["targets"] == [CANONICAL | {"distance": "30"}]


@pytest.mark.parametrize(
    "given",
    [
        {"target_ticks": 40, "targets": None},
        {"target_ticks": 40, "targets": TARGETS},
        {"stop_ticks": 20, "stop_distance": None},
        {"stop_ticks": 20, "stop_distance": 20, "stop_unit": "points"},
    ],
    ids=repr,
)
def test_a_shorthand_that_contradicts_its_long_form(given: dict[str, Any], alice: APIClient, plain: Trader) -> None:
    answer = alice.patch(own(plain), given, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [next(iter(given))])


@pytest.mark.parametrize(
    "name", ["stop_tick", "overrides", "template", "recorder", "account", "route_of", "routes", "is_enabled", "owner"]
)
def test_any_other_field_is_refused_by_name(name: str, alice: APIClient, plain: Trader) -> None:
    answer = alice.patch(own(plain), {name: 1}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


def test_a_recorder_that_came_to_contradict_the_trader(alice: APIClient, cast: Cast) -> None:
    windows = [{"start": "08:00", "end": "15:00"}]
    trader = TraderFactory(recorder=RecorderFactory(owner=cast.alice, settings={"time_windows": windows}))
    given = alice.patch(own(trader), {"auto_flat_after_cutoff": True}, format="json").json()
    assert given["effective_problem"] == ""
    Recorder.objects.update(template=defaults())
    shown = alice.get(own(trader))
    assert (shown.status_code, shown.json()["effective"]) == (200, None)
    assert shown.json()["effective_problem"].startswith("auto_flat_after_cutoff: ")
    assert alice.get("/api/traders/").json()["results"][0]["auto_flat_after_cutoff"] is True


def test_one_way_to_size_switches_off_the_inherited_one(alice: APIClient, cast: Cast) -> None:
    recorder = RecorderFactory(owner=cast.alice, settings={"risk_dollars": "100"})
    trader = TraderFactory(recorder=recorder)
    effective = alice.patch(own(trader), {"risk_percent": "0.5"}, format="json").json()["effective"]
    assert effective["risk_percent"] == {"value": "0.5", "source": "trader"}
    assert effective["risk_dollars"]["value"] == "0"


@pytest.mark.parametrize("custom", ["NOTHING", "x" * 33, "a\x00b", None])
def test_a_custom_ticker_is_a_product(custom: Any, alice: APIClient, plain: Trader) -> None:
    answer = alice.patch(own(plain), {"custom_ticker": custom}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["custom_ticker"])


def test_converting_sizes(alice: APIClient, plain: Trader) -> None:
    refused = alice.patch(own(plain), {"convert_size": True}, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["convert_size"])
    assert alice.get(own(plain)).json()["conversion_offer"] == []
    given = alice.patch(own(plain), {"custom_ticker": " mnq1! ", "convert_size": True}, format="json").json()
    assert (given["custom_ticker"], given["convert_size"]) == ("MNQ1!", True)
    assert given["conversion_offer"] == [{"signal": "NQ", "traded": "MNQ", "ratio": "10"}]
    assert given["effective"]["custom_ticker"] == {"value": "MNQ1!", "source": "trader"}
    kept = alice.patch(own(plain), {"custom_ticker": ""}, format="json")
    assert list(kept.json()["errors"]) == ["convert_size"]


def test_a_cap_of_none_and_of_zero(alice: APIClient, plain: Trader) -> None:
    for value in (0, 7, None):
        assert alice.patch(own(plain), {"max_contracts": value}, format="json").json()["max_contracts"] == value
    for bad in (-1, True, "NaN", 2**31, 2.5):
        answer = alice.patch(own(plain), {"max_contracts": bad}, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["max_contracts"]), bad
