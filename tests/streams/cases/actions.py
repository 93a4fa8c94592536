"""Alerts that only say what to do: the words, and what they do to what is held."""

from __future__ import annotations

from tests.streams.case import Case, act, buy, close, expect, long, sell, short

LONG_WORDS = ("buy", "long", "enter_long", "ENTER_LONG", "Buy", "go_long", "open long", "entry-long", "buy_long")
SHORT_WORDS = ("sell", "short", "enter_short", "SELL", "open_short", "sell short", "go_short")
CLOSE_WORDS = ("close", "exit", "flat", "flatten", "close_all", "EXIT", "close position", "liquidate")
CLOSE_LONG_WORDS = ("closelong", "close_long", "exit_long", "close_buy", "exit-long", "sell_to_close")
CLOSE_SHORT_WORDS = ("closeshort", "close_short", "exit_short", "close_sell", "buy_to_cover")

CASES = (
    *(Case(f"{word!r} enters long", (act(word),), 1, long(1)) for word in LONG_WORDS),
    *(Case(f"{word!r} enters short", (act(word),), -1, short(1)) for word in SHORT_WORDS),
    *(Case(f"{word!r} ends a long", (buy(), expect(1, long(1)), act(word)), placed=2) for word in CLOSE_WORDS),
    *(Case(f"{word!r} ends a long only", (buy(), act(word)), placed=2) for word in CLOSE_LONG_WORDS),
    *(Case(f"{word!r} ends a short only", (sell(), act(word)), placed=2) for word in CLOSE_SHORT_WORDS),
    Case("close ends a short", (sell(), expect(-1, short(1)), close()), placed=2),
    Case("closelong leaves a short alone", (sell(), act("closelong")), -1, short(1), ("OTHER_SIDE",), placed=1),
    Case("closeshort leaves a long alone", (buy(), act("closeshort")), 1, long(1), ("OTHER_SIDE",), placed=1),
    Case("close of nothing opens nothing", (close(),), codes=("ALREADY_FLAT",), placed=0),
    Case("closelong of nothing opens nothing", (act("closelong"),), codes=("ALREADY_FLAT",), placed=0),
    Case("close twice", (buy(), close(), close()), codes=("ALREADY_FLAT",), placed=2),
    Case("buy again changes nothing", (buy(), buy()), 1, long(1), ("SAME_DIRECTION",), placed=1),
    Case("sell while long turns around", (buy(), expect(1, long(1)), sell()), -1, short(1), placed=3),
    Case("buy while short turns around", (sell(), buy()), 1, long(1), placed=3),
    Case("there and back again", (buy(), sell(), buy(), sell(), close()), placed=8),
    Case("enter again after a close", (buy(), close(), buy()), 1, long(1), placed=3),
    Case("an unknown word is refused by name", (act("moon"),), codes=("UNKNOWN_ACTION",), placed=0),
    Case("no action at all is refused", (act(""),), codes=("MISSING_FIELD",), placed=0),
    Case("a heartbeat does nothing", (act("heartbeat"),), codes=("HEARTBEAT",), placed=0),
    Case("cancel with nothing waiting does nothing", (buy(), act("cancel")), 1, long(1), placed=1),
    Case("order_action is an action, too", (buy(action=None, order_action="sell"),), -1, short(1)),
    Case("side is an action, too", (buy(action=None, side="buy"),), 1, long(1)),
    Case("an entry of 0 contracts is refused", (buy(contracts="0"),), codes=("QUANTITY_ZERO",), placed=0),
    Case("a negative quantity is refused", (buy(contracts="-2"),), codes=("QUANTITY_NEGATIVE",), placed=0),
)
