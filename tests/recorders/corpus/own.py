"""Our own JSON and our predecessor's."""

from __future__ import annotations

from typing import Any

from recorders.alert import Flag
from tests.recorders.corpus.case import FIRED, TIMENOW, Case, says, stop, target, ticks

BASE = {"ticker": "MNQ1!", "action": "buy"}


def fill_of(action: str, contracts: str, before: tuple[str, str], after: tuple[str, str]) -> dict[str, Any]:
    return {
        "v": 1, "strategy": "nq-trend", "ticker": "MNQ1!", "exchange": "CME_MINI", "interval": "5", "action": action,
        "contracts": contracts, "price": "25288.75", "order_id": "Long", "comment": "Long", "position": after[0],
        "position_size": after[1], "prev_position": before[0], "prev_position_size": before[1], "close": "25288.5",
        "bar_time": "2026-11-23T14:35:00Z", "fired_at": TIMENOW,
    }  # fmt: skip


def fills(name: str, action: str, contracts: str, before: tuple[str, str], after: tuple[str, str], **rest: Any) -> Case:
    told = {"quantity": contracts, "price": "25288.75", "fired_at": FIRED, "strategy": "nq-trend", **rest}
    return says(name, fill_of(action, contracts, before, after), "canonical", action, **told)


def adds(name: str, extra: dict[str, Any], settings: dict[str, Any], **rest: Any) -> Case:
    return says(name, {**BASE, **extra}, "canonical", "buy", settings=settings, **rest)


OWN: tuple[Case, ...] = (
    fills("entry", "buy", "1", ("flat", "0"), ("long", "1"), position=1, prev_position=0),
    fills("exit", "sell", "1", ("long", "1"), ("flat", "0"), position=0, prev_position=1),
    fills("pyramiding", "buy", "1", ("long", "1"), ("long", "2"), position=2, prev_position=1),
    fills("scale-out", "sell", "1", ("long", "3"), ("long", "2"), position=2, prev_position=3),
    fills("short partial exit", "buy", "1", ("short", "2"), ("short", "1"), position=-1, prev_position=-2),
    fills("reversal in one order", "buy", "2", ("short", "1"), ("long", "1"), position=1, prev_position=-1),
    fills("reversal with too few contracts", "buy", "1", ("short", "1"), ("long", "1"), position=1, prev_position=-1),
    says("bare", BASE, "canonical", "buy"),
    says("exchange prefix", {**BASE, "ticker": "CME_MINI:MNQ1!"}, "canonical", "buy", ticker="CME_MINI:MNQ1!"),
    says("dated with four digits", {**BASE, "ticker": "MNQZ2026"}, "canonical", "buy", ticker="MNQZ2026"),
    says("delayed data in the exchange", {**BASE, "exchange": "CME_MINI_DL"}, "canonical", "buy",
         flags=(Flag.DELAYED_DATA,)),
    says("delayed data in the ticker", {**BASE, "ticker": "NYMEX_DLY:CL1!"}, "canonical", "buy",
         ticker="NYMEX_DLY:CL1!", flags=(Flag.DELAYED_DATA,)),
    says("predecessor's indicator", {"recorder": "R", "action": "sell", "ticker": "NQ1!", "price": "25300"},
         "canonical", "sell", ticker="NQ1!", price=25300),
    says("predecessor's strategy", {"recorder": "R", "action": "sell", "ticker": "MNQ1!", "price": "25300",
         "contracts": "1", "position_size": "2", "market_position": "long"},
         "canonical", "sell", quantity=1, price=25300, position=2),
    says("predecessor's partial exit", {"recorder": "R", "action": "sell", "ticker": "MNQ1!", "contracts": "1",
         "position_size": "2", "market_position": "long", "prev_position_size": "3"},
         "canonical", "sell", quantity=1, position=2, prev_position=3),
    says("sizes without sides, sold out of a long", {**BASE, "action": "sell", "position_size": 2,
         "prev_position_size": 3}, "canonical", "sell", position=2, prev_position=3),
    says("sizes without sides, into a short", {**BASE, "action": "sell", "position_size": 2, "prev_position_size": 0},
         "canonical", "sell", position=-2, prev_position=0),
    says("sizes without sides, bought out of a short", {**BASE, "position_size": 1, "prev_position_size": 2},
         "canonical", "buy", position=-1, prev_position=-2),
    says("sizes without sides, reversal", {**BASE, "contracts": 2, "position_size": 1, "prev_position_size": 1},
         "canonical", "buy", quantity=2, position=1, prev_position=-1),
    says("sizes without sides, the contracts tell", {**BASE, "action": "sell", "contracts": 5, "position_size": 2,
         "prev_position_size": 3}, "canonical", "sell", quantity=5, position=-2, prev_position=3),
    says("side before unknown, added or reversed", {**BASE, "contracts": 5, "market_position": "long",
         "position_size": 3, "prev_position_size": 2}, "canonical", "buy", quantity=5, position=3, prev_position=-2),
    says("sizes with their sign", {**BASE, "position_size": -1, "prev_position_size": -2}, "canonical", "buy",
         position=-1, prev_position=-2),
    says("one size without a side says too little", {**BASE, "action": "sell", "position_size": 2}, "canonical",
         "sell"),
    says("no action, partial exit", {"ticker": "MNQ1!", "position_size": "2", "prev_position_size": "3"}, "canonical",
         "sell", position=2, prev_position=3),
    says("no action, sides and sizes", {"ticker": "MNQ1!", "market_position": "short", "market_position_size": "2",
         "prev_market_position": "short", "prev_market_position_size": "1"}, "canonical", "sell", position=-2,
         prev_position=-1),
    says("empty action, flat", {"ticker": "MNQ1!", "action": "", "market_position": "flat"}, "canonical", "close",
         position=0, position_side=0),
    says("no action, only the side", {"ticker": "MNQ1!", "market_position": "short"}, "canonical", "sell",
         position_side=-1),
    says("signed position", {**BASE, "position": "-2"}, "canonical", "buy", position=-2),
    says("signed position, long", {**BASE, "position": 2}, "canonical", "buy", position=2),
    says("signed size beside its side", {**BASE, "position": "short", "position_size": "-2"}, "canonical", "buy",
         position=-2),
    says("a buy that leaves nothing open", {**BASE, "position": "flat", "sl": 20}, "canonical", "close", position=0,
         position_side=0),
    says("only the side afterwards", {**BASE, "position": "long", "prev_position": "short"}, "canonical", "buy",
         position_side=1),
    says("aliases", {"symbol": "ES1!", "side": "LONG", "qty": "2.0", "last": "6000.25"}, "canonical", "buy",
         ticker="ES1!", quantity="2.0", price="6000.25"),
    says("more aliases", {"instrument": "ES1!", "order_action": "short", "size": 3}, "canonical", "sell",
         ticker="ES1!", quantity=3),
    says("order_type as the action", {"symbol": "MNQ1!", "order_type": "buy"}, "canonical", "buy"),
    says("type as the action", {"symbol": "MNQ1!", "type": "closelong"}, "canonical", "close_long"),
    says("close short", {**BASE, "action": "close short"}, "canonical", "close_short"),
    says("EXIT_LONG", {**BASE, "action": "EXIT_LONG"}, "canonical", "close_long"),
    says("close_buy", {**BASE, "action": "close_buy"}, "canonical", "close_long"),
    says("closeall with a bad stop closes", {**BASE, "action": "closeall", "sl": -5}, "canonical", "close"),
    says("close with a stop that is a word", {**BASE, "action": "close", "sl": "{{plot_0}}"}, "canonical", "close"),
    says("sold out with stops that contradict", {**BASE, "action": "sell", "sl": 5, "dollar_sl": 9, "position": "flat",
         "prev_position": "long", "prev_position_size": 2}, "canonical", "sell", position=0, position_side=0,
         prev_position=2),
    says("cancel without ticker", {"action": "cancel"}, "canonical", "cancel", ticker=""),
    says("cancel", {**BASE, "action": "cancel_all", "order_type": "stop"}, "canonical", "cancel"),
    says("heartbeat", {"action": "heartbeat", "fired_at": TIMENOW}, "canonical", "heartbeat", ticker="",
         fired_at=FIRED),
    says("ping by type", {"type": "ping"}, "canonical", "heartbeat", ticker=""),
    says("nothing where context would be", {**BASE, "price": "", "close": "NaN", "position_size": "na",
         "position": "", "prev_position_size": "null", "timenow": ""}, "canonical", "buy"),
    says("price falls back to close", {**BASE, "price": "na", "close": "25299"}, "canonical", "buy", price=25299),
    says("thousands", {**BASE, "price": "25,035.75"}, "canonical", "buy", price="25035.75"),
    says("placeholder where nobody reads", {**BASE, "comment": "{{strategy.order.comment}}",
         "strategy": "{{strategy}}"}, "canonical", "buy"),
    says("timenow", {**BASE, "timenow": TIMENOW}, "canonical", "buy", fired_at=FIRED),
    says("unix seconds", {**BASE, "timestamp": 1795444501}, "canonical", "buy", fired_at=FIRED),
    says("unix milliseconds", {**BASE, "time_now": "1795444501000"}, "canonical", "buy", fired_at=FIRED),
    says("a time without a zone", {**BASE, "timenow": "2026-11-23 14:35:01"}, "canonical", "buy"),
    says("bar times are no fire time", {**BASE, "time": TIMENOW, "bar_time": TIMENOW}, "canonical", "buy"),
    adds("stop and target in ticks", {"sl": "20", "tp": 40}, {**stop("20"), "targets": ticks("40")}),
    adds("zeros place none", {"sl_ticks": 0, "tp_ticks": "0"}, {**stop("0"), "targets": []}),
    adds("empty is inherited", {"sl": "", "tp": None, "risk_percent": "na"}, {}),
    adds("dollars", {"dollar_sl": "100", "tp_dollar": 250.5}, {**stop("100", "dollars"),
         "targets": target("250.5", "dollars")}),
    adds("percent", {"sl_percentage": "0.5", "tp_percent": "1"}, {**stop("0.5", "percent"),
         "targets": target("1", "percent")}),
    adds("one of several is not zero", {"sl": 0, "dollar_sl": 50, "sl_percent": "0"}, stop("50", "dollars")),
    adds("prices off the tick", {"sl_price": 25057.6503485454, "target_price": "25357.123456789012"},
         {**stop("25057.6503485454", "price"), "targets": target("25357.1234567890", "price")}),
    adds("risk", {"risk_amount": "150", "risk_percent": "1.5"}, {"risk_dollars": "150", "risk_percent": "1.5"}),
    adds("no repeats", {"same_direction_ignore": "true"}, {"same_direction": "ignore"}),
    adds("repeats allowed", {"no_duplicate": False, "duplicate_position_allow": "true"}, {}),
    adds("repeats not allowed", {"duplicate_position_allow": "false"}, {"same_direction": "ignore"}),
    adds("trailing", {"sl": 20, "trail": 1, "trail_start": "10", "trail_frequency": 2},
         {**stop("20"), "stop_type": "trailing", "trail_trigger_ticks": 10, "trail_step_ticks": 2}),
    adds("not trailing", {"trailing_stop": "false"}, {"stop_type": "fixed"}),
    adds("break even", {"break_even": "20.0", "be_offset": 2},
         {"break_even_ticks": 20, "break_even_offset_ticks": 2}),
    adds("break even off", {"breakeven": False}, {}),
    adds("premium", {"option_premium": "1.25"}, {}, premium="1.25"),
    adds("limit price", {"limit_price": "25299.5"}, {"entry_type": "limit"}, limit_price="25299.5"),
    adds("limit at the alert's price", {"order_type": "LMT", "price": "25299.5"}, {"entry_type": "limit"},
         price="25299.5", limit_price="25299.5"),
    adds("market", {"order_type": "market", "limit_price": "0"}, {}),
    says("an exit goes at the market", {**BASE, "action": "exit", "order_type": "limit"}, "canonical", "close"),
)  # fmt: skip
