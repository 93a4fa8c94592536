"""No setting is only shown: for each there is a case in which changing it alone changes what is done.

`docs/SETTINGS.md` is written from the same table of fields, so that what it promises is what is tested here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import OrderType, Side
from brokers.instruments import conversion_ratio, resolve
from execution.cutoff import cutoff_of
from execution.drafting import wanted
from execution.moves import Move
from execution.plan import Case, LegKind, PlannedLeg, decide
from recorders.settings import FIELDS, read_settings
from tests.traders.cases import CHICAGO, FOLLOWS, MNQ, NOW, NQ, buy, case, facts, sell, targets, to
from traders.exits import leg_prices, template_of
from traders.settings import Route

D = Decimal
Outcome = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Row:
    """`other` is a value that the field has by itself nowhere; `rest` are settings that it needs around it."""

    outcome: Outcome
    other: Any
    rest: dict[str, Any]


def decided(move: Move, own: int = 0, **known: Any) -> Outcome:
    """What the follower does, down to the legs, sizes and exits."""

    def outcome(fields: dict[str, Any]) -> Any:
        decision = decide(move, case(own, case=known, **fields))
        return decision.legs, decision.declined, decision.size

    return outcome


def exits_of(fields: dict[str, Any]) -> Any:
    """Where the exits of an open position belong, once it is at break-even, and when that is."""
    template = template_of(read_settings(fields), MNQ, D(1))
    prices = leg_prices(template, Side.BUY, D(25_000), MNQ, at_break_even=template.break_even_after is not None)
    return prices, template.break_even_after


LIMIT_ENTRY = PlannedLeg("entry", LegKind.ENTRY, Side.BUY, 1, order_type=OrderType.LIMIT, price=D(25_000))


def drafted(fields: dict[str, Any]) -> Any:
    want = wanted(LIMIT_ENTRY, "MNQZ6", None, "", read_settings(fields))
    return want.delay_s, want.timeout_s


def cut_off(fields: dict[str, Any]) -> Any:
    return cutoff_of(read_settings(fields), CHICAGO, datetime(2026, 11, 23, 23, tzinfo=UTC))


ENTRY, LATER = decided(buy(3)), decided(buy(3), 2)
RICH = decided(buy(), cash=D(1_000_000))
STOP = {"stop_distance": 20}
WINDOWS = [{"start": "09:00", "end": "15:00"}]

ROWS: dict[str, Row] = {
    "initial_position_size": Row(ENTRY, 2, {}),
    "add_position_size": Row(LATER, 2, {"same_direction": "add"}),
    "at_least_one": Row(ENTRY, other=True, rest={"multiplier": "0.5"}),
    "risk_dollars": Row(ENTRY, 100, STOP),
    "risk_percent": Row(RICH, 1, STOP),
    "equity_percent": Row(RICH, 50, {}),
    "max_contracts_per_trade": Row(ENTRY, 2, {"initial_position_size": 5}),
    "max_contracts_per_position": Row(LATER, 3, {"same_direction": "add", "add_position_size": 4}),
    "max_open_positions": Row(decided(buy(), facts=facts(open_positions=2)), 2, {}),
    "targets": Row(ENTRY, targets((40, 50)), {}),
    "stop_distance": Row(ENTRY, 20, {}),
    "stop_unit": Row(ENTRY, "points", STOP),
    "stop_type": Row(ENTRY, "trailing", STOP),
    "trail_trigger_ticks": Row(ENTRY, 8, {**STOP, "stop_type": "trailing"}),
    "trail_step_ticks": Row(ENTRY, 4, {**STOP, "stop_type": "trailing"}),
    "break_even_ticks": Row(exits_of, 12, STOP),
    "break_even_offset_ticks": Row(exits_of, 2, {**STOP, "break_even_ticks": 12}),
    "entry_type": Row(ENTRY, "limit", {}),
    "limit_offset_ticks": Row(ENTRY, 4, {"entry_type": "limit"}),
    "limit_timeout_s": Row(drafted, 90, {"entry_type": "limit"}),
    "same_direction": Row(LATER, "re_enter", {}),
    "opposite_direction": Row(decided(sell(), 2), "ignore", {}),
    "inverse_signals": Row(ENTRY, other=True, rest={}),
    "direction_filter": Row(ENTRY, "short_only", {}),
    "signal_blocking": Row(LATER, other=True, rest={"same_direction": "add"}),
    "signal_cooldown_s": Row(decided(buy(), facts=facts(last_entry_at=NOW - timedelta(seconds=9))), 10, {}),
    "max_signals_per_session": Row(decided(buy(), facts=facts(entries_in_session=3)), 3, {}),
    "every_nth_signal": Row(ENTRY, 2, {}),
    "entry_delay_s": Row(drafted, 5, {}),
    "min_option_premium": Row(decided(buy(), facts=facts(premium=D("0.80"))), 1, {}),
    "max_daily_loss": Row(decided(buy(), facts=facts(day_pnl=D(-600))), 500, {}),
    "time_windows": Row(ENTRY, WINDOWS, {}),
    "auto_flat_after_cutoff": Row(cut_off, other=True, rest={"time_windows": WINDOWS}),
}

OTHER_VALUES: list[tuple[str, Any, dict[str, Any], Outcome]] = [
    *[("same_direction", rule, {}, LATER) for rule in ("ignore", "add")],
    ("opposite_direction", "block_while_dca", {"same_direction": "add"}, decided(sell(), 2)),
    ("direction_filter", "long_only", {}, decided(sell())),
    *[("stop_unit", unit, STOP, ENTRY) for unit in ("percent", "dollars", "price")],
    ("targets", targets((40, 50), unit="points"), {"targets": targets((40, 50))}, ENTRY),
    ("targets", targets((40, 60)), {"targets": targets((40, 50)), "initial_position_size": 5}, ENTRY),
    ("targets", targets((40, 1), trim="contracts"), {"targets": targets((40, 1)), "initial_position_size": 2}, ENTRY),
    ("auto_flat_after_cutoff", False, {"auto_flat_after_cutoff": True, "time_windows": WINDOWS}, cut_off),
]


def test_every_setting_has_a_row() -> None:
    assert list(ROWS) == list(FIELDS)


@pytest.mark.parametrize("name", ROWS)
def test_changing_a_setting_alone_changes_what_is_done(name: str) -> None:
    row = ROWS[name]
    assert name not in row.rest
    assert row.outcome(row.rest) != row.outcome({**row.rest, name: row.other})


@pytest.mark.parametrize(("name", "value", "rest", "outcome"), OTHER_VALUES)
def test_every_value_of_a_choice_is_another_outcome(
    name: str, value: Any, rest: dict[str, Any], outcome: Outcome
) -> None:
    assert outcome(rest) != outcome({**rest, name: value})


def followed(route: Route, signal: str = "NQ1!") -> Any:
    """As `execution.casebook` makes a case of a route: ticker and ratio are looked up there."""
    traded = resolve(route.custom_ticker or signal, date(2026, 11, 23))
    given: Case = case(contract=traded, **FOLLOWS)
    ratio = conversion_ratio(NQ.product, traded.product) if route.convert_size else D(1)
    assert ratio is not None
    decision = decide(to(0, 3), replace(given, effective=replace(given.effective, route=route), ratio=ratio))
    return [(leg.side, leg.qty, traded.symbol) for leg in decision.legs]


def test_everything_that_belongs_to_a_route_counts() -> None:
    plain, micro = Route(), Route(custom_ticker="MNQ1!")
    assert followed(plain) == [(Side.BUY, 3, "NQZ6")]
    assert followed(Route(multiplier=D(2))) == [(Side.BUY, 6, "NQZ6")]
    assert followed(Route(max_contracts=2)) == [(Side.BUY, 2, "NQZ6")]
    assert followed(micro) == [(Side.BUY, 3, "MNQZ6")]
    assert followed(replace(micro, convert_size=True)) == [(Side.BUY, 30, "MNQZ6")]
