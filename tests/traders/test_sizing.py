"""Whole contracts, never more than was asked for, and every cut with the limit that made it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.instruments import conversion_ratio
from execution.moves import Move
from execution.plan import decide
from recorders.setting_types import WHOLE
from tests.traders.cases import FOLLOWS, MNQ, NQ, buy, case, effective, shown, to
from traders.sizing import (
    Size,
    SizeRefused,
    Worth,
    add_size,
    entry_size,
    follows_alert,
    left_of_share,
    limited,
    scaled_position,
)

unhurried = settings(deadline=None)
D = Decimal


def worth(**given_fields: Any) -> Worth:
    known = {"stop": D(5), "price": D(25_000), "cash": D(50_000), **given_fields}
    return Worth(MNQ.point_value, **known)


@pytest.mark.parametrize(
    ("fields", "multiplier", "stated", "contracts"),
    [
        ({}, "1", None, 1), ({"initial_position_size": 3}, "1", 9, 3), ({"initial_position_size": 2}, "1.5", 9, 3),
        ({"initial_position_size": 3}, "0.5", None, 1), ({}, "2.999", None, 2), ({}, "0.5", None, "SIZE_BELOW_ONE"),
        ({"at_least_one": True}, "0.5", None, 1), ({"at_least_one": True}, "0.001", None, 1),
        ({"at_least_one": True}, "0", None, "SIZE_BELOW_ONE"),
        ({"initial_position_size": 0}, "1", 5, 5), ({"initial_position_size": 0}, "0.5", 5, 2),
        ({"initial_position_size": 0}, "2", "1.5", 3), ({"initial_position_size": 0}, "1", "2.0", 2),
        ({"initial_position_size": 0}, "1", None, "QUANTITY_MISSING"),
        ({"initial_position_size": 0}, "1", 0, "SIZE_BELOW_ONE"),
        ({"initial_position_size": 0, "at_least_one": True}, "1", 0, "SIZE_BELOW_ONE"),
        # A stop of 5 points is $10 a contract.
        ({"risk_dollars": 100}, "1", None, 10), ({"risk_dollars": 109}, "1", 7, 10),
        ({"risk_dollars": 100}, "0.25", None, 2),
        ({"risk_dollars": "9.99"}, "1", None, "SIZE_BELOW_ONE"), ({"risk_dollars": 10}, "1", None, 1),
        ({"risk_dollars": 5, "at_least_one": True}, "1", None, 1),
        ({"risk_percent": "0.5"}, "1", None, 25), ({"risk_percent": "0.01"}, "1", None, "SIZE_BELOW_ONE"),
        # A contract at 25,000 is worth $50,000.
        ({"equity_percent": 100}, "1", None, 1), ({"equity_percent": 350}, "1", None, 3),
        ({"equity_percent": 99}, "1", None, "SIZE_BELOW_ONE"), ({"equity_percent": 100}, "2.5", None, 2),
        ({"risk_dollars": 100, "initial_position_size": 3}, "1", None, 10),
    ],
)  # fmt: skip
def test_a_fresh_entry(fields: dict[str, Any], multiplier: str, stated: Any, contracts: int | str) -> None:
    follower, quantity = effective(multiplier, **fields), None if stated is None else D(stated)
    if isinstance(contracts, int):
        assert entry_size(follower, quantity, worth()) == contracts
        return
    with pytest.raises(SizeRefused) as caught:
        entry_size(follower, quantity, worth())
    assert caught.value.code == contracts


@pytest.mark.parametrize(
    ("fields", "multiplier", "stated", "contracts"),
    [
        ({}, "1", 5, 1), ({"add_position_size": 2}, "1.5", None, 3), ({"add_position_size": 0}, "2", 2, 4),
        ({"add_position_size": 0}, "1", None, "QUANTITY_MISSING"), ({}, "0.9", None, "SIZE_BELOW_ONE"),
        ({"at_least_one": True}, "0.9", None, 1), ({"risk_dollars": 1000}, "1", None, 1),
    ],
)  # fmt: skip
def test_an_add(fields: dict[str, Any], multiplier: str, stated: int | None, contracts: int | str) -> None:
    follower, quantity = effective(multiplier, **fields), None if stated is None else D(stated)
    if isinstance(contracts, int):
        assert add_size(follower, quantity, worth()) == contracts
        return
    with pytest.raises(SizeRefused) as caught:
        add_size(follower, quantity, worth())
    assert caught.value.code == contracts


@pytest.mark.parametrize(
    ("fields", "unknown", "code"),
    [
        ({"risk_dollars": 100}, "stop", "STOP_MISSING"), ({"risk_percent": 1}, "stop", "STOP_MISSING"),
        ({"risk_percent": 1}, "cash", "BALANCE_UNKNOWN"), ({"equity_percent": 100}, "cash", "BALANCE_UNKNOWN"),
        ({"equity_percent": 100}, "price", "PRICE_MISSING"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(fields: dict[str, Any], unknown: str, code: str) -> None:
    with pytest.raises(SizeRefused) as caught:
        entry_size(effective(**fields), D(1), worth(**{unknown: None}))
    assert caught.value.code == code


def test_a_refusal_says_what_was_had_and_the_limit() -> None:
    with pytest.raises(SizeRefused, match=r"size: had 1 x 0\.5 = 0\.5, limit 1 whole contract"):
        entry_size(effective("0.5"), None, worth())


@pytest.mark.parametrize(
    ("fields", "cap", "asked", "held", "expected"),
    [
        ({}, None, 7, 3, Size(7, 7)),
        ({"max_contracts_per_trade": 5}, None, 7, 3, Size(5, 7, "max_contracts_per_trade")),
        ({"max_contracts_per_trade": 7}, None, 7, 3, Size(7, 7)),
        ({"max_contracts_per_position": 8}, None, 7, 3, Size(5, 7, "max_contracts_per_position")),
        ({"max_contracts_per_position": 3}, None, 7, 3, Size(0, 7, "max_contracts_per_position")),
        ({"max_contracts_per_position": 2}, None, 7, 3, Size(0, 7, "max_contracts_per_position")),
        ({}, 9, 7, 3, Size(6, 7, "max_contracts")),
        ({}, 0, 7, 0, Size(0, 7, "max_contracts")),
        ({"max_contracts_per_trade": 6, "max_contracts_per_position": 9}, 8, 7, 3, Size(5, 7, "max_contracts")),
    ],
)
def test_limits_cut_and_are_named(
    fields: dict[str, Any], cap: int | None, asked: int, held: int, expected: Size
) -> None:
    assert limited(effective("1", cap, **fields), asked, held) == expected


def test_a_size_that_the_limits_leave_nothing_of_names_the_limit() -> None:
    decision = decide(to(3, 4), case(3, max_contracts_per_position=3, **FOLLOWS))
    assert shown(decision) == "SIZE_ABOVE_LIMIT"
    assert decision.declined is not None
    assert decision.declined.text == "size: had 3 held and 1 more, limit max_contracts_per_position"


@pytest.mark.parametrize(
    ("move", "own", "fields", "legs"),
    [
        (to(0, 1), 0, FOLLOWS, "entry buy 10"), (to(1, 3), 10, FOLLOWS, "add buy 20"),
        (to(3, 1), 30, FOLLOWS, "reduce sell 20"), (to(1, -1), 10, FOLLOWS, "exit sell 10, entry sell 10"),
        (buy(), 0, {"initial_position_size": 2}, "entry buy 20"),
        (buy(), 20, {"same_direction": "add", "add_position_size": 1}, "add buy 10"),
        (to(0, 1), 0, {**FOLLOWS, "max_contracts_per_position": 4}, "entry buy 4"),
    ],
)  # fmt: skip
def test_one_nq_is_traded_as_ten_mnq(move: Move, own: int, fields: dict[str, Any], legs: str) -> None:
    ratio = conversion_ratio(NQ.product, MNQ.product)
    assert ratio == 10
    assert shown(decide(move, case(own, case={"ratio": ratio}, **fields))) == legs


def test_an_mnq_traded_as_nq_is_less_than_one_contract_until_ten() -> None:
    ratio = conversion_ratio(MNQ.product, NQ.product)
    assert shown(decide(to(0, 9), case(contract=NQ, case={"ratio": ratio}, **FOLLOWS))) == "SIZE_BELOW_ONE"
    assert shown(decide(to(9, 10), case(contract=NQ, case={"ratio": ratio}, **FOLLOWS))) == "entry buy 1"


@pytest.mark.parametrize(
    ("own", "before", "after", "left"),
    [
        (1, 3, 2, 1), (2, 3, 2, 1), (3, 3, 2, 2), (10, 3, 1, 3), (4, 2, 1, 2), (5, 2, 1, 3), (1, 10, 1, 1),
        (7, 100, 99, 7), (3, 4, 2, 2), (9, 3, 2, 6),
    ],
)  # fmt: skip
def test_a_partial_exit_keeps_the_followers_own_share(own: int, before: int, after: int, left: int) -> None:
    assert left_of_share(own, D(before), D(after)) == left


def test_a_position_follows_the_alert_only_where_no_size_is_set() -> None:
    assert follows_alert(effective(**FOLLOWS))
    for name, value in [("initial_position_size", 1), ("add_position_size", 1), ("risk_dollars", 9),
                        ("risk_percent", 1), ("equity_percent", 9)]:  # fmt: skip
        assert not follows_alert(effective(**{**FOLLOWS, name: value})), name


multipliers = st.decimals(0, 100, places=3)
sizings = st.fixed_dictionaries(
    {"initial_position_size": st.integers(0, 50), "at_least_one": st.booleans()},
    optional={
        "risk_dollars": st.decimals(0, 5000, places=2),
        "risk_percent": st.decimals(0, 100, places=2),
        "equity_percent": st.decimals(0, 5000, places=2),
    },
)
quantities = st.none() | st.decimals(0, 1000, places=4)


def size_or_none(multiplier: Decimal, fields: dict[str, Any], quantity: Decimal | None) -> int | None:
    try:
        return entry_size(effective(multiplier, **fields), quantity, worth())
    except SizeRefused:
        return None


@unhurried
@given(multipliers, sizings, quantities, st.tuples(*[st.integers(0, 60)] * 3), st.integers(0, 60))
def test_no_size_is_above_any_limit(
    multiplier: Decimal, fields: dict[str, Any], quantity: Decimal | None, most: tuple[int, int, int], held: int
) -> None:
    trade, position, cap = most
    asked = size_or_none(multiplier, fields, quantity) or 1
    limits = {"max_contracts_per_trade": trade, "max_contracts_per_position": position}
    size = limited(effective(multiplier, cap, **{**fields, **limits}), asked, held)
    assert 0 <= size.contracts <= size.asked == asked
    assert trade == 0 or size.contracts <= trade
    assert position == 0 or size.contracts == 0 or held + size.contracts <= position
    assert size.contracts == 0 or held + size.contracts <= cap
    assert (size.limit == "") == (size.contracts == asked)


@unhurried
@given(multipliers, multipliers, sizings, quantities)
def test_a_greater_multiplier_never_makes_a_smaller_size(
    one: Decimal, other: Decimal, fields: dict[str, Any], quantity: Decimal | None
) -> None:
    small, large = (size_or_none(multiplier, fields, quantity) or 0 for multiplier in sorted((one, other)))
    assert small <= large


@unhurried
@given(multipliers, sizings, quantities)
def test_a_size_is_the_exact_product_rounded_down(
    multiplier: Decimal, fields: dict[str, Any], quantity: Decimal | None
) -> None:
    size = size_or_none(multiplier, fields, quantity)
    budgets = [
        fields.get("risk_dollars", D(0)) / 10,
        fields.get("risk_percent", D(0)) * 500 / 10,
        fields.get("equity_percent", D(0)) / WHOLE,
    ]
    base = next((budget for budget in budgets if budget > 0), None)
    if base is None:
        base = D(fields["initial_position_size"]) or quantity or D(0)
    floor = int(base * multiplier)
    assert size == (floor or (1 if base * multiplier > 0 and fields["at_least_one"] else None))


@unhurried
@given(st.decimals(0, 1000, places=4), multipliers, st.booleans())
def test_a_scaled_position_is_exact(stated: Decimal, multiplier: Decimal, at_least_one: bool) -> None:  # noqa: FBT001
    size = scaled_position(effective(multiplier, at_least_one=at_least_one), stated, worth())
    exact = stated * multiplier
    assert size == int(exact) or (size == 1 and at_least_one and 0 < exact < 1)


@unhurried
@given(st.integers(1, 500), st.integers(2, 500), st.data())
def test_a_share_leaves_at_least_one_and_never_more_than_there_is(own: int, before: int, data: st.DataObject) -> None:
    after = data.draw(st.integers(1, before - 1))
    left = left_of_share(own, D(before), D(after))
    assert 1 <= left <= own
    assert left == 1 or abs(D(left) - D(own) * after / before) <= D("0.5")
