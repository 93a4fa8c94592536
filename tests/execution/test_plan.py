"""What one follower does about one alert, over every position and setting."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import Side
from brokers.instruments import resolve
from execution.plan import Declined, Meaning, Plan, PlannedLeg, meaning_of, plan
from recorders.alert import Action, ParsedAlert
from traders.settings import EffectiveSettings

unhurried = settings(deadline=None)
MNQ = resolve("MNQ1!", date(2026, 11, 23))
USUAL = EffectiveSettings(2, Decimal(1), 100, target_ticks=40, stop_ticks=20)


def planned(
    meaning: Meaning, position: int, effective: EffectiveSettings = USUAL, quantity: Decimal | None = None
) -> Plan:
    return plan(meaning, alert_quantity=quantity, settings=effective, position=position, contract=MNQ)


def legs(outcome: Plan) -> list[tuple[str, Side, int]]:
    assert not isinstance(outcome, Declined), outcome
    return [(leg.leg, leg.side, leg.qty) for leg in outcome]


@pytest.mark.parametrize(
    ("action", "before", "after", "meaning"),
    [
        (Action.BUY, None, None, Meaning.GO_LONG), (Action.SELL, None, None, Meaning.GO_SHORT),
        (Action.CLOSE, None, None, Meaning.GO_FLAT), (Action.BUY, None, 1, Meaning.GO_LONG),
        (Action.BUY, 0, 1, Meaning.GO_LONG), (Action.SELL, 0, -1, Meaning.GO_SHORT),
        (Action.BUY, 1, 2, Meaning.ADD), (Action.SELL, -1, -2, Meaning.ADD),
        (Action.SELL, 2, 1, Meaning.PARTIAL_EXIT), (Action.BUY, -2, -1, Meaning.PARTIAL_EXIT),
        (Action.SELL, 2, 0, Meaning.GO_FLAT), (Action.BUY, -2, 0, Meaning.GO_FLAT),
        (Action.CLOSE, 2, 0, Meaning.GO_FLAT),
        (Action.SELL, 1, -1, Meaning.GO_SHORT), (Action.BUY, -1, 2, Meaning.GO_LONG),
        (Action.BUY, 1, 1, Meaning.NOTHING), (Action.CLOSE, 0, 0, Meaning.NOTHING),
        (Action.BUY, 2, 1, Meaning.INCONSISTENT), (Action.SELL, 0, 1, Meaning.INCONSISTENT),
        (Action.BUY, 1, 0, Meaning.INCONSISTENT), (Action.SELL, -1, 1, Meaning.INCONSISTENT),
    ],
)  # fmt: skip
def test_position_fields_decide_before_the_action(
    action: Action, before: int | None, after: int | None, meaning: Meaning
) -> None:
    alert = ParsedAlert(
        action,
        "MNQ1!",
        prev_position=None if before is None else Decimal(before),
        position=None if after is None else Decimal(after),
    )
    assert meaning_of(alert) is meaning


@pytest.mark.parametrize(
    ("meaning", "position", "expected"),
    [
        (Meaning.GO_LONG, 0, [("entry", Side.BUY, 2)]),
        (Meaning.GO_SHORT, 0, [("entry", Side.SELL, 2)]),
        (Meaning.GO_LONG, -3, [("exit", Side.BUY, 3), ("entry", Side.BUY, 2)]),
        (Meaning.GO_SHORT, 3, [("exit", Side.SELL, 3), ("entry", Side.SELL, 2)]),
        (Meaning.GO_FLAT, 5, [("exit", Side.SELL, 5)]),
        (Meaning.GO_FLAT, -1, [("exit", Side.BUY, 1)]),
    ],
)
def test_legs(meaning: Meaning, position: int, expected: list[tuple[str, Side, int]]) -> None:
    assert legs(planned(meaning, position)) == expected


@pytest.mark.parametrize(
    ("meaning", "position", "code"),
    [
        (Meaning.GO_FLAT, 0, "ALREADY_FLAT"),
        (Meaning.GO_LONG, 2, "SAME_DIRECTION"),
        (Meaning.GO_SHORT, -2, "SAME_DIRECTION"),
        *[
            (meaning, position, code)
            for position in (-2, 0, 2)
            for meaning, code in [
                (Meaning.NOTHING, "NO_CHANGE"),
                (Meaning.INCONSISTENT, "INCONSISTENT"),
                (Meaning.ADD, "ADD_NOT_SERVED"),
                (Meaning.PARTIAL_EXIT, "PARTIAL_EXIT_NOT_SERVED"),
            ]
        ],
    ],
)
def test_what_is_declined_says_why(meaning: Meaning, position: int, code: str) -> None:
    outcome = planned(meaning, position)
    assert isinstance(outcome, Declined)
    assert outcome.code == code
    assert outcome.text


def test_exits_of_an_entry_are_distances_in_points() -> None:
    outcome = planned(Meaning.GO_LONG, 0)
    assert outcome == (PlannedLeg("entry", True, Side.BUY, 2, Decimal(10), Decimal(5)),)  # noqa: FBT003
    bare = EffectiveSettings(2, Decimal(1), 100, target_ticks=0, stop_ticks=0)
    assert planned(Meaning.GO_LONG, 0, bare) == (PlannedLeg("entry", True, Side.BUY, 2),)  # noqa: FBT003


def test_a_reversal_that_cannot_be_sized_still_exits() -> None:
    impossible = EffectiveSettings(0, Decimal(1), 100, target_ticks=0, stop_ticks=0)
    assert legs(planned(Meaning.GO_LONG, -3, impossible)) == [("exit", Side.BUY, 3)]
    refused = planned(Meaning.GO_LONG, 0, impossible)
    assert isinstance(refused, Declined)
    assert refused.code == "QUANTITY_MISSING"


some_settings = st.builds(
    EffectiveSettings,
    initial_position_size=st.integers(0, 20),
    multiplier=st.decimals(0, 10, places=3),
    max_contracts=st.integers(0, 100),
    target_ticks=st.integers(0, 100),
    stop_ticks=st.integers(0, 100),
)
quantities = st.none() | st.decimals(0, 10_000, places=8)


@unhurried
@given(st.sampled_from(Meaning), st.integers(-50, 50), some_settings, quantities)
def test_no_plan_can_surprise(
    meaning: Meaning, position: int, effective: EffectiveSettings, quantity: Decimal | None
) -> None:
    outcome = planned(meaning, position, effective, quantity)
    if isinstance(outcome, Declined):
        return
    held = position
    for leg in outcome:
        if not leg.is_entry:
            assert leg.qty == abs(held) > 0, "an exit is exactly what is held"
            assert leg.side is (Side.SELL if held > 0 else Side.BUY), "an exit never increases"
            assert (leg.target_distance, leg.stop_distance) == (None, None)
            held = 0
            continue
        assert meaning is not Meaning.GO_FLAT, "a close never opens"
        assert held == 0, "an entry starts from flat"
        assert 1 <= leg.qty <= effective.max_contracts
        assert (leg.target_distance is None) == (effective.target_ticks == 0)
        assert (leg.stop_distance is None) == (effective.stop_ticks == 0)
        assert leg.waits_for_exit == (position != 0)
        held = leg.side.sign * leg.qty
    if meaning is Meaning.GO_FLAT:
        assert held == 0
    elif held != 0:
        assert (held > 0) == (meaning is Meaning.GO_LONG)


@unhurried
@given(
    st.sampled_from(Action),
    st.none() | st.integers(-9, 9),
    st.none() | st.integers(-9, 9),
)
def test_a_sell_that_is_still_long_never_goes_short(action: Action, before: int | None, after: int | None) -> None:
    alert = ParsedAlert(
        action,
        "MNQ1!",
        prev_position=None if before is None else Decimal(before),
        position=None if after is None else Decimal(after),
    )
    meaning = meaning_of(alert)
    if before is not None and after is not None:
        assert meaning is not Meaning.GO_SHORT or after < 0
        assert meaning is not Meaning.GO_LONG or after > 0
        assert meaning is not Meaning.GO_FLAT or after == 0
