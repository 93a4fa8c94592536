"""Whatever a strategy does, its followers stay on its side, within their limits, and out when it is out."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import Side
from execution.moves import Move, MoveKind
from execution.plan import Decision, LegKind, decide
from execution.wishes import OPENING, Act, wish_of
from recorders.setting_types import Directions, OppositeDirection, SameDirection
from tests.traders.cases import FOLLOWS, MNQ, after_all, case, effective, flatten, shown, to
from traders.sizing import Worth

unhurried = settings(deadline=None)
WORTH = Worth(MNQ.point_value)

moves = st.one_of(
    st.builds(Move, kind=st.just(MoveKind.TO), before=st.decimals(-9, 9, places=1), after=st.decimals(-9, 9, places=1)),
    st.builds(
        Move,
        kind=st.sampled_from([MoveKind.ENTER, MoveKind.REDUCE]),
        side=st.sampled_from(Side),
        quantity=st.none() | st.integers(0, 20).map(Decimal),
    ),
    st.builds(Move, kind=st.just(MoveKind.FLATTEN), side=st.none() | st.sampled_from(Side)),
    st.just(Move(MoveKind.CANCEL)),
)
any_settings = st.fixed_dictionaries(
    {
        "initial_position_size": st.integers(0, 5),
        "add_position_size": st.integers(0, 5),
        "same_direction": st.sampled_from(SameDirection),
        "opposite_direction": st.sampled_from(OppositeDirection),
        "direction_filter": st.sampled_from(Directions),
        "inverse_signals": st.booleans(),
        "signal_blocking": st.booleans(),
        "at_least_one": st.booleans(),
        "max_contracts_per_trade": st.integers(0, 6),
        "max_contracts_per_position": st.integers(0, 8),
        "max_contracts": st.none() | st.integers(0, 9),
        "multiplier": st.sampled_from(["0.3", "0.5", "1", "1.5", "3"]),
        "stop_distance": st.sampled_from([0, 20]),
        "entry_type": st.sampled_from(["market", "limit"]),
    }
)
followed = st.fixed_dictionaries({"multiplier": st.sampled_from(["0.1", "0.34", "0.5", "1", "1.5", "2.75", "10"])})
walks = st.lists(st.integers(-6, 6), min_size=1, max_size=12)


def only_reduces(move: Move) -> bool:
    if move.kind is not MoveKind.TO:
        return move.kind is not MoveKind.ENTER
    return move.after == move.before or (move.before * move.after >= 0 and abs(move.after) < abs(move.before))


def check_legs(decision: Decision, own: int) -> None:
    """Nothing closes more than is held or on the wrong side, and a plan never crosses from one side to the other."""
    held = own
    for leg in decision.legs:
        signed = leg.side.sign * leg.qty
        if leg.kind in {LegKind.EXIT, LegKind.REDUCE}:
            assert 1 <= leg.qty <= abs(held)
            assert (signed > 0) == (held < 0), "an exit never increases"
            assert (leg.kind is LegKind.EXIT) == (leg.qty == abs(held)), "an exit closes all, a reduce leaves some"
        elif leg.kind is LegKind.ENTRY:
            assert leg.qty >= 1
            assert held == 0 or (signed > 0) == (held > 0), "an entry starts from flat or adds to its own side"
            assert sum(part.qty for part in leg.bracket) in {0, leg.qty}
        held += signed


@settings(deadline=None, max_examples=500)
@given(moves, st.integers(-12, 12), any_settings)
def test_no_decision_can_surprise(move: Move, own: int, fields: dict[str, Any]) -> None:
    decision = decide(move, case(own, **fields))
    check_legs(decision, own)
    entries = [leg for leg in decision.legs if leg.is_entry]
    if only_reduces(move):
        assert not entries, "a close never opens, and a partial exit never adds"
        assert decision.act not in OPENING
    for entry in entries:
        assert decision.declined is None
        after = abs(after_all(own, decision))
        assert entry.qty <= (fields["max_contracts_per_trade"] or entry.qty)
        assert after <= (fields["max_contracts_per_position"] or after)
        assert fields["max_contracts"] is None or after <= fields["max_contracts"]
        allowed = {Directions.LONG_ONLY: Side.BUY, Directions.SHORT_ONLY: Side.SELL}
        assert entry.side is allowed.get(fields["direction_filter"], entry.side)
        assert not fields["signal_blocking"] or own == 0
    assert decision.legs or decision.declined is not None, "nothing is left out without a reason"


@settings(deadline=None, max_examples=500)
@given(walks, followed, st.none() | st.integers(1, 8), st.sampled_from(["max_contracts_per_position", "max_contracts"]))
def test_a_position_that_follows_the_alert_is_the_alerts_own_scaled_and_capped(
    walk: list[int], fields: dict[str, Any], cap: int | None, capped_by: str
) -> None:
    own = 0
    limits = {} if cap is None else {capped_by: cap}
    for before, after in pairwise([0, *walk]):
        decision = decide(to(before, after), case(own, **FOLLOWS, **fields, **limits))
        check_legs(decision, own)
        own = after_all(own, decision)
        whole = int((abs(after) * Decimal(fields["multiplier"])).to_integral_value(ROUND_FLOOR))
        assert abs(own) == min(whole if cap is None else cap, whole)
        assert own * after >= 0, "on the strategy's side"


@settings(deadline=None, max_examples=500)
@given(
    walks, st.integers(1, 5), st.integers(1, 5), st.booleans(), st.sampled_from(["follow", "add", "re_enter", "ignore"])
)
def test_with_sizes_of_its_own_a_follower_is_in_when_the_strategy_is_and_out_when_it_is(
    walk: list[int], initial: int, add: int, is_inverse: bool, rule: str  # noqa: FBT001
) -> None:  # fmt: skip
    own = 0
    fields = {"initial_position_size": initial, "add_position_size": add, "same_direction": rule}
    for before, after in pairwise([0, *walk]):
        decision = decide(to(before, after), case(own, inverse_signals=is_inverse, **fields))
        check_legs(decision, own)
        own = after_all(own, decision)
        assert (own == 0) == (after == 0)
        assert own * after * (-1 if is_inverse else 1) >= 0


@unhurried
@given(walks, any_settings)
def test_a_follower_who_is_left_behind_gets_out_with_the_strategy(walk: list[int], fields: dict[str, Any]) -> None:
    own = 0
    for before, after in pairwise([0, *walk]):
        own = after_all(own, decide(to(before, after), case(own, **fields)))
        if after == 0 and before != 0:
            assert own == 0
    assert after_all(own, decide(flatten(), case(own, **fields))) == 0


@unhurried
@given(st.integers(2, 9), st.integers(1, 8), st.integers(1, 40), st.sampled_from([1, -1]))
def test_a_partial_exit_takes_the_followers_own_share(before: int, after: int, held: int, sign: int) -> None:
    if after >= before:
        return
    decision = decide(to(sign * before, sign * after), case(sign * held))
    left = abs(after_all(sign * held, decision))
    assert 1 <= left <= held
    assert left == 1 or abs(Decimal(left) - Decimal(held) * after / before) <= Decimal("0.5")


def test_partial_exits_and_the_last_one_close_everything_whatever_the_size() -> None:
    for held in range(1, 30):
        own = held
        for before, after in pairwise([5, 4, 3, 2, 1, 0]):
            own = after_all(own, decide(to(before, after), case(own)))
        assert own == 0


@pytest.mark.parametrize(
    ("move", "own", "fields", "text"),
    [
        (flatten(), 0, {}, "there is no position to close"),
        (flatten(Side.SELL), 2, {}, "closes short positions, and +2 is held"),
        (to(0, 1), 2, {"same_direction": "ignore"}, "already holds +2, same direction: ignore"),
        (to(0, 1), 2, {}, "already holds +2 when the strategy enters"),
        (to(0, 1), -2, {"opposite_direction": "ignore"}, "holds -2, opposite direction: ignore"),
        (to(0, 1), -2, {"signal_blocking": True}, "holds -2, and no entry counts while a position is open"),
        (to(3, 2), -2, {}, "a partial exit of a long position, and -2 is held"),
        (to(3, 2), 1, {}, "the share of +1 to close is less than one contract"),
        (to(2, 2), 1, {}, "the strategy stands at 2, as it did before this alert"),
    ],
)
def test_what_is_not_done_says_why(move: Move, own: int, fields: dict[str, Any], text: str) -> None:
    wish = wish_of(move, own, effective(**fields), WORTH)
    assert (wish.act, wish.text) == (Act.NOTHING, text)
    assert wish.code


def test_two_alerts_of_one_second_that_arrive_swapped_end_where_the_strategy_is() -> None:
    """S6: close and entry. The entry comes first, so the strategy went from 2 to -2; then its close changes nothing."""
    first = decide(to(2, -2), case(2, **FOLLOWS))
    assert shown(first) == "exit sell 2, entry sell 2"
    assert shown(decide(to(-2, -2), case(after_all(2, first), **FOLLOWS))) == "NO_CHANGE"


def test_what_concerns_only_the_flat_moves_nobody_else() -> None:
    move = Move(MoveKind.TO, before=Decimal(0), after=Decimal(2), is_summary=True)
    assert shown(decide(move, case(0, **FOLLOWS))) == "entry buy 2"
    for own in (-3, 1, 5):
        assert shown(decide(move, case(own, same_direction="add"))) == "NO_CHANGE"
