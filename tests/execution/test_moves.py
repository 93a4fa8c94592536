"""What an alert wants: its positions decide before its action does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.base import Side
from execution.moves import (
    Inconsistent,
    Move,
    MoveKind,
    bare_move,
    check_consistency,
    inverse,
    stated_positions,
)
from execution.wishes import Act, wish_of
from recorders.alert import Action, ParsedAlert
from tests.traders.cases import FOLLOWS, MNQ, effective
from traders.sizing import Worth

unhurried = settings(deadline=None)
A = Action
Number = float | int | str | None


def exact(value: Number) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def alert(
    action: Action,
    quantity: Number = None,
    before: Number = None,
    after: Number = None,
    position_side: int | None = None,
) -> ParsedAlert:
    return ParsedAlert(
        action=action,
        ticker="MNQ1!",
        quantity=exact(quantity),
        prev_position=exact(before),
        position=exact(after),
        position_side=position_side,
        fired_at=datetime(2026, 11, 23, 14, 35, tzinfo=UTC),
    )


def classified(action: Action, quantity: Number, before: Number, after: Number) -> str:
    """As integration facts §1.5 names it, by what a follower that holds what the strategy held does."""
    said = alert(action, quantity, before, after)
    if isinstance(check_consistency(said), Inconsistent):
        return "INCONSISTENT"
    stated = stated_positions(said, tip=Decimal(99))
    assert stated == (exact(before), exact(after)), "what the alert states counts, wherever we thought it stood"
    move = Move(MoveKind.TO, before=stated[0], after=stated[1])
    wish = wish_of(move, int(stated[0]), effective(**FOLLOWS), Worth(MNQ.point_value))
    assert wish.side is None or wish.act is Act.REDUCE or wish.side.sign * stated[1] > 0
    return {
        Act.ENTER: "ENTRY", Act.ADD: "ADD", Act.REDUCE: "PARTIAL_EXIT", Act.EXIT: "EXIT", Act.REVERSE: "REVERSAL",
        Act.NOTHING: "NOOP",
    }[wish.act]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "quantity", "before", "after", "expected"),
    [
        (A.BUY, 1, 0, 1, "ENTRY"), (A.SELL, 2, 0, -2, "ENTRY"), (A.BUY, None, 0, 3, "ENTRY"),
        (A.BUY, "2.0", 0, 2, "ENTRY"), (A.BUY, 1, 1, 2, "ADD"), (A.SELL, 3, -1, -4, "ADD"),
        (A.SELL, 1, 3, 2, "PARTIAL_EXIT"), (A.BUY, 2, -3, -1, "PARTIAL_EXIT"), (A.CLOSE, 1, 3, 2, "PARTIAL_EXIT"),
        (A.CLOSE_LONG, None, 3, 2, "PARTIAL_EXIT"), (A.SELL, 3, 3, 0, "EXIT"), (A.BUY, 1, -1, 0, "EXIT"),
        (A.CLOSE, 3, 3, 0, "EXIT"), (A.CLOSE, 7, 3, 0, "EXIT"), (A.CLOSE_SHORT, None, -1, 0, "EXIT"),
        # One order for both parts of a flip; senders exist that state only one part.
        (A.BUY, 2, -1, 1, "REVERSAL"), (A.BUY, 1, -1, 1, "REVERSAL"), (A.SELL, 5, 2, -3, "REVERSAL"),
        (A.SELL, 2, 2, -3, "REVERSAL"), (A.SELL, 3, 2, -3, "REVERSAL"), (A.SELL, None, 2, -3, "REVERSAL"),
        (A.BUY, 1, 1, 1, "NOOP"), (A.SELL, 4, 1, 1, "NOOP"), (A.CLOSE, None, 0, 0, "NOOP"), (A.BUY, None, 0, 0, "NOOP"),
        # The other way than the action says.
        (A.SELL, 1, 0, 1, "INCONSISTENT"), (A.BUY, 1, 2, 1, "INCONSISTENT"), (A.BUY, 1, 1, 0, "INCONSISTENT"),
        (A.SELL, 2, -1, 1, "INCONSISTENT"), (A.SELL, None, -2, -1, "INCONSISTENT"),
        # Another number of contracts than the positions need.
        (A.BUY, 2, 0, 1, "INCONSISTENT"), (A.BUY, 1, 1, 3, "INCONSISTENT"), (A.SELL, 3, 3, 2, "INCONSISTENT"),
        (A.SELL, 1, 3, 0, "INCONSISTENT"), (A.SELL, 4, 2, -3, "INCONSISTENT"), (A.BUY, 0, 0, 1, "INCONSISTENT"),
        (A.BUY, "1.5", 0, 1, "INCONSISTENT"),
        # A close that would open.
        (A.CLOSE, None, 0, 1, "INCONSISTENT"), (A.CLOSE, 1, 1, 2, "INCONSISTENT"),
        (A.CLOSE_LONG, None, 1, -1, "INCONSISTENT"), (A.CLOSE_SHORT, 2, -1, 1, "INCONSISTENT"),
    ],
)  # fmt: skip
def test_positions_and_contracts_say_what_an_order_was(
    action: Action, quantity: Number, before: Number, after: Number, expected: str
) -> None:
    assert classified(action, quantity, before, after) == expected


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (alert(A.SELL, 1, 0, 1), "action: had sell, and the position went from 0 to 1"),
        (alert(A.BUY, 2, 0, 1), "contracts: had 2, and the position went from 0 to 1"),
        (alert(A.CLOSE, 2, 1, -1), "action: had close, and the position went from 1 to -1"),
    ],
)
def test_a_contradiction_says_what_was_had(said: ParsedAlert, text: str) -> None:
    assert check_consistency(said) == Inconsistent(text)


@pytest.mark.parametrize("said", [alert(A.BUY, 1), alert(A.BUY, 1, None, 5), alert(A.BUY, 1, 5, None), alert(A.CLOSE)])
def test_what_states_no_two_positions_cannot_contradict_them(said: ParsedAlert) -> None:
    assert check_consistency(said) is None


@pytest.mark.parametrize(
    ("said", "tip", "expected"),
    [
        (alert(A.BUY, 1), 3, None),
        (alert(A.BUY, 1, 3), 3, None),
        (alert(A.SELL, 1, None, 2), 3, (3, 2)),
        (alert(A.SELL, 1, None, 2), None, (3, 2)),
        (alert(A.BUY, 2, None, 2), None, (0, 2)),
        (alert(A.BUY, None, None, 2), None, (2, 2)),
        (alert(A.CLOSE, 2, None, 0), None, (0, 0)),
        (alert(A.CLOSE, 2, None, 0), 2, (2, 0)),
        (alert(A.BUY, 1, 0, 1), 7, (0, 1)),
    ],
)
def test_where_an_alert_is_silent_the_chain_says_where_the_strategy_stood(
    said: ParsedAlert, tip: int | None, expected: tuple[int, int] | None
) -> None:
    assert stated_positions(said, None if tip is None else Decimal(tip)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (alert(A.BUY), Move(MoveKind.ENTER, Side.BUY)),
        (alert(A.SELL, 2), Move(MoveKind.ENTER, Side.SELL, quantity=Decimal(2))),
        (alert(A.BUY, 2, position_side=1), Move(MoveKind.ENTER, Side.BUY, quantity=Decimal(2))),
        (alert(A.SELL, position_side=-1), Move(MoveKind.ENTER, Side.SELL)),
        # "Sell 1, still long": a partial exit of a long position, never a sell entry.
        (alert(A.SELL, 1, position_side=1), Move(MoveKind.REDUCE, Side.BUY, quantity=Decimal(1))),
        (alert(A.BUY, 3, position_side=-1), Move(MoveKind.REDUCE, Side.SELL, quantity=Decimal(3))),
        (alert(A.SELL, position_side=1), Move(MoveKind.REDUCE, Side.BUY)),
        (alert(A.BUY, 1, position_side=0), Move(MoveKind.FLATTEN)),
        (alert(A.SELL, 1, position_side=0), Move(MoveKind.FLATTEN)),
        (alert(A.CLOSE), Move(MoveKind.FLATTEN)),
        (alert(A.CLOSE, position_side=1), Move(MoveKind.FLATTEN)),
        (alert(A.CLOSE_LONG), Move(MoveKind.FLATTEN, Side.BUY)),
        (alert(A.CLOSE_SHORT, position_side=0), Move(MoveKind.FLATTEN, Side.SELL)),
        (alert(A.CANCEL), Move(MoveKind.CANCEL)),
    ],
)
def test_a_bare_alert_is_its_action_and_the_side_it_names(said: ParsedAlert, expected: Move) -> None:
    assert bare_move(said) == expected


moves = st.builds(
    Move,
    kind=st.sampled_from(MoveKind),
    side=st.none() | st.sampled_from(Side),
    before=st.decimals(-20, 20, places=2),
    after=st.decimals(-20, 20, places=2),
    quantity=st.none() | st.decimals(0, 20, places=2),
)


@unhurried
@given(moves)
def test_twice_inverted_is_the_same(move: Move) -> None:
    assert inverse(inverse(move)) == move
    assert inverse(move).quantity == move.quantity
    assert abs(inverse(move).after) == abs(move.after)


@unhurried
@given(moves, st.integers(-20, 20))
def test_the_inverse_is_what_the_mirrored_follower_wants(move: Move, own: int) -> None:
    follows, worth = effective(**FOLLOWS), Worth(MNQ.point_value)
    if move.kind in {MoveKind.ENTER, MoveKind.REDUCE} and move.side is None:
        return
    wish, mirrored = wish_of(move, own, follows, worth), wish_of(inverse(move), -own, follows, worth)
    assert (mirrored.act, mirrored.stated, mirrored.left) == (wish.act, wish.stated, wish.left)
    assert mirrored.side == (None if wish.side is None else wish.side.opposite)


@unhurried
@given(st.sampled_from(Action), st.integers(-9, 9), st.integers(-9, 9), st.none() | st.integers(0, 20))
def test_a_consistent_order_goes_the_way_it_says(action: Action, before: int, after: int, quantity: int | None) -> None:
    if check_consistency(alert(action, quantity, before, after)) is not None or action in {A.CANCEL, A.HEARTBEAT}:
        return
    if action is A.BUY:
        assert after >= before
    elif action is A.SELL:
        assert after <= before
    else:
        assert abs(after) <= abs(before) and before * after >= 0, "a close can never open"
