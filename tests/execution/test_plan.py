"""What one follower does about one signal, over every kind of move, position and setting."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from brokers.base import BracketLeg, OrderType, Side, Trail
from execution.moves import Move, MoveKind
from execution.plan import LegKind, decide
from execution.wishes import Act
from recorders.setting_types import OppositeDirection, SameDirection
from tests.traders.cases import FOLLOWS, MNQ, NOTE, buy, case, facts, flatten, sell, shown, take, targets, to

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
CANCEL = Move(MoveKind.CANCEL)
TWO = {"initial_position_size": 2, "add_position_size": 1}
IGNORE, ADD, RE_ENTER = ({**TWO, "same_direction": rule} for rule in ("ignore", "add", "re_enter"))
NO_FLIP = {**TWO, "opposite_direction": "ignore"}
DCA_BLOCKS = {"opposite_direction": "block_while_dca"}
INVERSE = {**TWO, "inverse_signals": True}
ONE_AT_A_TIME = {**TWO, "signal_blocking": True}
LONG_ONLY, SHORT_ONLY = ({**TWO, "direction_filter": f"{side}_only"} for side in ("long", "short"))

Row = tuple[Move, int, dict[str, Any], str]
FIXED_SIZES: list[Row] = [
    # Flat: only what enters has something to do.
    (to(0, 1), 0, TWO, "entry buy 2"), (to(0, -1), 0, TWO, "entry sell 2"), (to(1, 2), 0, TWO, "entry buy 2"),
    (to(1, -1), 0, TWO, "entry sell 2"), (to(2, 1), 0, TWO, "NOT_IN_POSITION"), (to(1, 0), 0, TWO, "ALREADY_FLAT"),
    (to(1, 1), 0, TWO, "NO_CHANGE"), (buy(), 0, TWO, "entry buy 2"), (sell(7), 0, TWO, "entry sell 2"),
    (flatten(), 0, TWO, "ALREADY_FLAT"), (flatten(BUY), 0, TWO, "ALREADY_FLAT"),
    (take(BUY, 1), 0, TWO, "NOT_IN_POSITION"), (CANCEL, 0, TWO, "cancel sell 0"),
    # The same side. A strategy that says how its position grew is followed, a bare repeat is not.
    (to(0, 1), 2, TWO, "SAME_DIRECTION"), (to(1, 2), 2, TWO, "add buy 1"), (to(-1, -2), -2, TWO, "add sell 1"),
    (to(-1, 1), 2, TWO, "SAME_DIRECTION"), (buy(), 2, TWO, "SAME_DIRECTION"), (sell(), -2, TWO, "SAME_DIRECTION"),
    (to(1, 2), 2, IGNORE, "SAME_DIRECTION"), (buy(), 2, IGNORE, "SAME_DIRECTION"),
    (to(0, 1), 2, IGNORE, "SAME_DIRECTION"), (buy(), 2, ADD, "add buy 1"), (buy(9), 2, ADD, "add buy 1"),
    (to(0, 1), 2, ADD, "add buy 1"), (to(1, 2), 2, ADD, "add buy 1"), (sell(), -5, ADD, "add sell 1"),
    (buy(), 2, RE_ENTER, "exit sell 2, entry buy 2"), (to(1, 2), 5, RE_ENTER, "exit sell 5, entry buy 2"),
    (sell(), -1, RE_ENTER, "exit buy 1, entry sell 2"), (to(0, 1), 1, RE_ENTER, "exit sell 1, entry buy 2"),
    # The other side.
    (to(0, 1), -3, TWO, "exit buy 3, entry buy 2"), (to(1, -1), 3, TWO, "exit sell 3, entry sell 2"),
    (buy(), -3, TWO, "exit buy 3, entry buy 2"), (sell(), 1, TWO, "exit sell 1, entry sell 2"),
    (to(1, 2), -3, TWO, "exit buy 3, entry buy 2"), (buy(), -3, NO_FLIP, "OPPOSITE_DIRECTION"),
    (to(1, -1), 3, NO_FLIP, "OPPOSITE_DIRECTION"), (to(1, -1), 3, {**ADD, **DCA_BLOCKS}, "OPPOSITE_DIRECTION"),
    (sell(), 3, {**ADD, **DCA_BLOCKS}, "OPPOSITE_DIRECTION"),
    (sell(), 3, {**TWO, **DCA_BLOCKS}, "exit sell 3, entry sell 2"),
    (sell(), 3, {**IGNORE, **DCA_BLOCKS}, "exit sell 3, entry sell 2"), (sell(), 3, ADD, "exit sell 3, entry sell 2"),
    # Ways out.
    (to(1, 0), 2, TWO, "exit sell 2"), (to(-1, 0), 2, TWO, "exit sell 2"), (to(1, 0), -2, TWO, "exit buy 2"),
    (flatten(), 5, TWO, "exit sell 5"), (flatten(BUY), 5, TWO, "exit sell 5"), (flatten(SELL), 5, TWO, "OTHER_SIDE"),
    (flatten(SELL), -5, TWO, "exit buy 5"), (flatten(BUY), -5, TWO, "OTHER_SIDE"),
    (flatten(), 5, NO_FLIP, "exit sell 5"), (to(3, 2), 3, TWO, "reduce sell 1"), (to(3, 1), 6, TWO, "reduce sell 4"),
    (to(-3, -2), -3, TWO, "reduce buy 1"), (to(3, 2), 1, TWO, "SHARE_BELOW_ONE"),
    (to(3, 2), -3, TWO, "NOT_IN_POSITION"), (to(2, 1), 2, IGNORE, "reduce sell 1"),
    (take(BUY, 1), 2, TWO, "reduce sell 1"), (take(BUY, 9), 2, TWO, "reduce sell 1"),
    (take(BUY, 1), 1, TWO, "SHARE_BELOW_ONE"), (take(BUY, 1), -2, TWO, "NOT_IN_POSITION"),
    (take(SELL, 1), -2, TWO, "reduce buy 1"), (take(BUY, None), 2, TWO, "QUANTITY_MISSING"),
    (CANCEL, 2, TWO, "cancel buy 0"), (to(2, 2), 2, TWO, "NO_CHANGE"),
    # Switches.
    (buy(), 0, INVERSE, "entry sell 2"), (to(0, 1), 0, INVERSE, "entry sell 2"), (to(1, 2), -2, INVERSE, "add sell 1"),
    (to(2, 1), -2, INVERSE, "reduce buy 1"), (to(1, 0), -2, INVERSE, "exit buy 2"),
    (flatten(BUY), -2, INVERSE, "exit buy 2"), (flatten(BUY), 2, INVERSE, "OTHER_SIDE"),
    (take(BUY, 1), -2, INVERSE, "reduce buy 1"), (CANCEL, 0, INVERSE, "cancel sell 0"),
    (to(1, -1), -2, INVERSE, "exit buy 2, entry buy 2"), (buy(), 0, ONE_AT_A_TIME, "entry buy 2"),
    (buy(), 2, ONE_AT_A_TIME, "SIGNAL_BLOCKING"), (sell(), 2, ONE_AT_A_TIME, "SIGNAL_BLOCKING"),
    (to(1, -1), 2, ONE_AT_A_TIME, "SIGNAL_BLOCKING"), (to(1, 2), 2, ONE_AT_A_TIME, "SIGNAL_BLOCKING"),
    (to(2, 1), 2, ONE_AT_A_TIME, "reduce sell 1"), (flatten(), 2, ONE_AT_A_TIME, "exit sell 2"),
    (buy(), 0, LONG_ONLY, "entry buy 2"), (sell(), 0, LONG_ONLY, "DIRECTION_FILTER"),
    (to(0, -1), 0, LONG_ONLY, "DIRECTION_FILTER"), (to(1, -1), 2, LONG_ONLY, "exit sell 2 | DIRECTION_FILTER"),
    (sell(), 2, LONG_ONLY, "exit sell 2 | DIRECTION_FILTER"), (to(-1, -2), -2, LONG_ONLY, "DIRECTION_FILTER"),
    (to(-2, -1), -2, LONG_ONLY, "reduce buy 1"), (flatten(), -2, LONG_ONLY, "exit buy 2"),
    (sell(), 0, SHORT_ONLY, "entry sell 2"), (buy(), -2, SHORT_ONLY, "exit buy 2 | DIRECTION_FILTER"),
    (buy(), 0, {**INVERSE, **SHORT_ONLY}, "entry sell 2"), (sell(), 0, {**INVERSE, **SHORT_ONLY}, "DIRECTION_FILTER"),
    # What cannot be sized: the old position still goes.
    (to(1, -1), 2, {**TWO, "risk_dollars": 5}, "exit sell 2 | STOP_MISSING"), (buy(), 0, FOLLOWS, "QUANTITY_MISSING"),
    (sell(), 2, FOLLOWS, "exit sell 2 | QUANTITY_MISSING"),
    (buy(), 2, {**FOLLOWS, "same_direction": "re_enter"}, "QUANTITY_MISSING"),
    (sell(), 2, {**TWO, "risk_percent": 1, "stop_distance": 8}, "exit sell 2 | BALANCE_UNKNOWN"),
]  # fmt: skip

THREE_MOST = {**FOLLOWS, "max_contracts_per_position": 3}
FOLLOWED: list[Row] = [
    (to(0, 3), 0, FOLLOWS, "entry buy 3"), (to(3, 5), 3, FOLLOWS, "add buy 2"), (to(3, 5), 4, FOLLOWS, "add buy 1"),
    (to(3, 5), 0, FOLLOWS, "entry buy 5"), (to(3, 5), 5, FOLLOWS, "AT_TARGET"), (to(3, 5), 9, FOLLOWS, "AT_TARGET"),
    (to(0, 2), 1, FOLLOWS, "add buy 1"), (to(0, 2), 2, FOLLOWS, "AT_TARGET"),
    (to(3, -2), 3, FOLLOWS, "exit sell 3, entry sell 2"), (to(3, 1), 3, FOLLOWS, "reduce sell 2"),
    (to(3, 1), 2, FOLLOWS, "reduce sell 1"), (to(3, 1), 1, FOLLOWS, "SHARE_BELOW_ONE"),
    (to(0, "0.5"), 0, FOLLOWS, "SIZE_BELOW_ONE"), (to(2, "0.5"), 2, FOLLOWS, "exit sell 2"),
    (buy(4), 0, FOLLOWS, "entry buy 4"), (buy(4), 2, {**FOLLOWS, "same_direction": "add"}, "add buy 4"),
    (sell(4), 2, FOLLOWS, "exit sell 2, entry sell 4"), (take(BUY, 3), 5, FOLLOWS, "reduce sell 3"),
    (take(BUY, 5), 5, FOLLOWS, "reduce sell 4"), (to(0, 5), 0, THREE_MOST, "entry buy 3"),
    (to(5, 7), 3, THREE_MOST, "SIZE_ABOVE_LIMIT"), (to(7, 4), 3, THREE_MOST, "SHARE_BELOW_ONE"),
    (to(4, 2), 3, THREE_MOST, "reduce sell 1"), (to(5, -5), 3, THREE_MOST, "exit sell 3, entry sell 3"),
    (to(0, 5), 0, {**FOLLOWS, "max_contracts_per_trade": 2}, "entry buy 2"),
    (to(5, 8), 2, {**FOLLOWS, "max_contracts_per_trade": 2}, "add buy 2"),
    (to(5, 4), 2, {**FOLLOWS, "max_contracts_per_trade": 2}, "SHARE_BELOW_ONE"),
    (to(0, 1), 0, {**FOLLOWS, "multiplier": "0.5"}, "SIZE_BELOW_ONE"),
    (to(1, 2), 0, {**FOLLOWS, "multiplier": "0.5"}, "entry buy 1"),
    (to(2, 1), 1, {**FOLLOWS, "multiplier": "0.5"}, "exit sell 1"),
    (to(1, -1), 0, {**FOLLOWS, "multiplier": "0.5"}, "SIZE_BELOW_ONE"),
    (to(2, -1), 1, {**FOLLOWS, "multiplier": "0.5"}, "exit sell 1 | SIZE_BELOW_ONE"),
    (to(0, 1), 0, {**FOLLOWS, "multiplier": "0.5", "at_least_one": True}, "entry buy 1"),
    (to(2, 1), 1, {**FOLLOWS, "multiplier": "0.5", "at_least_one": True}, "SHARE_BELOW_ONE"),
    (take(BUY, 1), 5, {**FOLLOWS, "multiplier": "0.5"}, "SHARE_BELOW_ONE"),
    (take(BUY, 3), 5, {**FOLLOWS, "multiplier": 2}, "reduce sell 4"),
    (to(0, 3), 0, {**FOLLOWS, "max_contracts": 2}, "entry buy 2"),
    (to(0, 3), 0, {**FOLLOWS, "max_contracts": 0}, "SIZE_ABOVE_LIMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("move", "own", "fields", "expected"), FIXED_SIZES + FOLLOWED)
def test_every_move_from_every_position(move: Move, own: int, fields: dict[str, Any], expected: str) -> None:
    decision = decide(move, case(own, **fields))
    assert shown(decision) == expected
    assert decision.declined is None or decision.declined.text
    for leg in decision.legs:
        assert leg.waits_for_exit == (leg.leg == "entry" and len(decision.legs) > 1)
        assert leg.kind.value == {"add": "entry"}.get(leg.leg, leg.leg)
        assert leg.is_entry or (leg.bracket, leg.exits_text, leg.price) == ((), "", None)
        assert leg.leaves == (abs(own) - leg.qty if leg.kind is LegKind.REDUCE else None)


@pytest.mark.parametrize(
    ("name", "values"), [("same_direction", SameDirection), ("opposite_direction", OppositeDirection)]
)
def test_the_table_has_every_value_of_these_rules(name: str, values: type[SameDirection | OppositeDirection]) -> None:
    default = {"same_direction": "follow", "opposite_direction": "reverse"}[name]
    assert {fields.get(name, default) for _, _, fields, _ in FIXED_SIZES} == {value.value for value in values}


EXITS = {"targets": targets((40, 50), (80, 50)), "stop_distance": 20}


def test_an_entry_carries_its_exits() -> None:
    decision = decide(buy(), case(**TWO, **EXITS))
    [entry] = decision.legs
    assert entry.bracket == (BracketLeg(1, D(10), D(5)), BracketLeg(1, D(20), D(5)))
    assert entry.bracket_targets == (0, 1)
    assert entry.exits is not None and entry.exits_text == entry.exits.text
    assert (decision.act, entry.order_type, entry.price) == (Act.ENTER, OrderType.MARKET, None)
    bare = decide(buy(), case(**TWO)).legs[0]
    assert (bare.bracket, bare.bracket_targets) == ((), ())


def test_a_trailing_stop_goes_with_every_leg() -> None:
    fields = {**TWO, **EXITS, "stop_type": "trailing", "trail_trigger_ticks": 8}
    trail = Trail(D(5), D(2))
    assert [leg.trail for leg in decide(buy(), case(**fields)).legs[0].bracket] == [trail, trail]


@pytest.mark.parametrize(
    ("own", "at_work", "bracket", "places"),
    [
        (2, (1, 1, 0), [(1, 10), (1, 20)], (0, 1)),  # two more, spread like the first two
        (2, (0, 2, 0), [(2, 10)], (0,)),  # the first target has taken its part: the new ones are for it
        (2, (), [(1, 10), (1, 20)], (0, 1)),  # nothing known of legs: as if alone
        (2, (1, 1), [(1, 10), (1, 20)], (0, 1)),  # the template was another one then
        (6, (6, 0, 0), [(2, 20)], (1,)),
    ],
)
def test_an_add_brings_the_exits_that_are_missing(
    own: int, at_work: tuple[int, ...], bracket: list[tuple[int, int]], places: tuple[int, ...]
) -> None:
    fields = {"same_direction": "add", "add_position_size": 2, **EXITS}
    [add] = decide(buy(), case(own, case={"at_work": at_work}, **fields)).legs
    assert [(leg.qty, leg.target_distance) for leg in add.bracket] == bracket
    assert add.bracket_targets == places


LIMIT = {**TWO, "entry_type": "limit"}


@pytest.mark.parametrize(
    ("move", "fields", "known", "price"),
    [
        (buy(), {}, {}, "25000"), (buy(), {}, {"price": D("25000.10")}, "25000.00"),
        (sell(), {}, {"price": D("25000.10")}, "25000.25"), (buy(), {"limit_offset_ticks": 4}, {}, "24999"),
        (sell(), {"limit_offset_ticks": 4}, {}, "25001"), (buy(), {}, {"limit_price": D("24990.5")}, "24990.5"),
        (sell(), {"limit_offset_ticks": 1}, {"price": D("25000.10")}, "25000.50"),
        (buy(), {"limit_offset_ticks": 1}, {"contract": NOTE, "price": D("110.51")}, "110.484375"),
    ],
)  # fmt: skip
def test_a_limit_entry_is_on_the_tick_and_never_worse_than_asked(
    move: Move, fields: dict[str, Any], known: dict[str, Any], price: str
) -> None:
    contract = known.pop("contract", MNQ)
    [entry] = decide(move, case(contract=contract, case=known, **LIMIT, **fields)).legs
    assert (entry.order_type, entry.price) == (OrderType.LIMIT, D(price))


def test_a_limit_entry_needs_a_price_and_measures_its_exits_from_it() -> None:
    assert shown(decide(buy(), case(case={"price": None}, **LIMIT))) == "PRICE_MISSING"
    assert shown(decide(buy(), case(-3, case={"price": None}, **LIMIT))) == "exit buy 3 | PRICE_MISSING"
    fields = {**LIMIT, "targets": targets((25_010, None), unit="price")}
    [entry] = decide(buy(), case(case={"limit_price": D(24_990)}, **fields)).legs
    assert [leg.target_distance for leg in entry.bracket] == [20]


def test_exits_that_need_a_price_decline_the_entry_without_one_and_nothing_else() -> None:
    fields = {**TWO, "stop_distance": 1, "stop_unit": "percent"}
    unknown = {"price": None}
    assert shown(decide(buy(), case(case=unknown, **fields))) == "PRICE_MISSING"
    assert shown(decide(to(1, -1), case(2, case=unknown, **fields))) == "exit sell 2 | PRICE_MISSING"
    assert shown(decide(to(2, 1), case(2, case=unknown, **fields))) == "reduce sell 1"


@pytest.mark.parametrize(
    ("move", "what", "price", "is_declined"),
    [
        (buy(), "stop", 24_990, False), (buy(), "stop", 25_010, True), (buy(), "stop", 25_000, True),
        (sell(), "stop", 25_010, False), (sell(), "stop", 24_990, True), (buy(), "target", 25_010, False),
        (buy(), "target", 24_990, True), (sell(), "target", 24_990, False), (sell(), "target", 25_000, True),
    ],
)  # fmt: skip
def test_an_exit_that_the_entry_itself_would_reach_declines_the_entry(
    move: Move, what: str, price: int, is_declined: bool  # noqa: FBT001
) -> None:  # fmt: skip
    stop = {"stop_distance": price, "stop_unit": "price"}
    fields = {**TWO, **(stop if what == "stop" else {"targets": targets((price, None), unit="price")})}
    assert (shown(decide(move, case(**fields))) == "EXIT_ON_WRONG_SIDE") == is_declined


def test_trims_in_contracts_fit_what_is_traded_for_one_of_the_signals() -> None:
    fields = {**FOLLOWS, "targets": targets((40, 1), (80, 1), (120, 1), trim="contracts")}
    [entry] = decide(to(0, 3), case(case={"ratio": D(10)}, **fields)).legs
    assert [leg.qty for leg in entry.bracket] == [10, 10, 10]


def test_the_verdicts_and_the_size_explain_a_decision() -> None:
    decision = decide(buy(), case(case={"facts": facts()}, max_contracts=1, signal_cooldown_s=5, **TWO))
    assert [(verdict.code, verdict.passes) for verdict in decision.verdicts] == [("COOLDOWN", True)]
    assert decision.size is not None
    assert (decision.size.contracts, decision.size.asked, decision.size.limit) == (1, 2, "max_contracts")
