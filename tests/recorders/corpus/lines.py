"""Alerts that are text."""

from __future__ import annotations

from typing import Any

from recorders.alert import Flag
from tests.recorders.corpus.case import Case, says, stop, ticks

SECRET = (Flag.SECRET_REMOVED,)
CROSS = "key=Abc-12;command={};account=Sim101;instrument={};{}"


def cross(name: str, command: str, instrument: str, rest: str, action: str, **told: Any) -> Case:
    body = CROSS.format(command, instrument, rest).encode()
    return says(f"crosstrade {name}", body, "crosstrade", action, **{"flags": SECRET, **told})


LINES: tuple[Case, ...] = (
    says("plain words", b"buy MNQ1! 2", "plain", "buy", quantity=2),
    says("plain words, quantity first", b"SELL 2 CME_MINI:MNQ1!", "plain", "sell", ticker="CME_MINI:MNQ1!", quantity=2),
    says("plain words with a price", b"sell MNQ1! 1 @ 25300.25", "plain", "sell", quantity=1, price="25300.25"),
    says("plain words with a stop", b"buy MNQ1! sl=20 tp=40", "plain", "buy",
         settings={**stop("20"), "targets": ticks("40")}),
    says("plain close", b"close MNQ1!", "plain", "close"),
    says("plain close long", b"close long MNQ1!\n", "plain", "close_long"),
    says("plain cancel", b"cancel", "plain", "cancel", ticker=""),
    says("plain ping", b" ping ", "plain", "heartbeat", ticker=""),
    says("semicolons", b"action=buy;ticker=MNQ1!;contracts=2;sl=20", "plain", "buy", quantity=2, settings=stop("20")),
    says("commas", b'Action=buy, Ticker="MNQ1!", qty=2', "plain", "buy", quantity=2),
    says("lines with colons", b"action: sell\r\nticker: CME_MINI:MNQ1!\r\nprice: 25,300.25\r\n", "plain", "sell",
         ticker="CME_MINI:MNQ1!", price="25300.25"),
    says("colons and commas", b"action: buy, ticker: MNQ1!, qty: 2", "plain", "buy", quantity=2),
    says("form", b"action=buy&ticker=MNQ1%21&qty=1&token=abc", "plain", "buy", quantity=1, flags=SECRET),
    says("tradingview's default", b"order sell @ 2 filled on MNQ1!. New strategy position is -1", "plain", "sell",
         quantity=2, position=-1),
    says("tradingview's default, flat", b"order sell @ 1 filled on MNQ1!. New strategy position is 0", "plain",
         "close", quantity=1, position=0),
    says("tradingview's default, named", b"MACD (9, 21): order buy @ 1 filled on MNQ1!. New strategy position is 1",
         "plain", "buy", quantity=1, position=1, strategy="MACD (9, 21)"),
    says("pineconnector", b"60123456789,buy,MNQ1!,risk=1,sl=10,tp=20", "pineconnector", "buy", flags=SECRET,
         settings={**stop("10"), "targets": ticks("20")}),
    says("pineconnector with spaces", b"60123456789 , closelong , MNQ1!", "pineconnector", "close_long", flags=SECRET),
    says("pineconnector cancel", b"60123456789,cancelshort,MNQ1!", "pineconnector", "cancel", flags=SECRET),
    says("pineconnector limit", b"60123456789,selllimit,MNQ1!,price=25310,risk=1,betrigger=30", "pineconnector", "sell",
         price=25310, limit_price=25310, flags=SECRET, settings={"break_even_ticks": 30, "entry_type": "limit"}),
    cross("order", "PLACE", "MNQ 12-26", "action=BUY;qty=1;order_type=MARKET;tif=DAY;", "buy", ticker="MNQZ2026",
          quantity=1),
    cross("month by name", "PLACE", "ES MAR27", "action=SELL;qty=2;order_type=MARKET;", "sell", ticker="ESH2027",
          quantity=2),
    cross("bracket", "place", "MNQ1!", "action=BUY;qty=1;take_profit=25400;stop_loss=25250", "buy", quantity=1,
          settings={**stop("25250", "price"), "targets": [{"distance": "25400", "unit": "price", "trim": None,
                    "trim_unit": "percent"}]}),
    cross("limit", "PLACE", "MNQ1!", "action=BUY;qty=1;order_type=LIMIT;limit_price=25290", "buy", quantity=1,
          limit_price=25290, settings={"entry_type": "limit"}),
    cross("close", "CLOSEPOSITION", "MNQ 12-26", "", "close", ticker="MNQZ2026"),
    cross("flatten", "FLATTEN", "MNQ1!", "", "close"),
    cross("cancel", "CANCELALLORDERS", "", "", "cancel", ticker=""),
    cross("reverse position", "REVERSEPOSITION", "MNQ1!", "action=SELL;qty=1", "sell", quantity=1),
    cross("strategy sync", "PLACE", "MNQ1!", "action=SELL;qty=1;market_position=flat;prev_market_position=long;",
          "close", quantity=1, position=0, position_side=0),
    says("autoview", b"e=tradovate s=MNQ1! b=long q=1 t=market", "autoview", "buy", quantity=1),
    says("autoview limit", b"s=MNQ1! b=short q=2 t=limit p=25310.5", "autoview", "sell", quantity=2, price="25310.5",
         limit_price="25310.5", settings={"entry_type": "limit"}),
    says("autoview close", b"s=MNQ1! c=position b=short q=100%", "autoview", "close_short"),
    says("autoview cancel", b"s=MNQ1! c=order", "autoview", "cancel"),
)  # fmt: skip
