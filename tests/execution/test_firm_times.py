"""When a firm wants no entry, those that rest at the broker are taken back and those that wait are not sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from brokers.base import CancelOrder, FlattenPosition
from execution import changes, switchboard
from execution.flattening.flatten import under_way
from execution.guard import decide
from execution.guard.packs import late_positions
from execution.guard.watching import Watching
from execution.models import IntentKind, IntentStatus, Order, OrderIntent
from justtrades import clock
from risk.models import RiskAction
from tests.execution.desk import MNQ, WritingDesk, held, planned_intents, recorder_with
from tests.execution.stands import watched
from tests.execution.watchers import watching
from tests.factories import OrderFactory, OrderIntentFactory
from tests.risk_factories import PackAssignmentFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
TUESDAY, DECISION = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 12, 9, tzinfo=UTC)
"""Topstep's 15:10 in Chicago is 21:10 UTC; the Federal Reserve's 14:00 in New York is 19:00."""
NEWS = {"pack": "mffu-rapid-funded-50k"}
CORN = "MZCH7"


def at(day: datetime, hour: int, minute: int, second: int = 0) -> Any:
    return time_machine.travel(day.replace(hour=hour, minute=minute, second=second), tick=False)


def trader_under(**pack: Any) -> Trader:
    _, (trader,) = recorder_with(1)
    PackAssignmentFactory(account=trader.account, **pack)
    return trader


def resting(trader: Trader, symbol: str = MNQ, **order: Any) -> Order:
    intent = OrderIntentFactory(trader=trader, symbol=symbol, status="dispatched", signal__status="planned")
    usual = {"status": "working", "order_type": "limit", "symbol": symbol}
    made: Order = OrderFactory(intent=intent, **{**usual, **order})
    return made


@pytest.mark.parametrize(
    ("moment", "symbol", "pack", "goes"),
    [
        (at(TUESDAY, 21, 8, 59), MNQ, {}, False),
        (at(TUESDAY, 21, 9), MNQ, {}, True),
        (at(TUESDAY, 22, 59, 59), MNQ, {}, True),
        (at(TUESDAY, 23, 0), MNQ, {}, False),
        (at(TUESDAY, 19, 20), CORN, {}, True),
        (at(TUESDAY, 19, 20), MNQ, {}, False),
        (at(TUESDAY, 21, 30), MNQ, {"is_enforced": False}, False),
        (at(TUESDAY, 21, 30), MNQ, {"version": 99}, False),
        (at(TUESDAY, 21, 30), "AAPL", {}, False),
        (at(DECISION, 18, 57, 49), MNQ, NEWS, False),
        (at(DECISION, 18, 57, 50), MNQ, NEWS, True),
        (at(DECISION, 19, 2), MNQ, NEWS, True),
        (at(DECISION, 19, 2, 1), MNQ, NEWS, False),
        (at(DECISION, 19, 0), MNQ, {}, False),
    ],
)
def test_an_entry_that_rests_is_taken_back_before_the_firms_time(
    moment: Any, symbol: str, pack: dict[str, Any], *, goes: bool
) -> None:
    with moment:
        entry = resting(trader_under(**pack), symbol)
        assert switchboard.cancel_untimely(0) == goes
        entry.refresh_from_db()
        assert entry.wanted_qty == (0 if goes else None)


def test_only_entries_of_accounts_under_such_rules_are_taken_back_and_that_until_it_is_true() -> None:
    with at(TUESDAY, 21, 9):
        trader = trader_under()
        _, (stranger,) = recorder_with(1)
        entry, other = resting(trader), resting(stranger)
        stop = OrderFactory(intent=entry.intent, role="stop", client_order_id=None, status="working", order_type="stop")
        assert switchboard.cancel_untimely(1) == 0, "another lane's"
        assert (switchboard.cancel_untimely(0), switchboard.cancel_untimely(0)) == (1, 0)
        desk = WritingDesk()
        changes.send_changes(0, desk.submit)
        (request,) = desk.sent
        assert isinstance(request, CancelOrder)
        assert request.broker_order_id == entry.broker_order_id not in {other.broker_order_id, stop.broker_order_id}
        Order.objects.filter(pk=entry.pk).update(change_attempts=changes.MOST_ATTEMPTS)
        assert switchboard.cancel_untimely(0) == 1, "nobody gives up while the firm's time is near or on"
        entry.refresh_from_db()
        assert (entry.wanted_qty, entry.change_attempts) == (0, 0)


def late(watched_: Watching) -> list[decide.Breach]:
    return watched_.ledger.undecided(late_positions(watched_.packs, watched_.days, clock.now()))


@pytest.mark.parametrize("status", ["submitting", "unknown", "working", "partially_filled", "pending_cancel"])
def test_an_entry_that_is_still_there_at_the_firms_time_is_closed_as_one_that_is_held(status: str) -> None:
    trader = trader_under()
    with at(TUESDAY, 21, 9, 59):
        resting(trader, status=status)
        assert late(watching(trader.account, now=clock.now())) == [], "it is being canceled"
    with at(TUESDAY, 21, 10):
        watched_ = watching(trader.account, now=clock.now())
        breaches = late(watched_)
        assert [(one.account_id, one.trader_id, one.code) for one in breaches] == [
            (trader.account_id, None, "FLAT_BY")
        ]  # fmt: skip
        decide.decide(breaches)
        assert late(watching(trader.account, now=clock.now())) == []
        assert RiskAction.objects.get().locks_until == TUESDAY.replace(hour=23)
        assert [one.account_id for one in under_way(0)] == [trader.account_id]
        assert (OrderIntent.objects.get(kind=IntentKind.FLATTEN).symbol) == MNQ


@pytest.mark.parametrize("order", [{"status": "filled"}, {"role": "stop"}, {"role": "target"}])
def test_an_account_that_holds_nothing_and_waits_for_nothing_is_not_late(order: dict[str, Any]) -> None:
    trader = trader_under()
    with at(TUESDAY, 21, 10):
        resting(trader, **order)
        resting(recorder_with(1)[1][0])
        assert late(watching(trader.account, now=clock.now())) == []


@pytest.mark.parametrize(
    ("cleared", "sent_s", "pack", "code"),
    [
        (TUESDAY.replace(hour=21, minute=9, second=50), 9, {}, ""),
        (TUESDAY.replace(hour=21, minute=9, second=50), 10, {}, "PACK_FLAT_BY"),
        (DECISION.replace(hour=18, minute=57, second=50), 9, NEWS, ""),
        (DECISION.replace(hour=18, minute=57, second=50), 10, NEWS, "PACK_NEWS"),
    ],
)
def test_what_was_cleared_before_the_firms_time_is_not_sent_in_it(
    cleared: datetime, sent_s: int, pack: dict[str, Any], code: str
) -> None:
    with time_machine.travel(cleared, tick=False):
        recorder, (trader, leaving) = recorder_with(2)
        for one in (trader, leaving):
            watched(one, start_cash=Decimal(50_000))
            PackAssignmentFactory(account=one.account, **pack)
        held(leaving, 1)
        assert {intent.status for intent in planned_intents(recorder, "sell")} == {IntentStatus.CLEARED}
    desk = WritingDesk()
    with time_machine.travel(cleared + timedelta(seconds=sent_s), tick=False):
        desk.dispatch()
    entry = OrderIntent.objects.get(trader=trader)
    assert (entry.status, entry.reason_code) == (IntentStatus.DENIED if code else IntentStatus.DISPATCHED, code)
    assert (entry.reason_had != "", entry.reason_limit != "") == (bool(code), bool(code))
    assert FlattenPosition in {type(request) for request in desk.sent}, "the way out is free"
