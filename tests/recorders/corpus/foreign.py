"""JSON that is written for other services (integration facts §1.7)."""

from __future__ import annotations

from typing import Any

from recorders.alert import Flag
from tests.recorders.corpus.case import FIRED, TIMENOW, Case, says, stop, target

SECRET = (Flag.SECRET_REMOVED,)
PMT: dict[str, Any] = {
    "symbol": "MNQ1!", "date": TIMENOW, "data": "buy", "quantity": "2", "risk_percentage": "0", "price": "25300.25",
    "tp": "0", "percentage_tp": "0", "dollar_tp": "0", "sl": "0", "dollar_sl": "0", "percentage_sl": "0", "trail": "0",
    "trail_stop": "0", "trail_trigger": "0", "trail_freq": "0", "update_tp": "false", "update_sl": "false",
    "breakeven": 0, "token": "Ct8tPtD3", "pyramid": True, "reverse_order_close": "true", "order_type": "MKT",
    "duplicate_position_allow": "true",
    "multiple_accounts": [{"token": "Ct8tPtD3", "account_id": "2", "risk_percentage": 2, "quantity_multiplier": 0}],
}  # fmt: skip
TP: dict[str, Any] = {"ticker": "MNQ1!", "action": "buy", "price": "25300.25", "time": TIMENOW}
NESTED: dict[str, Any] = {
    "passphrase": "hunter2", "time": TIMENOW, "exchange": "CME_MINI", "ticker": "MNQ1!",
    "bar": {"time": "2026-11-23T14:30:00Z", "open": 25290, "high": 25310, "low": 25280, "close": 25300.25, "volume": 5},
    "strategy": {
        "position_size": -2, "order_action": "sell", "order_contracts": 3, "order_price": 25300.25, "order_id": "Short",
        "market_position": "short", "market_position_size": 2, "prev_market_position": "long",
        "prev_market_position_size": 1,
    },
}  # fmt: skip
COMMAS: dict[str, Any] = {
    "secret": "s", "max_lag": "300", "timestamp": TIMENOW, "trigger_price": "25300.25", "tv_exchange": "CME_MINI",
    "tv_instrument": "MNQ1!", "action": "sell", "bot_uuid": "b",
    "strategy_info": {"market_position": "long", "market_position_size": "1", "prev_market_position": "long",
                      "prev_market_position_size": "2"},
    "order": {"amount": "1", "currency_type": "base"},
}  # fmt: skip
OKX: dict[str, Any] = {
    "id": "Long", "action": "buy", "marketPosition": "long", "prevMarketPosition": "flat", "instrument": "MNQ1!",
    "signalToken": "t0k", "timestamp": TIMENOW, "maxLag": "60", "investmentType": "contract", "amount": "2",
}  # fmt: skip


def pmt(name: str, changes: dict[str, Any], action: str = "buy", **rest: Any) -> Case:
    told = {"quantity": 2, "price": "25300.25", "fired_at": FIRED, "flags": SECRET, **rest}
    return says(f"pickmytrade {name}", {**PMT, **changes}, "pickmytrade", action, **told)


def tp(name: str, changes: dict[str, Any], action: str = "buy", **rest: Any) -> Case:
    told = {"price": "25300.25", "fired_at": FIRED, **rest}
    return says(f"traderspost {name}", {**TP, **changes}, "traderspost", action, **told)


def nested(name: str, body: dict[str, Any], action: str = "sell", **rest: Any) -> Case:
    told = {"quantity": 3, "price": "25300.25", "flags": SECRET, **rest}
    return says(f"nested {name}", body, "nested", action, **told)


REVERSED = {"position": -2, "prev_position": 1, "fired_at": FIRED}
FOREIGN: tuple[Case, ...] = (
    pmt("template", {}),
    pmt("close", {"data": "close"}, "close"),
    pmt("prices count over dollars", {"sl": 25280, "dollar_sl": 100, "percentage_tp": "1", "dollar_tp": "2"},
        settings={**stop("25280", "price"), "targets": target("2", "dollars")}),
    pmt("percent", {"percentage_sl": "0.5"}, settings=stop("0.5", "percent")),
    says("pickmytrade risk counts over quantity", {**PMT, "risk_percentage": "2", "quantity": "0", "dollar_sl": 100},
         "pickmytrade", "buy", price="25300.25", fired_at=FIRED, flags=SECRET,
         settings={**stop("100", "dollars"), "risk_percent": "2"}),
    pmt("trailing in points", {"trail": 1, "trail_stop": 5, "trail_trigger": "2.5", "trail_freq": 0.25},
        settings={**stop("5", "points"), "stop_type": "trailing", "trail_trigger_ticks": 10, "trail_step_ticks": 1}),
    pmt("no repeats", {"duplicate_position_allow": False}, settings={"same_direction": "ignore"}),
    pmt("limit", {"order_type": "LMT"}, limit_price="25300.25", settings={"entry_type": "limit"}),
    says("pickmytrade without token", {"symbol": "NQM2027", "date": "x", "data": "SELL", "quantity": 10},
         "pickmytrade", "sell", ticker="NQM2027", quantity=10),
    tp("sell that is flat", {"action": "sell", "sentiment": "flat", "quantity": "1"}, "close", quantity=1, position=0,
       position_side=0),
    tp("buy that is flat", {"sentiment": "flat", "stopLoss": {"percent": 1}}, "close", position=0, position_side=0),
    tp("long by market position", {"sentiment": "long", "quantity": "2"}, quantity=2, position_side=1),
    tp("partial exit", {"action": "sell", "sentiment": "bullish", "quantity": 1}, "sell", quantity=1, position_side=1),
    tp("add", {"action": "add", "sentiment": "bearish", "quantity": 1}, "sell", quantity=1, position_side=-1,
       settings={"same_direction": "add"}),
    tp("cancel", {"action": "cancel", "extras": {}}, "cancel"),
    tp("exit of the whole", {"action": "exit", "quantityType": "percent_of_position", "quantity": 100}, "close"),
    tp("exit of two", {"action": "exit", "quantityType": "fixed_quantity", "quantity": 2}, "close", quantity=2),
    tp("bracket in percent", {"takeProfit": {"percent": 1}, "stopLoss": {"type": "stop", "percent": "0.5"}},
       settings={**stop("0.5", "percent"), "targets": target("1", "percent")}),
    tp("bracket at prices", {"takeProfit": {"limitPrice": "25400"}, "stopLoss": {"type": "stop_limit",
       "stopPrice": 25280, "limitPrice": 25279}},
       settings={**stop("25280", "price"), "targets": target("25400", "price")}),
    tp("bracket by amount", {"takeProfit": {"amount": 50}, "stopLoss": {"amount": 20.5}},
       settings={**stop("20.5", "points"), "targets": target("50", "points")}),
    tp("trailing by amount", {"stopLoss": {"type": "trailing_stop", "trailAmount": 10}},
       settings={**stop("10", "points"), "stop_type": "trailing"}),
    tp("trailing by percent", {"stopLoss": {"trailPercent": "0.4"}, "takeProfit": None},
       settings={**stop("0.4", "percent"), "stop_type": "trailing"}),
    tp("risk dollars", {"quantityType": "risk_dollar_amount", "quantity": 250, "stopLoss": {"amount": 20}},
       settings={**stop("20", "points"), "risk_dollars": "250"}),
    tp("percent of equity", {"quantityType": "percent_of_equity", "quantity": "50"}, settings={"equity_percent": "50"}),
    tp("limit", {"orderType": "limit", "limitPrice": 25299}, limit_price=25299, settings={"entry_type": "limit"}),
    tp("limit at the market price", {"orderType": "limit"}, limit_price="25300.25", settings={"entry_type": "limit"}),
    tp("limit price of a market order", {"orderType": "market", "limitPrice": 25299}),
    says("traderspost of names that are ours, too", {"ticker": "MNQ1!", "action": "buy", "price": 1, "time": TIMENOW},
         "canonical", "buy", price=1),
    says("3commas", COMMAS, "threecommas", "sell", quantity=1, price="25300.25", position=1, prev_position=2,
         fired_at=FIRED, flags=SECRET),
    says("okx A", OKX, "okx", "buy", quantity=2, position_side=1, prev_position=0, fired_at=FIRED, flags=SECRET),
    says("okx A flat", {**OKX, "action": "sell", "marketPosition": "flat", "prevMarketPosition": "long"}, "okx",
         "close", quantity=2, position=0, position_side=0, fired_at=FIRED, flags=SECRET),
    says("okx B enter", {"action": "ENTER_SHORT", "instrument": "MNQ1!", "signalToken": "t0k", "timestamp": TIMENOW,
         "maxLag": "60"}, "okx", "sell", fired_at=FIRED, flags=SECRET),
    says("okx B exit", {"action": "EXIT_LONG", "instrument": "MNQ1!", "signalToken": "t0k",
         "investmentType": "percentage_position", "amount": "100"}, "okx", "close_long", flags=SECRET),
    nested("template", NESTED, **REVERSED),
    nested("with colons", {**NESTED, "strategy": {key.replace("_", ":"): value
           for key, value in NESTED["strategy"].items()}}, **REVERSED),
    nested("twice", {**NESTED, "strategy": {"order": {"action": "buy", "contracts": 3, "price": 25300.25},
           "position_size": 3}}, "buy", position=3, fired_at=FIRED),
    nested("with the bar's time", {**NESTED, "time": "2026-11-23T14:30:00Z"}, position=-2, prev_position=1),
    nested("without a bar", {key: value for key, value in NESTED.items() if key != "bar"}, position=-2,
           prev_position=1),
    nested("with a stop", {**NESTED, "sl": 20}, settings=stop("20"), **REVERSED),
)  # fmt: skip
