"""One field at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from recorders import fields
from recorders.alert import Refusal

AT = datetime(2026, 11, 23, 14, 35, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("25,035.75", "25035.75"), ("1,234,567", "1234567"), ("-1,234.5", "-1234.5"), ("+2", "2"), ("2.", "2"),
        (".5", "0.5"),
        ("1e2", "100"), (3, "3"), (Decimal("0.10"), "0.1"),
    ],
)  # fmt: skip
def test_numbers(value: object, number: str) -> None:
    assert fields.number({"n": value}, "n") == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["1,500", "1,5", "0,123.5", "1,2345.6", "25.035,75", "1 000", "1e", "--1", "0x1F", "\u0661", "1_0", "", "inf"],
)
def test_numbers_of_two_readings_are_none(value: str) -> None:
    with pytest.raises(Refusal) as caught:
        fields.number({"n": value}, "n")
    assert caught.value.code == "NOT_A_NUMBER"


@pytest.mark.parametrize("value", ["", " ", "NaN", "nan", "na", "NA", "n/a", "null", "None", None, False, "false"])
def test_context_may_be_missing_in_every_way(value: object) -> None:
    assert fields.price_if_any({"price": value, "close": None}, "price", "close") is None
    assert fields.price_if_any({"price": value, "close": 5}, "price", "close") == (
        5 if value not in (False, "false") else None
    )
    assert fields.size_if_any({"n": value}, "n") is None


@pytest.mark.parametrize("value", ["1e999999999999", "-1e999999999999", "1e99999", Decimal("1E+400000000")])
def test_numbers_beyond_all_bounds_are_refused(value: object) -> None:
    for read in (fields.quantity, fields.price_if_any, fields.size_if_any):
        with pytest.raises(Refusal):
            read({"n": value}, "n")
    assert fields.moment_if_any({"n": value}, "n") is None


@pytest.mark.parametrize("value", ["1e-999999999999", "-0e-99999999", "0e999999"])
def test_numbers_next_to_nothing_are_nothing_or_refused(value: str) -> None:
    assert fields.price_if_any({"n": value}, "n") == 0


@pytest.mark.parametrize(
    "value",
    ["2026-11-23T14:35:01Z", "2026-11-23T09:35:01-05:00", 1795444501, "1795444501", 1795444501000, "1795444501000.0"],
)
def test_times(value: object) -> None:
    assert fields.moment({"at": value}, "at") == AT
    assert fields.moment_if_any({"x": "soon", "at": value}, "x", "at") == AT


def test_fractions_of_a_second() -> None:
    assert fields.moment({"at": Decimal("1795444501.25")}, "at") == AT + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    "value", [True, 5, "5", -1, ["x"], "2026-11-23", "2026-11-23T14:35:01", 10**20, "\ud800", "9" * 40]
)
def test_what_is_no_time(value: object) -> None:
    assert fields.moment_if_any({"at": value}, "at") is None
    with pytest.raises(Refusal) as caught:
        fields.moment({"at": value}, "at")
    assert caught.value.code == ("WRONG_TYPE" if isinstance(value, bool | list) else "NOT_A_TIME")


@pytest.mark.parametrize(
    ("value", "is_on"), [(True, True), ("TRUE", True), (1, True), ("yes", True), ("0", False), ("", None)]
)
def test_switches(value: object, is_on: bool | None) -> None:  # noqa: FBT001 - given
    assert fields.switch({"s": value}, "s") is is_on


@pytest.mark.parametrize("value", ["maybe", 2, [True], {}])
def test_what_is_no_switch(value: object) -> None:
    with pytest.raises(Refusal):
        fields.switch({"s": value}, "s")


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("nq", "nq"),
        (" nq ", "nq"),
        ("x" * 99, "x" * 64),
        ("a\x00", ""),
        ("\ud800", ""),
        ({"a": 1}, ""),
        (5, ""),
        ("{{x}}", ""),
    ],
)
def test_labels(value: object, label: str) -> None:
    assert fields.label({"s": value}, "s") == label


@pytest.mark.parametrize(
    ("placeholder", "advice"),
    [("{{strategy.order.action}}", "created on a strategy"), ("{{close}}", "Message box"), ("{{", "Message box")],
)
def test_a_placeholder_is_named_and_its_remedy(placeholder: str, advice: str) -> None:
    with pytest.raises(Refusal) as caught:
        fields.text({"action": placeholder}, "action")
    assert caught.value.code == "UNEXPANDED_PLACEHOLDER"
    assert caught.value.text.startswith(f"action: had '{placeholder}'")
    assert advice in caught.value.text
