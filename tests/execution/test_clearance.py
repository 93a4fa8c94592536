"""What stands around an entry denies it, for the follower that it concerns; exits are not asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brokers.quotes import cache
from brokers.quotes.quote import Quote
from execution import planning
from execution.clearing.clearance import last_day_to_open
from execution.models import IntentKind, IntentStatus, OrderIntent
from execution.trader_trace import trace_traders
from justtrades import clock
from recorders.models import Recorder, Signal
from risk import switch
from risk.models import LimitKind, LimitScope, SwitchMode, SwitchScope
from tests.execution.desk import MNQ, held, intents_of, planned_intents, recorder_with, set_on, signal_for
from tests.execution.stands import (
    account_limit,
    below_its_high,
    busy,
    differing,
    down,
    holding,
    holding_other_products,
    holding_what_is_not_ours,
    limit,
    locked,
    out_of_room,
    silent,
    trip,
    under_a_pack,
    under_an_unknown_pack,
    watched,
)
from tests.factories import FillFactory, OrderIntentFactory
from tests.risk_factories import PackAssignmentFactory, RiskActionFactory
from tests.traders.cases import MNQ as CONTRACT
from traders.models import Trader

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""Nine in the morning in Chicago."""
D = Decimal


STOPPED: dict[str, tuple[Callable[[Trader], object], str]] = {
    "switch of the account": (lambda trader: trip(trader, SwitchScope.ACCOUNT), "KILL_SWITCH"),
    "may not trade": (lambda trader: set_on(trader, "account", can_trade=False), "ACCOUNT_CANNOT_TRADE"),
    "locked account": (locked, "RISK_LOCK"),
    "locked trader": (lambda trader: locked(trader, trader=trader), "RISK_LOCK"),
    "books differ": (differing, "BOOKS_DIFFER"),
    "silent monitor": (silent, "MONITOR_SILENT"),
    "monitor never there": (lambda trader: account_limit(trader, LimitKind.DAILY_PROFIT, 500), "MONITOR_SILENT"),
    "limits and a login that is not live": (down, "LOGIN_NOT_LIVE"),
    "held contracts": (holding, "MAX_CONTRACTS"),
    "held positions": (holding_other_products, "MAX_POSITIONS"),
    "held by hand": (holding_what_is_not_ours, "MAX_CONTRACTS"),
    "working orders": (busy, "WORKING_ORDERS"),
    "no room in the day": (out_of_room, "NO_ROOM"),
    "no room below the high": (below_its_high, "NO_ROOM"),
    "rule pack": (under_a_pack, "PACK_CONTRACTS"),
    "unreadable rule pack": (under_an_unknown_pack, "PACK_UNREADABLE"),
}


@pytest.mark.parametrize("name", STOPPED)
def test_whom_it_concerns_is_denied_and_the_others_are_not(name: str) -> None:
    stop, code = STOPPED[name]
    with time_machine.travel(MONDAY, tick=False):
        recorder, (trader, other) = recorder_with(2)
        stop(trader)
        by_trader = {intent.trader_id: intent for intent in planned_intents(recorder)}
    denied = by_trader[trader.pk]
    assert (denied.status, denied.reason_code) == (IntentStatus.DENIED, code)
    assert denied.reason_text
    assert by_trader[other.pk].status == IntentStatus.CLEARED


@pytest.mark.parametrize("scope", [SwitchScope.RECORDER, SwitchScope.USER, SwitchScope.PLATFORM])
def test_a_switch_over_all_followers_stops_all(scope: SwitchScope) -> None:
    recorder, (trader, _) = recorder_with(2)
    made = trip(trader, scope)
    assert {intent.reason_code for intent in planned_intents(recorder)} == {"KILL_SWITCH"}
    switch.release(switch=made, actor=trader.owner if scope != SwitchScope.PLATFORM else _staff(trader))
    assert {intent.status for intent in planned_intents(recorder)} == {IntentStatus.CLEARED}


def _staff(trader: Trader) -> Any:
    trader.owner.is_staff = True
    return trader.owner


def test_whatever_stands_around_the_way_out_is_free() -> None:
    recorder, (trader,) = recorder_with(1)
    trip(trader, SwitchScope.PLATFORM, SwitchMode.HALT)
    for stand in (locked, differing, out_of_room, busy, under_an_unknown_pack_only):
        stand(trader)
    held(trader, 2)
    way_out, way_in = planned_intents(recorder, "sell")
    assert (way_out.kind, way_out.status) == (IntentKind.EXIT, IntentStatus.CLEARED)
    assert (way_in.status, way_in.reason_code) == (IntentStatus.DENIED, "KILL_SWITCH")


def under_an_unknown_pack_only(trader: Trader) -> None:
    PackAssignmentFactory(account=trader.account, version=99)


def test_the_denial_is_on_the_row_and_in_the_trace_with_had_and_limit() -> None:
    recorder, (trader,) = recorder_with(1)
    out_of_room(trader)
    (intent,) = planned_intents(recorder)
    assert (intent.reason_had, intent.reason_limit) == ("-$500.00", "-$500.00")
    assert intent.reason_text == "daily loss: had -$500.00, limit -$500.00"
    check = trace_traders(Signal.objects.get(), [trader])[0].wishes[0].check
    assert (check.outcome, check.code, check.had, check.limit) == ("denied", "NO_ROOM", "-$500.00", "-$500.00")
    states = {row.name: row.state for row in check.rows}
    assert (states["kill switch"], states["room to lose"], states["rule pack"]) == ("passed", "denied", "not_reached")
    assert [row.had for row in check.rows if row.had] == ["-$500.00"]


def test_a_limit_that_was_lifted_for_the_session_denies_nothing_more() -> None:
    recorder, (trader,) = recorder_with(1)
    out_of_room(trader)
    lifted = trader.owner.risk_limits.get()
    RiskActionFactory(limit=lifted, account=trader.account, unlocked_at=clock.now())
    (intent,) = planned_intents(recorder)
    assert intent.status == IntentStatus.CLEARED


def test_a_users_limit_counts_all_of_its_accounts_together() -> None:
    recorder, (one, other) = recorder_with(2)
    limit(one, LimitScope.USER, LimitKind.DAILY_LOSS, 500)
    for trader in (one, other):
        watched(trader, realized=D(-250))
    assert {intent.reason_code for intent in planned_intents(recorder)} == {"NO_ROOM"}


@pytest.mark.parametrize("scope", [LimitScope.RECORDER, LimitScope.USER])
def test_entries_of_one_plan_share_what_is_left(scope: LimitScope) -> None:
    recorder, traders = recorder_with(4)
    limit(traders[0], scope, LimitKind.MAX_CONTRACTS, 5)
    held(traders[0], 1, "MESZ6")
    OrderIntentFactory(trader=traders[1], symbol="MESZ6", status="dispatched", signal__status="planned")
    intents = planned_intents(recorder, quantity=D(1))
    assert sorted(intent.reason_code for intent in intents) == ["", "", "", "MAX_CONTRACTS"]
    (denied,) = [intent for intent in intents if intent.reason_code]
    assert (denied.reason_had, denied.reason_limit) == ("6", "5")


def test_a_reversal_counts_what_it_leaves_behind_no_more() -> None:
    recorder, (trader,) = recorder_with(1)
    account_limit(trader, LimitKind.MAX_CONTRACTS, 1)
    account_limit(trader, LimitKind.MAX_POSITIONS, 1)
    held(trader, -1)
    assert [intent.status for intent in planned_intents(recorder)] == [IntentStatus.CLEARED] * 2


@pytest.fixture
def no_quotes() -> None:
    cache.client().flushdb()


@pytest.mark.parametrize(
    ("last", "age", "status"), [(25_000, 1800, "denied"), (25_000, 3700, "cleared"), (22_500, 0, "cleared")]
)
def test_a_limit_price_far_from_the_last_one_of_the_hour_is_denied(
    last: int, age: int, status: str, no_quotes: None
) -> None:
    recorder, _ = recorder_with(1, settings={"entry_type": "limit"})
    cache.store([Quote(MNQ, D(last), None, None, clock.now() - timedelta(seconds=age), "tradovate/sandbox")])
    (intent,) = planned_intents(recorder, limit_price=D(22_000))
    assert (intent.status, intent.reason_code) == (status, "PRICE_COLLAR" if status == "denied" else "")


@pytest.mark.parametrize(
    ("at", "ticker", "environment", "code"),
    [
        (MONDAY, MNQ, "demo", ""),
        (datetime(2026, 11, 23, 22, 30, tzinfo=UTC), MNQ, "demo", "SESSION_CLOSED"),
        (datetime(2026, 11, 23, 22, 30, tzinfo=UTC), MNQ, "sandbox", ""),
        (datetime(2026, 11, 26, 19, 0, tzinfo=UTC), MNQ, "live", "SESSION_CLOSED"),
        (MONDAY, "MNQU6", "live", "CONTRACT_ENDED"),
        (MONDAY, "MNQU6", "sandbox", ""),
    ],
    ids=["open", "the daily pause", "a sandbox has none", "Thanksgiving", "last quarter's", "a sandbox knows no end"],
)
def test_real_markets_have_hours_and_contracts_an_end(
    at: datetime, ticker: str, environment: str, code: str, settings: Any
) -> None:
    urls = ("http://127.0.0.1:1", "ws://127.0.0.1:1", "")
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", environment): urls}
    with time_machine.travel(at, tick=False):
        recorder, (trader,) = recorder_with(1)
        set_on(trader, "account.login", environment=environment)
        (intent,) = planned_intents(recorder, ticker=ticker)
    assert intent.reason_code == code


def test_what_is_delivered_is_opened_only_before_its_first_notice() -> None:
    from brokers.instruments import contract_of

    assert last_day_to_open(CONTRACT).isoformat() == "2026-12-18"
    assert last_day_to_open(contract_of("GCZ6", MONDAY.date())).isoformat() == "2026-11-29"


@pytest.mark.parametrize("table", ["risk_switch", "execution_break"])
def test_what_cannot_be_read_counts_as_tripped_and_exits_pass(table: str) -> None:
    recorder, (trader, short) = recorder_with(2)
    held(short, -1)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
    intents = planned_intents(recorder)
    found = sorted((intent.kind, intent.status, intent.reason_code) for intent in intents)
    assert found == [
        ("entry", "denied", "KILL_SWITCH"), ("entry", "denied", "KILL_SWITCH"), ("exit", "cleared", ""),
    ]  # fmt: skip
    assert trader.pk in {intent.trader_id for intent in intents}


def statements(recorder: Recorder) -> int:
    signal_for(recorder)
    with CaptureQueriesContext(connection) as captured:
        planning.plan_next(recorder.pk, lane=0)
    return len(captured)


def test_it_costs_two_statements_however_many_follow() -> None:
    few, many = recorder_with(2)[0], recorder_with(12)[0]
    assert statements(few) == statements(many)
    signal = signal_for(few)
    with CaptureQueriesContext(connection) as captured:
        planning.plan_next(few.pk)
    asked = [query["sql"] for query in captured if "risk_switch" in query["sql"] or "execution_break" in query["sql"]]
    assert (len(asked), len(intents_of(signal))) == (0, 2), "nothing is asked where nobody enters"
    assert OrderIntent.objects.filter(signal=signal, status=IntentStatus.DENIED).count() == 2


def losing(trader: Trader, dollars: int = -600) -> None:
    """Its own settings allow it to lose 500 $ in a session."""
    set_on(trader, "", overrides={"max_daily_loss": "500"})
    shares = [[str(trader.pk), 1, str(dollars)]]
    FillFactory(account=trader.account, order=None, broker_order_id="9", symbol=MNQ, side="sell", qty=1, shares=shares)


def disconnected(trader: Trader) -> None:
    set_on(trader, "account.login", state="stale")


def lifted(trader: Trader, **given: Any) -> None:
    usual = {"limit_key": f"setting:{trader.pk}", "account": trader.account, "owner": trader.owner, "trader": trader}
    RiskActionFactory(limit=None, **{**usual, "unlocked_at": clock.now(), **given})


@pytest.mark.parametrize(
    ("stands", "code"),
    [
        ((losing, watched), "DAILY_LOSS"),
        ((lambda one: losing(one, -499), watched), ""),
        ((losing, watched, lifted), ""),
        ((losing, watched, lambda one: lifted(one, locks_until=clock.now())), "DAILY_LOSS"),
        ((losing, watched, lambda one: lifted(one, unlocked_at=None)), "DAILY_LOSS"),
        ((losing, watched, lambda one: lifted(one, limit_key=f"setting:{one.recorder_id}")), "DAILY_LOSS"),
        ((losing, lambda one: watched(one, checked_at=clock.now() - timedelta(seconds=11)), lifted), "MONITOR_SILENT"),
        ((lambda one: losing(one, 0),), "MONITOR_SILENT"),
        ((lambda one: losing(one, 0), lambda one: account_limit(one, LimitKind.MAX_CONTRACTS, 9)), "MONITOR_SILENT"),
        ((lambda one: losing(one, 0), watched, disconnected), "LOGIN_NOT_LIVE"),
    ],
)  # fmt: skip
def test_a_traders_own_daily_loss_counts_as_any_limit_of_money(
    stands: tuple[Callable[[Trader], object], ...], code: str
) -> None:
    recorder, (trader, other) = recorder_with(2)
    for stand in stands:
        stand(trader)
    by_trader = {intent.trader_id: intent for intent in planned_intents(recorder)}
    found = by_trader[trader.pk]
    assert (found.status, found.reason_code) == (IntentStatus.DENIED if code else IntentStatus.CLEARED, code)
    assert by_trader[other.pk].status == IntentStatus.CLEARED


def test_a_daily_loss_in_the_settings_costs_three_statements_however_many_follow() -> None:
    without, few, many = recorder_with(2)[0], recorder_with(2)[0], recorder_with(12)[0]
    for recorder in (few, many):
        recorder.template = {**recorder.template, "max_daily_loss": "500"}
        recorder.save()
        for trader in recorder.traders.all():
            watched(trader)
    assert statements(few) == statements(many) == statements(without) + 3
