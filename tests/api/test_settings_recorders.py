"""Every setting through the recorders' API: what is sent is what reads back, and what is wrong is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from recorders.models import Recorder
from recorders.settings import FIELDS, Settings, defaults
from tests.factories import Chain, RecorderFactory

CANONICAL = {"unit": "ticks", "trim": None, "trim_unit": "percent"}
TARGETS = [
    {"distance": "40", "unit": "ticks", "trim": "50", "trim_unit": "percent"},
    {"distance": "12.5", "unit": "points", "trim": "2", "trim_unit": "contracts"},
    {"distance": "0.25", "unit": "percent", "trim": None, "trim_unit": "percent"},
]
VALUES: dict[str, Any] = {
    "initial_position_size": 0,
    "add_position_size": 3,
    "at_least_one": True,
    "risk_dollars": "250.5",
    "risk_percent": "0.75",
    "equity_percent": "150",
    "max_contracts_per_trade": 5,
    "max_contracts_per_position": 10,
    "max_open_positions": 2,
    "targets": TARGETS,
    "stop_distance": "7.25",
    "stop_unit": "points",
    "stop_type": "trailing",
    "trail_trigger_ticks": 8,
    "trail_step_ticks": 4,
    "break_even_ticks": 10,
    "break_even_offset_ticks": 1,
    "entry_type": "limit",
    "limit_offset_ticks": 2,
    "limit_timeout_s": 30,
    "same_direction": "re_enter",
    "opposite_direction": "block_while_dca",
    "inverse_signals": True,
    "direction_filter": "long_only",
    "signal_blocking": True,
    "signal_cooldown_s": 300,
    "max_signals_per_session": 4,
    "every_nth_signal": 3,
    "entry_delay_s": 5,
    "min_option_premium": "1.5",
    "max_daily_loss": "500",
    "time_windows": [{"start": "08:45:00", "end": "15:00:00"}, {"start": "22:00:00", "end": "01:30:00"}],
    "auto_flat_after_cutoff": True,
}
NEEDS: dict[str, dict[str, Any]] = {"auto_flat_after_cutoff": {"time_windows": VALUES["time_windows"]}}
INTEGERS = [name for name, info in Settings.model_fields.items() if info.annotation is int]
BAD: dict[str, list[Any]] = {
    "integer": [None, True, -1, 10**6, 2.5, "NaN", "", "two", [], {}, "1" * 5000, "\x00"],
    "decimal": [
        None, True, -1, "NaN", "sNaN", "Infinity", "", "two", [], {}, "1e999999", "1e-999999", "0e999999", 1e300,
        "1.00000000001",
    ],
    "flag": [None, 1, 0, "yes", "true", "", [], {}],
    "choice": [None, True, "", "nonsense", [], {}, 0],
    "list": [None, True, "", "x", 5, {}, [[]], [None], ["x"]],
}  # fmt: skip


def kind_of(name: str) -> str:
    info = Settings.model_fields[name]
    kinds = {"int": "integer", "Decimal": "decimal", "bool": "flag", "tuple": "list"}
    return kinds.get(info.annotation.__name__ if info.annotation is not None else "", "choice")


def own(recorder: Recorder) -> str:
    return f"/api/recorders/{recorder.pk}/"


def test_every_setting_has_a_value_here() -> None:
    assert set(VALUES) == set(FIELDS)
    assert [name for name in FIELDS if VALUES[name] == defaults()[name]] == [], "a default would prove nothing"


@pytest.mark.parametrize("name", FIELDS)
def test_a_setting_reads_back(name: str, alice: APIClient, hers: Chain) -> None:
    given = {name: VALUES[name], **NEEDS.get(name, {})}
    made = alice.post("/api/recorders/", {"name": "New", **given}, format="json")
    assert made.status_code == 201, made.json()
    shown = alice.get(own(Recorder.objects.get(name="New"))).json()
    plain = {**defaults(), "targets": [], "time_windows": [], **given}
    assert {field: shown[field] for field in FIELDS} == plain
    before = alice.get(own(hers.recorder)).json()
    changed = alice.patch(own(hers.recorder), given, format="json").json()
    linked = {"targets": {"target_ticks"}, "stop_distance": {"stop_ticks"}, "stop_unit": {"stop_ticks"}}
    assert {key for key in changed if changed[key] != before[key]} == {*given, *linked.get(name, set())}


def test_all_settings_at_once(alice: APIClient) -> None:
    made = alice.post("/api/recorders/", {"name": "New", **VALUES}, format="json").json()
    assert {field: made[field] for field in FIELDS} == VALUES
    assert alice.patch(own(Recorder.objects.get()), made | {"webhook_url": None}, format="json").status_code == 400
    del made["webhook_url"]
    assert alice.patch(own(Recorder.objects.get()), made, format="json").json() == made


@pytest.mark.parametrize("name", FIELDS)
def test_a_wrong_type_names_the_field(name: str, alice: APIClient, hers: Chain) -> None:
    before = Recorder.objects.values().get()
    wrong = BAD[kind_of(name)]
    answers = [alice.patch(own(hers.recorder), {name: value}, format="json") for value in wrong]
    answers.append(alice.post("/api/recorders/", {"name": "New", name: wrong[1]}, format="json"))
    for answer, value in zip(answers, [*wrong, wrong[1]], strict=True):
        assert answer.status_code == 400, value
        assert {key.partition(".")[0] for key in answer.json()["errors"]} == {name}, value
    assert Recorder.objects.values().get() == before


@pytest.mark.parametrize("name", INTEGERS)
def test_ranges_are_those_of_the_catalogue(name: str, alice: APIClient, hers: Chain) -> None:
    bounds = {key: getattr(item, key) for item in Settings.model_fields[name].metadata for key in ("ge", "le")
              if hasattr(item, key)}  # fmt: skip
    for value, status in ((bounds["ge"], 200), (bounds["ge"] - 1, 400), (bounds["le"], 200), (bounds["le"] + 1, 400)):
        answer = alice.patch(own(hers.recorder), {name: value}, format="json")
        assert answer.status_code == status, (value, answer.json())


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"targets": [{"distance": 10}, {"distance": 20, "trimm": 50}]}, "targets.1.trimm"),
        ({"targets": [{"distance": 10}, {"distance": True}]}, "targets.1.distance"),
        ({"targets": [{"distance": 10, "trim": "NaN"}]}, "targets.0.trim"),
        ({"targets": [{"distance": 10, "trim": True}]}, "targets.0.trim"),
        ({"targets": [{"distance": 10, "unit": "miles"}]}, "targets.0.unit"),
        ({"targets": [{"trim": 50}]}, "targets.0.distance"),
        ({"targets": [{"distance": 10, "ticks": 10}]}, "targets.0.distance"),
        ({"targets": [{"ticks": 10, "unit": "points"}]}, "targets.0.unit"),
        ({"targets": [{"distance": 10}] * 21}, "targets"),
        ({"targets": [{"distance": 10, "trim": 0}]}, "targets"),
        ({"targets": [{"distance": 10, "trim": 101}]}, "targets"),
        ({"targets": [{"distance": 10, "trim": "1.5", "trim_unit": "contracts"}]}, "targets"),
        ({"targets": [{"distance": 10, "trim": 60}, {"distance": 20, "trim": 50}]}, "targets"),
        ({"time_windows": [{"start": "8:45 AM"}]}, "time_windows.0.end"),
        ({"time_windows": [{"start": "8:45 AM", "end": "25:00"}]}, "time_windows.0.end"),
        ({"time_windows": [{"start": "8:45", "end": 1500}]}, "time_windows.0.end"),
        ({"time_windows": [{"start": "8:45", "end": "9:00", "days": "MO"}]}, "time_windows.0.days"),
        ({"time_windows": [{"start": "8:45", "end": "08:45"}]}, "time_windows"),
        ({"time_windows": [{"start": "1:00", "end": "2:00"}] * 6}, "time_windows"),
        ({"auto_flat_after_cutoff": True}, "auto_flat_after_cutoff"),
        ({"stop_tick": 20}, "stop_tick"),
        ({"template": {"stop_distance": 20}}, "template"),
        ({"settings": {"stop_distance": 20}}, "settings"),
    ],
    ids=repr,
)
def test_what_contradicts_or_is_unknown_is_refused_by_name(
    given: dict[str, Any], named: str, alice: APIClient, hers: Chain
) -> None:
    before = Recorder.objects.values().get()
    for answer in (
        alice.patch(own(hers.recorder), given, format="json"),
        alice.post("/api/recorders/", {"name": "New", **given}, format="json"),
    ):
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])
    assert Recorder.objects.values().get() == before


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"ticks": 40}, {"distance": "40"}),
        ({"value": "12.50", "unit": "points"}, {"distance": "12.5", "unit": "points"}),
        ({"ticks": "40", "unit": "ticks", "trim": 50}, {"distance": "40", "trim": "50"}),
        ({"distance": 1e2}, {"distance": "100"}),
        ({"distance": "-0"}, {"distance": "0"}),
    ],
    ids=repr,
)
def test_targets_read_back_in_one_form(
    given: dict[str, Any], shown: dict[str, Any], alice: APIClient, hers: Chain
) -> None:
    answer = alice.patch(own(hers.recorder), {"targets": [given]}, format="json")
    assert answer.json()["targets"] == [CANONICAL | shown]
    hers.recorder.refresh_from_db()
    assert hers.recorder.template["targets"] == [CANONICAL | shown], "stored as it is shown"


@pytest.mark.parametrize(
    ("text", "shown"), [("8:45 AM", "08:45:00"), ("12 am", "00:00:00"), ("1:30PM", "13:30:00"), ("9:05", "09:05:00")]
)
def test_clock_times_as_people_write_them(text: str, shown: str, alice: APIClient, hers: Chain) -> None:
    answer = alice.patch(own(hers.recorder), {"time_windows": [{"start": text, "end": "23:00"}]}, format="json")
    assert answer.json()["time_windows"] == [{"start": shown, "end": "23:00:00"}]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([], 0),
        ([{"distance": 0}], 0),
        ([{"distance": 40}], 40),
        ([{"distance": 40, "trim": 100}], 40),
        ([{"distance": 40, "trim": 50}], None),
        ([{"distance": 40, "trim": 1, "trim_unit": "contracts"}], None),
        ([{"distance": 40, "unit": "points"}], None),
        ([{"distance": "40.5"}], None),
        ([{"distance": 40}, {"distance": 80}], None),
    ],
    ids=repr,
)
def test_the_targets_in_short(targets: list[Any], expected: int | None, alice: APIClient, hers: Chain) -> None:
    answer = alice.patch(own(hers.recorder), {"targets": targets}, format="json")
    assert answer.json()["target_ticks"] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"stop_distance": 20}, 20),
        ({"stop_distance": 0}, 0),
        ({"stop_distance": "20.5"}, None),
        ({"stop_distance": 20, "stop_unit": "dollars"}, None),
    ],
    ids=repr,
)
def test_the_stop_in_short(given: dict[str, Any], expected: int | None, alice: APIClient, hers: Chain) -> None:
    assert alice.patch(own(hers.recorder), given, format="json").json()["stop_ticks"] == expected


def test_a_shorthand_writes_what_it_stands_for(alice: APIClient, hers: Chain) -> None:
    alice.patch(own(hers.recorder), {"stop_unit": "dollars", "targets": TARGETS}, format="json")
    shown = alice.patch(own(hers.recorder), {"stop_ticks": 12, "target_ticks": 30}, format="json").json()
    assert (shown["stop_distance"], shown["stop_unit"], shown["stop_ticks"]) == ("12", "ticks", 12)
    assert (shown["targets"], shown["target_ticks"]) == ([CANONICAL | {"distance": "30"}], 30)
    none = alice.patch(own(hers.recorder), {"stop_ticks": 0, "target_ticks": 0}, format="json").json()
    assert (none["stop_distance"], none["targets"]) == ("0", [])
    made = alice.post("/api/recorders/", {"name": "New", "stop_ticks": 9}, format="json").json()
    assert (made["stop_distance"], made["stop_ticks"], made["target_ticks"]) == ("9", 9, 0)


@pytest.mark.parametrize(
    "given",
    [
        {"target_ticks": 40, "targets": [{"distance": 41}]},
        {"target_ticks": 40, "targets": []},
        {"target_ticks": 0, "targets": [{"distance": 40}]},
        {"target_ticks": None},
        {"stop_ticks": 20, "stop_distance": 21, "stop_unit": "ticks"},
        {"stop_ticks": 20, "stop_distance": 20},
        {"stop_ticks": 20, "stop_unit": "points"},
        {"stop_ticks": None},
        {"stop_ticks": 100_001},
        {"stop_ticks": True},
    ],
    ids=repr,
)
def test_a_shorthand_that_contradicts_its_long_form(given: dict[str, Any], alice: APIClient, hers: Chain) -> None:
    before = Recorder.objects.values().get()
    for answer in (
        alice.patch(own(hers.recorder), given, format="json"),
        alice.post("/api/recorders/", {"name": "New", **given}, format="json"),
    ):
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [next(iter(given))])
    assert Recorder.objects.values().get() == before


def test_a_reading_goes_back_whatever_the_shorthands_can_say(alice: APIClient, hers: Chain) -> None:
    for given in ({"targets": TARGETS, "stop_unit": "points"}, {"targets": [], "stop_distance": 0}):
        shown = alice.patch(own(hers.recorder), given, format="json").json()
        assert alice.patch(own(hers.recorder), shown, format="json").json() == shown


def test_a_setting_that_is_newer_than_the_row_reads_as_its_default(alice: APIClient, hers: Chain) -> None:
    Recorder.objects.update(template={"stop_distance": "20"})
    shown = alice.get(own(hers.recorder)).json()
    assert {name: shown[name] for name in FIELDS} == {**defaults(), "stop_distance": "20"}


def test_a_list_asks_once_for_all(alice: APIClient, hers: Chain, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(50) as few:
        alice.get("/api/recorders/")
    for _ in range(3):
        RecorderFactory(owner=hers.recorder.owner)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert alice.get("/api/recorders/").json()["count"] == 4
