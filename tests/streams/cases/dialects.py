"""What is written for other services, traded for real: an entry with its size, and the way out (facts, 1.7)."""

from __future__ import annotations

import json
from typing import Any

from tests.streams.case import Case, Raw, expect, long, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
N = "@NUMBER@"


def body(**fields: Any) -> Raw:
    return Raw(json.dumps({**fields, "note": N}))


def pick(data: str, **fields: Any) -> Raw:
    usual = {
        "symbol": "MNQ1!", "date": "@NOW@", "data": data, "quantity": 2, "risk_percentage": 0, "price": "25000",
        "tp": 0, "percentage_tp": 0, "dollar_tp": 0, "sl": 0, "dollar_sl": 0, "percentage_sl": 0, "trail": 0,
        "token": "a-token", "pyramid": False, "reverse_order_close": True,
        "multiple_accounts": [{"token": "t", "account_id": "A1", "risk_percentage": 0, "quantity_multiplier": 1}],
    }  # fmt: skip
    return body(**{**usual, **fields})


def post(action: str, **fields: Any) -> Raw:
    return body(ticker="MNQ1!", action=action, time="@NOW@", **fields)


def commas(action: str, after: str, size: str, before: str, was: str) -> Raw:
    info = {"market_position": after, "market_position_size": size, "prev_market_position": before,
            "prev_market_position_size": was}  # fmt: skip
    return body(
        secret="a-secret", max_lag="300", timestamp="@NOW@", trigger_price="25000", tv_exchange="CME_MINI",
        tv_instrument="MNQ1!", action=action, bot_uuid="b-1", strategy_info=info,
        order={"amount": "2", "currency_type": "base"},
    )  # fmt: skip


def okx(action: str, **fields: Any) -> Raw:
    return body(id="1", action=action, instrument="MNQ1!", signalToken="a-token", timestamp="@NOW@", maxLag="60",
                **fields)  # fmt: skip


def nested(action: str, contracts: str, size: str, after: str, was: str, before: str) -> Raw:
    strategy = {
        "position_size": size, "order_action": action, "order_contracts": contracts, "order_price": "25000",
        "order_id": "Long", "market_position": after, "market_position_size": size.lstrip("-"),
        "prev_market_position": before, "prev_market_position_size": was,
    }  # fmt: skip
    bar = {"time": "2026-11-23T14:35:00Z", "open": 25000, "close": "25000"}
    return body(passphrase="a-phrase", time="@NOW@", exchange="CME_MINI", ticker="MNQ1!", bar=bar, strategy=strategy)


def line(text: str) -> Raw:
    return Raw(text)


BRACKET = {"takeProfit": {"limitPrice": 25020}, "stopLoss": {"type": "stop", "stopPrice": 24990}}
PAIR = long(2)

CASES = (
    Case("PickMyTrade", (pick("buy", sl=24990, tp=25020), expect(2, long(2, target="20", stop="10")), pick("close")),
         settings=FOLLOW, placed=2),
    Case("PickMyTrade, all zeros leave the recorder's exits", (pick("buy"),), 2, PAIR, settings=FOLLOW),
    Case("PickMyTrade in dollars", (pick("sell", dollar_sl="30", dollar_tp=50),), -2, short(2, target="25", stop="15"),
         settings=FOLLOW),
    Case("PickMyTrade in percent", (pick("buy", percentage_sl=0.1, percentage_tp=0.2),), 2,
         long(2, target="50", stop="25"), settings=FOLLOW),
    Case("PickMyTrade turns around", (pick("buy"), pick("sell", quantity="3")), -3, short(3), settings=FOLLOW),
    Case("PickMyTrade's own updates are not served", (pick("buy", update_sl=True),), codes=("NOT_SERVED",)),
    Case("TradersPost", (post("buy", quantity=2, sentiment="bullish", price=25000, **BRACKET),
         expect(2, long(2, target="20", stop="10")), post("exit", sentiment="flat")), settings=FOLLOW, placed=2),
    Case("TradersPost, prices of exits and none of the entry", (post("buy", quantity=1, **BRACKET),),
         codes=("PRICE_MISSING",), placed=0),
    Case("TradersPost, flat with a sell is an exit", (post("buy", quantity=2, sentiment="long"),
         post("sell", quantity=2, sentiment="flat")), settings=FOLLOW, placed=2),
    Case("TradersPost, bullish with a sell is a partial exit", (post("buy", quantity=3, sentiment="long"),
         post("sell", quantity=1, sentiment="long")), 2, PAIR, settings=FOLLOW),
    Case("TradersPost, bearish", (post("sell", quantity=1, sentiment="bearish", signalPrice=25000),), -1, short(1),
         settings=FOLLOW),
    Case("TradersPost, add", (post("buy", quantity=1, sentiment="long"), post("add", quantity=2, sentiment="long")), 3,
         long(3), settings=FOLLOW),
    Case("TradersPost, percent and amount", (post("buy", quantity=1, price=25000, sentiment="long",
         takeProfit={"percent": 0.1}, stopLoss={"amount": 12.5}),), 1, long(1, target="25", stop="12.5"),
         settings=FOLLOW),
    Case("TradersPost, risk in dollars", (post("buy", quantity=100, quantityType="risk_dollar_amount",
         stopLoss={"amount": 10}),), 5, long(5, stop="10")),
    Case("3Commas", (commas("buy", "long", "2", "flat", "0"), expect(2, PAIR), commas("sell", "flat", "0", "long",
         "2")),
         settings=FOLLOW, placed=2),
    Case("3Commas in dollars is not served", (body(action="buy", tv_instrument="MNQ1!", bot_uuid="b",
         order={"amount": "100", "currency_type": "quote"}),), codes=("NOT_SERVED",)),
    Case("OKX, form A", (okx("buy", marketPosition="long", prevMarketPosition="flat", investmentType="contract",
         amount="2"), expect(2, PAIR), okx("sell", marketPosition="flat", prevMarketPosition="long", amount="2")),
         settings=FOLLOW, placed=2),
    Case("OKX, form B", (okx("ENTER_SHORT", investmentType="contract", amount="2"), expect(-2, short(2)),
         okx("EXIT_SHORT")), settings=FOLLOW, placed=2),
    Case("OKX, form B, the other side stays", (okx("ENTER_LONG", amount="1"), okx("EXIT_SHORT")), 1, long(1),
         ("OTHER_SIDE",), settings=FOLLOW),
    Case("nested", (nested("buy", "2", "2", "long", "0", "flat"), expect(2, PAIR),
         nested("sell", "4", "-2", "short", "2", "long"), expect(-2, short(2)),
         nested("buy", "2", "0", "flat", "2", "short")), settings=FOLLOW),
    Case("PineConnector", (line("60123456789,buy,MNQ1!,risk=1,sl=10,tp=20"),
         expect(1, long(1, target="5", stop="2.5")), line("60123456789,closelong,MNQ1!")), placed=2),
    Case("PineConnector, sell", (line("60123456789,sell,MNQ1!,risk=1"),), -1, short(1)),
    Case("CrossTrade", (line("key=k1;command=PLACE;account=Sim101;instrument=MNQ1!;action=BUY;qty=2;order_type=MARKET;"
         "tif=DAY;"), expect(2, PAIR), line("key=k1;command=CLOSEPOSITION;account=Sim101;instrument=MNQ1!;")),
         settings=FOLLOW, placed=2),
    Case("CrossTrade, NinjaTrader's name of the month and its prices", (line("key=k1;command=PLACE;account=Sim101;"
         "instrument=MNQ 12-26;action=SELL;qty=1;order_type=MARKET;tif=DAY;price=25000;"
         "take_profit=24980;stop_loss=25010;"),), -1, short(1, target="20", stop="10"), settings=FOLLOW),
    Case("Autoview", (line("e=cme s=MNQ1! b=long q=2 t=market"), expect(2, PAIR), line("e=cme s=MNQ1! c=position")),
         settings=FOLLOW, placed=2),
    Case("Autoview closes one side", (line("e=cme s=MNQ1! b=short q=1 t=market"),
         line("e=cme s=MNQ1! c=position b=long")),
         -1, short(1), ("OTHER_SIDE",), settings=FOLLOW),
    Case("plain words", (line("buy MNQ1! 2"), expect(2, PAIR), line("close MNQ1!")), settings=FOLLOW, placed=2),
    Case("plain words with a price", (line("sell 2 MNQ1! @ 25300"),), -2, short(2), settings=FOLLOW),
    Case("names and values", (line("action=buy;ticker=MNQ1!;contracts=2"), expect(2, PAIR),
         line("action=close;ticker=MNQ1!")), settings=FOLLOW, placed=2),
    Case("a form's body", (line("action=sell&ticker=MNQ1!&contracts=3"),), -3, short(3), settings=FOLLOW),
    Case("a block of lines", (line("action: buy\nticker: MNQ1!\ncontracts: 2"),), 2, PAIR, settings=FOLLOW),
    Case("TradingView's own words", (line("nq-trend: order buy @ 2 filled on MNQ1!. New strategy position is 2"),
         expect(2, PAIR), line("nq-trend: order sell @ 2 filled on MNQ1!. New strategy position is 0")),
         settings=FOLLOW, placed=2),
    Case("a sentence that nobody knows is refused", (line("please buy some MNQ1! for me"),), codes=("NOT_JSON",)),
)  # fmt: skip
