"""What must be passed before exposure is added, one by one and in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from brokers.base import Side
from execution.plan import decide
from recorders.settings import read_settings
from tests.traders.cases import CHICAGO, NOW, buy, case, facts, flatten, shown, to
from traders.gates import GATES, Ask, Facts, judge

D = Decimal
FRESH = Ask(Side.BUY, held=0, is_fresh=True)
ADD = Ask(Side.BUY, held=2, is_fresh=False)
BERLIN = "Europe/Berlin"


def window(*spans: str) -> list[dict[str, str]]:
    return [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in spans]


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


LIFTED = {"is_loss_lifted": True}
# 14:35 UTC is 8:35 in Chicago.
GATE_CASES: list[tuple[str, dict[str, Any], dict[str, Any], Ask, bool, str]] = [
    ("DIRECTION_FILTER", {"direction_filter": "long_only"}, {}, FRESH, True, "had buy, limit long_only"),
    ("DIRECTION_FILTER", {"direction_filter": "short_only"}, {}, FRESH, False, "had buy, limit short_only"),
    ("DIRECTION_FILTER", {"direction_filter": "short_only"}, {}, ADD, False, "had buy, limit short_only"),
    ("TIME_WINDOW", {"time_windows": window("08:30-15:00")}, {}, FRESH, True, "had 08:35:00, limit 08:30-15:00"),
    ("TIME_WINDOW", {"time_windows": window("08:36-15:00", "17:00-03:00")}, {}, FRESH, False,
     "had 08:35:00, limit 08:36-15:00, 17:00-03:00 America/Chicago"),
    ("COOLDOWN", {"signal_cooldown_s": 60}, {}, FRESH, True, "had no entry before, limit 60 s"),
    ("COOLDOWN", {"signal_cooldown_s": 60}, {"last_entry_at": ago(60)}, FRESH, True, "had 60.0 s, limit 60 s"),
    ("COOLDOWN", {"signal_cooldown_s": 60}, {"last_entry_at": ago(59.9)}, FRESH, False, "had 59.9 s, limit 60 s"),
    ("COOLDOWN", {"signal_cooldown_s": 60}, {"last_entry_at": ago(0)}, ADD, False, "had 0.0 s, limit 60 s"),
    ("MAX_SIGNALS", {"max_signals_per_session": 3}, {"entries_in_session": 2}, FRESH, True, "had 2 taken, limit 3"),
    ("MAX_SIGNALS", {"max_signals_per_session": 3}, {"entries_in_session": 3}, FRESH, False, "had 3 taken, limit 3"),
    ("MAX_SIGNALS", {"max_signals_per_session": 3}, {"entries_in_session": 4}, ADD, False, "had 4 taken, limit 3"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": D("-499.99")}, FRESH, True, "had -499.99 $, limit -500 $"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": D(-500)}, FRESH, False, "had -500.00 $, limit -500 $"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": None}, FRESH, False, "had an open position without a fresh"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": D(900)}, ADD, True, "had 900.00 $"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": D(-900), **LIFTED}, FRESH, True, "limit -500 $, unlocked for"),
    ("DAILY_LOSS", {"max_daily_loss": 500}, {"day_pnl": None, **LIFTED}, FRESH, True, "limit -500 $, unlocked for"),
    ("MAX_OPEN_POSITIONS", {"max_open_positions": 2}, {"open_positions": 1}, FRESH, True, "had 1 open, limit 2"),
    ("MAX_OPEN_POSITIONS", {"max_open_positions": 2}, {"open_positions": 2}, FRESH, False, "had 2 open, limit 2"),
    ("MAX_OPEN_POSITIONS", {"max_open_positions": 2}, {"open_positions": 2}, Ask(Side.BUY, -3, is_fresh=True), True,
     "had 1 open, limit 2"),
    ("OPTION_PREMIUM", {"min_option_premium": "1.5"}, {"premium": D("1.5")}, FRESH, True, "had 1.5 $, limit at least"),
    ("OPTION_PREMIUM", {"min_option_premium": "1.5"}, {"premium": D("1.49")}, FRESH, False, "had 1.49 $, limit at"),
    ("EVERY_NTH", {"every_nth_signal": 3}, {"signals_counted": 2}, FRESH, True, "had number 3 of 3, limit number 3"),
    ("EVERY_NTH", {"every_nth_signal": 3}, {"signals_counted": 3}, FRESH, False, "had number 1 of 3, limit number 3"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fields", "known", "ask", "passes", "text"), GATE_CASES)
def test_each_gate_says_what_was_had_and_the_limit(
    code: str, fields: dict[str, Any], known: dict[str, Any], ask: Ask, passes: bool, text: str  # noqa: FBT001
) -> None:  # fmt: skip
    [verdict] = judge(read_settings(fields), facts(**known), ask)
    assert (verdict.code, verdict.passes) == (code, passes)
    assert text in verdict.text
    assert verdict.text.startswith(code.lower().replace("_", " "))


def test_gates_that_are_off_say_nothing() -> None:
    bad = facts(last_entry_at=NOW, entries_in_session=99, day_pnl=None, open_positions=99, premium=D(0))
    assert judge(read_settings({}), bad, FRESH) == ()
    assert judge(read_settings({"min_option_premium": 1}), facts(), FRESH) == (), "no premium is stated of a future"
    assert judge(read_settings({"max_open_positions": 1}), facts(open_positions=9), ADD) == (), "an add opens nothing"


# In the order of the gates, each with what makes it deny.
DENIALS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "DIRECTION_FILTER": ({"direction_filter": "short_only"}, {}),
    "TIME_WINDOW": ({"time_windows": window("09:00-10:00")}, {}),
    "COOLDOWN": ({"signal_cooldown_s": 60}, {"last_entry_at": NOW}),
    "MAX_SIGNALS": ({"max_signals_per_session": 1}, {"entries_in_session": 1}),
    "DAILY_LOSS": ({"max_daily_loss": 1}, {"day_pnl": D(-2)}),
    "MAX_OPEN_POSITIONS": ({"max_open_positions": 1}, {"open_positions": 1}),
    "OPTION_PREMIUM": ({"min_option_premium": 1}, {"premium": D(0)}),
    "EVERY_NTH": ({"every_nth_signal": 2}, {"signals_counted": 0}),
}


def test_every_gate_has_a_denial_here() -> None:
    assert len(DENIALS) == len(GATES)


@pytest.mark.parametrize(("first", "second"), list(combinations(DENIALS, 2)))
def test_the_first_denial_in_order_wins(first: str, second: str) -> None:
    fields = DENIALS[second][0] | DENIALS[first][0]
    verdicts = judge(read_settings(fields), facts(**DENIALS[second][1], **DENIALS[first][1]), FRESH)
    assert [verdict.code for verdict in verdicts] == [first]
    # Once the first one passes, its verdict is told before the denial.
    lenient = {
        "DIRECTION_FILTER": {"direction_filter": "long_only"},
        "TIME_WINDOW": {"time_windows": window("08:00-9:00")},
    }
    verdicts = judge(read_settings(fields | lenient.get(first, {})), facts(**DENIALS[second][1]), FRESH)
    if first != "EVERY_NTH":
        assert verdicts[-1].code == second
        assert all(verdict.passes for verdict in verdicts[:-1])


def test_all_verdicts_up_to_the_denial_are_told() -> None:
    fields: dict[str, Any] = {}
    for given, _ in DENIALS.values():
        fields |= given
    fields |= {"direction_filter": "long_only", "time_windows": window("08:00-15:00")}
    known = facts(day_pnl=D(-2), entries_in_session=0)
    assert [v.code for v in judge(read_settings(fields), known, FRESH)] == [
        "DIRECTION_FILTER", "TIME_WINDOW", "COOLDOWN", "MAX_SIGNALS", "DAILY_LOSS",
    ]  # fmt: skip
    everything = judge(read_settings(fields), replace(known, day_pnl=D(0), premium=D(5), signals_counted=1), FRESH)
    assert [v.code for v in everything] == list(DENIALS)
    assert all(v.passes for v in everything)


def utc(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "zone", "moment", "is_inside"),
    [
        ("08:30-15:00", CHICAGO, utc(11, 23, 14, 30), True), ("08:30-15:00", CHICAGO, utc(11, 23, 14, 29, 59), False),
        ("08:30-15:00", CHICAGO, utc(11, 23, 20, 59, 59), True), ("08:30-15:00", CHICAGO, utc(11, 23, 21), False),
        ("08:30-15:00", BERLIN, utc(11, 23, 7, 30), True), ("08:30-15:00", BERLIN, utc(11, 23, 14, 30), False),
        ("08:30-15:00", "UTC", utc(11, 23, 8, 30), True),
        # Over midnight.
        ("18:00-02:00", CHICAGO, utc(11, 24, 0), True), ("18:00-02:00", CHICAGO, utc(11, 23, 23, 59, 59), False),
        ("18:00-02:00", CHICAGO, utc(11, 24, 7, 59, 59), True), ("18:00-02:00", CHICAGO, utc(11, 24, 8), False),
        ("23:59-00:00", CHICAGO, utc(11, 24, 5, 59, 30), True), ("23:59-00:00", CHICAGO, utc(11, 24, 6), False),
        # Chicago's clocks go from 2:00 to 3:00 on 8 March, and the market opens an hour earlier in UTC.
        ("08:30-15:00", CHICAGO, utc(3, 7, 14, 30), True), ("08:30-15:00", CHICAGO, utc(3, 7, 14, 29), False),
        ("08:30-15:00", CHICAGO, utc(3, 8, 13, 30), True), ("08:30-15:00", CHICAGO, utc(3, 8, 13, 29), False),
        ("08:30-15:00", CHICAGO, utc(3, 8, 19, 59), True), ("08:30-15:00", CHICAGO, utc(3, 8, 20), False),
        ("02:15-02:45", CHICAGO, utc(3, 8, 7, 59, 59), False), ("02:15-02:45", CHICAGO, utc(3, 8, 8), False),
        ("01:00-03:30", CHICAGO, utc(3, 8, 7, 59, 59), True), ("01:00-03:30", CHICAGO, utc(3, 8, 8, 29), True),
        ("01:00-03:30", CHICAGO, utc(3, 8, 8, 30), False),
        # They go back from 2:00 to 1:00 on 1 November: the hour before comes twice, and counts twice.
        ("01:00-02:00", CHICAGO, utc(11, 1, 6, 30), True), ("01:00-02:00", CHICAGO, utc(11, 1, 7, 30), True),
        ("01:00-02:00", CHICAGO, utc(11, 1, 8), False), ("08:30-15:00", CHICAGO, utc(11, 1, 14, 30), True),
        ("08:30-15:00", CHICAGO, utc(11, 1, 14, 29), False), ("22:00-01:30", CHICAGO, utc(11, 1, 6, 45), False),
        # Berlin's on 29 March and 25 October.
        ("09:00-17:00", BERLIN, utc(3, 28, 8), True), ("09:00-17:00", BERLIN, utc(3, 29, 7), True),
        ("09:00-17:00", BERLIN, utc(3, 29, 6, 59), False), ("09:00-17:00", BERLIN, utc(10, 24, 7), True),
        ("09:00-17:00", BERLIN, utc(10, 25, 7), False), ("09:00-17:00", BERLIN, utc(10, 25, 8), True),
    ],
)  # fmt: skip
def test_windows_are_wall_clock_times_in_the_owners_zone(
    span: str, zone: str, moment: datetime, is_inside: bool  # noqa: FBT001
) -> None:  # fmt: skip
    [verdict] = judge(read_settings({"time_windows": window(span)}), Facts(moment, zone), FRESH)
    assert verdict.passes == is_inside


@pytest.mark.parametrize("moment", [utc(11, 23, 14, 35), utc(11, 23, 23, 0), utc(11, 23, 18, 0)])
def test_one_of_several_windows_is_enough(moment: datetime) -> None:
    spans = window("08:30-09:00", "11:00-13:00", "17:00-08:00")
    [verdict] = judge(read_settings({"time_windows": spans}), Facts(moment, CHICAGO), FRESH)
    assert verdict.passes


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_every_nth_signal_is_the_nth_of_those_that_came_that_far(every: int) -> None:
    taken = []
    for counted in range(3 * every):
        verdicts = judge(read_settings({"every_nth_signal": every}), facts(signals_counted=counted), FRESH)
        taken.append(all(verdict.passes for verdict in verdicts))
    assert taken == ([False] * (every - 1) + [True]) * 3


@pytest.mark.parametrize("code", DENIALS)
def test_a_denial_keeps_entries_out_and_lets_exits_through(code: str) -> None:
    fields, known = DENIALS[code]
    given = {"case": {"facts": facts(**known)}, **fields}
    assert shown(decide(buy(), case(0, **given))) == code
    assert shown(decide(flatten(), case(2, **given))) == "exit sell 2"
    assert shown(decide(to(2, 1), case(2, **given))) == "reduce sell 1"
    assert shown(decide(to(2, 0), case(2, **given))) == "exit sell 2"
    if code != "MAX_OPEN_POSITIONS":  # the one that goes makes room
        assert shown(decide(to(-2, 2), case(-2, **given))) == f"exit buy 2 | {code}"
        assert shown(decide(buy(), case(2, same_direction="re_enter", **given))) == code, "what is held stays"
