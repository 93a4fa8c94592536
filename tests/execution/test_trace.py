"""What a trace says of one signal and one trader: pure arithmetic by table, and the story of planned signals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus, Side
from brokers.instruments import contract_of, product_of
from execution import explained, planning
from execution.models import IntentStatus, Order, OrderIntent
from execution.slippage import slippage_of, speaks_of
from execution.timing import WHOLE_SECONDS, moments_of
from execution.trader_trace import TraderTrace, list_followers, trace_traders
from justtrades import clock
from recorders.models import Recorder, Signal, SignalStatus
from recorders.settings import Settings
from tests.execution.desk import WritingDesk, held, recorder_with, set_on, signal_for
from tests.factories import FillFactory, OrderFactory, OrderIntentFactory, TraderFactory, TransitionFactory
from traders.gates import Ask, Facts, judge
from traders.models import Trader

START = datetime(2026, 10, 14, 15, 0, 0, tzinfo=UTC)
TODAY = START.date()


@pytest.mark.parametrize(
    ("side", "symbol", "reference", "fills", "ticks", "dollars"),
    [
        ("buy", "MNQZ6", "20000", [(1, "20000.25")], "1", "0.50"),
        ("buy", "MNQZ6", "20000", [(1, "19999.50")], "-2", "-1.00"),
        ("sell", "MNQZ6", "20000", [(1, "19999.50")], "2", "1.00"),
        ("sell", "MNQZ6", "20000", [(1, "20000.25")], "-1", "-0.50"),
        ("buy", "MNQZ6", "20000", [(3, "20000")], "0", "0"),
        # Filled in parts: the average lies between two ticks.
        ("buy", "MNQZ6", "20000", [(1, "20000.25"), (1, "20000.50")], "1.5", "1.50"),
        # The alert's own price need not be a tick.
        ("buy", "NQZ6", "20000.10", [(2, "20000.25")], "0.6", "6.00"),
        ("sell", "ZNZ6", "112.5", [(1, "112.484375")], "1", "15.625"),
        ("buy", "MNQZ6", "20000", [], None, None),
        ("buy", "MNQZ6", "20000", [(0, "20001")], None, None),
    ],
)
def test_slippage(
    side: str, symbol: str, reference: str, fills: list[tuple[int, str]], ticks: str | None, dollars: str | None
) -> None:
    priced = [(qty, Decimal(price)) for qty, price in fills]
    found = slippage_of(Side(side), Decimal(reference), priced, contract_of(symbol, TODAY))
    if ticks is None or dollars is None:
        assert found is None
        return
    assert found is not None
    assert (found.ticks, found.dollars) == (Decimal(ticks), Decimal(dollars))
    assert found.contracts == sum(qty for qty, _ in fills)


def test_thirds_lose_no_money() -> None:
    found = slippage_of(
        Side.BUY, Decimal(20000), [(1, Decimal("20000.25")), (2, Decimal(20000))], contract_of("MNQZ6", TODAY)
    )
    assert found is not None
    assert found.dollars == Decimal("0.50")


@pytest.mark.parametrize(("alerted", "traded", "speaks"), [("NQ1!", "MNQZ6", True), ("NQ1!", "ESZ6", False)])
def test_which_prices_speak_of_which(*, alerted: str, traded: str, speaks: bool) -> None:
    assert speaks_of(product_of(alerted), product_of(traded)) is speaks


def ms(number: float) -> datetime:
    return START + timedelta(milliseconds=number)


def test_moments_in_order_with_what_is_not_known() -> None:
    signal = Signal(fired_at=START - timedelta(seconds=1), received_at=START, planned_at=ms(4))
    intent = OrderIntent(sent_at=ms(9), acknowledged_at=ms(30), filled_at=ms(25))
    found = {moment.name: moment for moment in moments_of(signal, intent)}
    assert list(found) == [
        "alert", "received", "stored", "planned", "sent", "acknowledged", "filled", "protected",
    ]  # fmt: skip
    assert (found["received"].ms, found["received"].note) == (1000.0, WHOLE_SECONDS)
    assert (found["stored"].at, found["stored"].ms) == (None, None)
    assert found["stored"].note
    assert [found[name].ms for name in ("planned", "sent", "acknowledged")] == [4.0, 5.0, 21.0]
    # The fill overtook the acknowledgement: that took no time, and the total is still the true one.
    assert (found["filled"].ms, found["filled"].total_ms) == (0.0, 25.0)
    assert found["protected"].at is None


def test_an_alert_without_a_time_or_from_a_clock_ahead_of_ours() -> None:
    without, ahead = moments_of(Signal(received_at=START), None), moments_of(
        Signal(received_at=START, fired_at=START + timedelta(milliseconds=1500)), None
    )  # fmt: skip
    assert (without[0].at, without[1].ms) == (None, None)
    assert ahead[1].ms == -1500.0


def test_the_gates_are_all_named_in_their_order() -> None:
    everything = Settings.model_validate({
        "direction_filter": "long_only", "time_windows": [{"start": "00:00", "end": "23:59"}], "signal_cooldown_s": 1,
        "max_signals_per_session": 9, "max_daily_loss": "100", "max_open_positions": 3, "min_option_premium": "1",
        "every_nth_signal": 2,
    })  # fmt: skip
    facts = Facts(now=START, zone="UTC", premium=Decimal(2), signals_counted=1)
    verdicts = judge(everything, facts, Ask(Side.BUY, 0, is_fresh=True))
    assert tuple(verdict.code for verdict in verdicts) == explained.GATE_CODES


def test_gates_after_a_denial_were_not_reached() -> None:
    verdicts = [
        {"code": "TIME_WINDOW", "passes": True, "had": "10:00", "limit": "9-11"},
        {"code": "COOLDOWN", "passes": False, "had": "3 s", "limit": "60 s"},
    ]
    states = {row.code: row.state for row in explained.gate_rows(verdicts)}
    assert [states[code] for code in ("DIRECTION_FILTER", "TIME_WINDOW", "COOLDOWN")] == ["off", "passed", "denied"]
    assert {states[code] for code in ("MAX_SIGNALS", "EVERY_NTH")} == {"not_reached"}


def traced(signal: Signal, trader: Trader) -> TraderTrace:
    return trace_traders(signal, [trader])[0]


def planned(recorder: Recorder, **fields: Any) -> Signal:
    signal = signal_for(recorder, **fields)
    planning.plan_next(recorder.pk)
    signal.refresh_from_db()
    return signal


pytestmark = pytest.mark.django_db


def test_settings_say_whose_they_are() -> None:
    recorder, (trader,) = recorder_with(1)
    set_on(trader, "", overrides={"stop_distance": "12"}, multiplier=Decimal(2), max_contracts=1)
    signal = planned(recorder, overrides={"initial_position_size": 3})
    why = traced(signal, trader).explained
    assert why is not None
    assert {row.name: (row.source, row.text) for row in why.own_settings} == {
        "initial_position_size": ("alert", "3"), "stop_distance": ("trader", "12 ticks"),
        "multiplier": ("trader", "x 2"), "max_contracts": ("trader", "1"),
    }  # fmt: skip
    assert [(row.name, row.text) for row in why.recorder_settings] == [("targets", "40 ticks")]
    assert {row.name for row in why.untouched_settings} >= {"signal_cooldown_s", "custom_ticker", "convert_size"}
    assert why.size == {"asked": 6, "contracts": 1, "limit": "max_contracts"}
    assert why.limit_text == "the account's own cap"
    assert why.plan[0]["exits"] == [{"contracts": 1, "target_points": "10.00", "stop_points": "3.00"}]


def test_a_declined_follower_has_a_trace() -> None:
    recorder, (trader,) = recorder_with(1)
    set_on(trader, "", overrides={"direction_filter": "short_only"})
    trace = traced(planned(recorder), trader)
    assert (trace.outcome, trace.reason_code) == (IntentStatus.DENIED, "DIRECTION_FILTER")
    assert trace.explained is not None
    assert trace.explained.gates[0].state == "denied"
    assert (trace.explained.gates[0].had, trace.explained.gates[0].limit) == ("buy", "short_only")
    assert (trace.wishes[0].check.outcome, trace.wishes[0].intent.qty) == ("not_asked", 0)


def test_the_pre_trade_checks_denial_is_told_apart_from_the_plans() -> None:
    recorder, (trader,) = recorder_with(1)
    set_on(trader, "account.login", state=ConnectionState.FAILED.value, state_detail="wrong password")
    trace = traced(planned(recorder), trader)
    assert (trace.wishes[0].check.outcome, trace.wishes[0].check.code) == ("denied", "LOGIN_FAILED")
    assert trace.explained is not None
    assert trace.explained.declined is None


def test_what_never_came_to_a_decision_says_so() -> None:
    recorder, (trader,) = recorder_with(1)
    set_on(trader, "", custom_ticker="NOPE")
    trace = traced(planned(recorder), trader)
    assert (trace.explained, trace.reason_code, trace.wishes[0].check.outcome) == (None, "UNKNOWN_TICKER", "not_asked")


def test_a_reversal_is_one_trace_of_two_intents_led_by_the_entry() -> None:
    recorder, (trader,) = recorder_with(1)
    held(trader, -2)
    trace = traced(planned(recorder), trader)
    assert [wish.intent.leg for wish in trace.wishes] == ["exit", "entry"]
    assert trace.lead is not None
    assert trace.lead.leg == "entry"
    assert trace.explained is not None
    assert (trace.explained.act, trace.explained.held) == ("reverse", -2)


def filled(trader: Trader, signal: Signal, price: str) -> None:
    """Send the signal's entry, and fill it."""
    WritingDesk().dispatch()
    order = Order.objects.get(intent__signal=signal, trader=trader)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.FILLED.value, broker_order_id="771", filled_qty=1)
    FillFactory(order=order, price=Decimal(price), qty=1, broker_order_id="771")


@pytest.mark.parametrize(
    ("price", "ticker", "custom", "words"),
    [
        ("20000", "MNQ1!", "", "2 ticks worse, $1.00"),
        ("20000", "NQ1!", "MNQ1!", "2 ticks worse, $1.00"),
        ("20001", "MNQ1!", "", "2 ticks better, $1.00"),
        ("20000.5", "MNQ1!", "", "none: filled at the alert's price"),
        ("6000", "ES1!", "MNQ1!", "the alert prices ES, and MNQ was traded"),
        (None, "MNQ1!", "", "the alert states no price"),
    ],
)
def test_slippage_of_an_entry(price: str | None, ticker: str, custom: str, words: str) -> None:
    recorder, (trader,) = recorder_with(1)
    set_on(trader, "", custom_ticker=custom)
    signal = planned(recorder, ticker=ticker, price=None if price is None else Decimal(price))
    filled(trader, signal, "20000.50")
    assert traced(signal, trader).slippage_words == words


def test_what_was_asked_and_answered() -> None:
    recorder, (trader,) = recorder_with(1)
    signal = planned(recorder, ticker="MNQ1!")
    filled(trader, signal, "20000.50")
    entry = Order.objects.get(trader=trader)
    stop = OrderFactory(
        intent=entry.intent, client_order_id=None, role=OrderRole.STOP, side=Side.SELL, order_type="stop",
        status=OrderStatus.REJECTED, reject_code="X1", reject_text='no: {"token": "abc123"}',
        stop_price=Decimal("19995.50"), broker_order_id=None,
    )  # fmt: skip
    said = {one.order.pk: one for one in traced(signal, trader).wishes[0].exchanges}
    asked, told = said[entry.pk].request, said[entry.pk].response
    assert (asked.kind, asked.side, asked.contracts, said[entry.pk].terms) == ("order_with_bracket", "buy", 1, "market")
    assert (asked.client_order_id, told.accepted, told.broker_order_id) == (entry.client_order_id, True, "771")
    assert [(line.contracts, line.target_points, line.stop_points) for line in asked.bracket] == [(1, "10.00", "5.00")]
    leg = said[stop.pk]
    assert (leg.request.kind, leg.terms) == ("bracket_leg", "stop 19,995.50")
    assert (leg.response.accepted, leg.response.code) == (False, "X1")
    assert "abc123" not in leg.response.text


def test_every_recorded_change_in_order_of_time() -> None:
    recorder, (trader,) = recorder_with(1)
    signal = planned(recorder)
    filled(trader, signal, "20000.50")
    order = Order.objects.get(trader=trader)
    later = clock.now() + timedelta(seconds=1)
    TransitionFactory(object_id=order.pk, object_kind="order", from_state="submitting", to_state="filled", at=later)
    events = traced(signal, trader).events
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert (events[-1].subject, events[-1].before, events[-1].after) == ("entry order", "submitting", "filled")
    assert {("signal", "received", "planned"), ("entry order", "", "submitting")} <= {
        (event.subject, event.before, event.after) for event in events if event.kind == "recorded"
    }
    assert {event.after for event in events if event.kind == "stamped"} >= {"cleared", "dispatched"}


def test_traders_who_were_there_have_a_trace_and_no_others() -> None:
    recorder, (trader,) = recorder_with(1)
    signal = signal_for(recorder, received_at=clock.now() + timedelta(seconds=1))
    late = TraderFactory(recorder=recorder, created_at=clock.now() + timedelta(hours=1))
    TraderFactory()
    assert list(list_followers(recorder.owner, signal)) == [trader]
    OrderIntentFactory(trader=late, signal=signal)
    assert set(list_followers(recorder.owner, signal)) == {trader, late}


def test_a_signal_that_asked_nobody_says_why_in_each_trace() -> None:
    recorder, (trader,) = recorder_with(1)
    signal = planned(recorder, ticker="NOPE1!")
    trace = traced(signal, trader)
    assert (trace.lead, trace.outcome, trace.reason_code) == (None, SignalStatus.REFUSED, "UNKNOWN_TICKER")
    assert trace.slippage is None
    assert [event.after for event in trace.events] == ["refused"]


def test_many_traders_cost_four_queries(django_assert_num_queries: Any) -> None:
    recorder, traders = recorder_with(12)
    signal = planned(recorder)
    WritingDesk().dispatch()
    signal = Signal.objects.select_related("recorder").get(pk=signal.pk)
    with django_assert_num_queries(4):
        found = trace_traders(signal, traders)
    assert len(found) == 12
