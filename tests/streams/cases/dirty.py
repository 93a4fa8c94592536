"""Bodies as they really come: repaired where only one reading is possible, refused by name where not (facts, 1.3)."""

from __future__ import annotations

from tests.streams.case import Case, Raw, act, buy, close, expect, fill, long, sell, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
BUY = '{"action":"buy","ticker":"MNQ1!","contracts":"2","n":"@NUMBER@"}'
SELL = BUY.replace("buy", "sell")
CLOSE = '{"action":"close","ticker":"MNQ1!","n":"@NUMBER@"}'
BROKEN = '{"action":"buy","ticker":"MNQ1!","comment":"a "quoted" word","n":"@NUMBER@"}'


def bought(name: str, text: str | bytes, content_type: str = "text/plain") -> Case:
    """Two contracts, whatever the body looks like."""
    return Case(name, (Raw(text, content_type=content_type),), 2, long(2), settings=FOLLOW, placed=1, stored=1)


def refused(name: str, text: str | bytes, code: str) -> Case:
    return Case(name, (Raw(text),), codes=(code,), placed=0, stored=1)


CASES = (
    bought("a charset in the content type", BUY, "application/json; charset=utf-8"),
    bought("a content type of nobody", BUY, "application/x-www-form-urlencoded"),
    bought("no content type at all", BUY, ""),
    bought("a byte order mark", b"\xef\xbb\xbf" + BUY.encode()),
    bought("spaces and line ends around it", f"\r\n  {BUY}\n\n"),
    bought("a comma too many", BUY.replace("}", ",}")),
    bought("a quote left behind a number", BUY.replace('"n"', '"price":25035.75","n"')),
    bought("curly quotes", BUY.replace('"', "\u201d")),
    bought("single quotes", BUY.replace('"', "'")),
    bought("names without quotes", BUY.replace('"action"', "action").replace('"ticker"', "ticker")),
    bought("an empty place", BUY.replace('"n"', '"price": ,"n"')),
    bought("NaN for a price", BUY.replace('"n"', '"price":NaN,"n"')),
    bought("na for a price", BUY.replace('"n"', '"price":"na","n"')),
    bought("an empty text for a price", BUY.replace('"n"', '"price":"","n"')),
    bought("a number as a number", BUY.replace('"2"', "2")),
    bought("a number with a point", BUY.replace('"2"', "2.0")),
    bought("a price with grouped digits", BUY.replace('"n"', '"price":"25,035.75","n"')),
    bought("a line break within a comment", BUY.replace('"n"', '"comment":"one\ntwo","n"')),
    bought("Python's words", BUY.replace('"n"', '"x":True,"y":None,"n"')),
    bought("a label before the object", f"Order: {BUY}"),
    bought("the last brace is missing", BUY[:-1]),
    bought("a foreign passphrase", BUY.replace('"n"', '"passphrase":"hunter2","n"')),
    bought("emoji", BUY.replace('"n"', '"comment":"\U0001f680 \u6f22\u5b57","n"')),
    bought("one alert in a list", f"[{BUY}]"),
    bought("a comment that says buy and sell", BUY.replace('"n"', '"comment":"sell after buy","n"')),
    bought("spaces around the action", BUY.replace('"buy"', '" BUY "')),
    Case("several lines, each an alert", (Raw(BUY), Raw(f"{CLOSE}\n{SELL}")), -2, short(2), settings=FOLLOW, stored=3),
    Case("a list of alerts", (Raw(BUY), Raw(f"[{CLOSE},{SELL}]")), -2, short(2), settings=FOLLOW, stored=3),
    Case("two objects behind each other", (Raw(BUY), Raw(CLOSE + SELL)), -2, short(2), settings=FOLLOW, stored=3),
    Case("a broken line takes no other with it", (Raw(f"{BROKEN}\n{SELL}"),), -2, short(2), ("NOT_JSON",),
         settings=FOLLOW, stored=2),
    refused("a quote in a comment", BROKEN, "NOT_JSON"),
    refused("a message that was cut off", BUY[:40], "NOT_JSON"),
    refused("nothing", b"", "EMPTY_BODY"),
    refused("spaces only", b" \n ", "EMPTY_BODY"),
    refused("bytes of no text", b'{"action":"buy\xff","ticker":"MNQ1!"}', "NOT_UTF8"),
    refused("a list of numbers", b"[1, 2, 3]", "NOT_AN_OBJECT"),
    refused("an object of somebody else", b'{"hello":"world"}', "UNKNOWN_DIALECT"),
    refused("one name with two values", b'{"action":"buy","action":"sell","ticker":"MNQ1!"}', "DUPLICATE_FIELD"),
    refused("more alerts than a body may hold", "\n".join([BUY] * 21), "TOO_MANY_ALERTS"),
    refused("a body that is too large", '{"action":"buy","ticker":"MNQ1!","comment":"' + "x" * 70_000 + '"}',
            "BODY_TOO_LARGE"),
    refused("a placeholder that nobody filled", BUY.replace('"2"', '"{{strategy.order.contracts}}"'),
            "UNEXPANDED_PLACEHOLDER"),
    refused("a placeholder for an action", BUY.replace("buy", "{{strategy.order.action}}"), "UNEXPANDED_PLACEHOLDER"),
    refused("a placeholder for a ticker", BUY.replace("MNQ1!", "{{ticker}}"), "UNEXPANDED_PLACEHOLDER"),
    refused("a placeholder and no more", "{{strategy.order.alert_message}}", "UNEXPANDED_PLACEHOLDER"),
    refused("no ticker", b'{"action":"buy"}', "MISSING_FIELD"),
    refused("words for a quantity", BUY.replace('"2"', '"two"'), "NOT_A_NUMBER"),
    refused("a quantity without end", BUY.replace('"2"', '"1e999999"'), "QUANTITY_ABOVE_LIMIT"),
    refused("a quantity beyond reason", BUY.replace('"2"', '"1000000"'), "QUANTITY_ABOVE_LIMIT"),
    Case("exit prices off the tick come nearer to the entry", (buy(price="25000", tp_price="25010.13",
         sl_price="24995.13"),), 1, ("sell 1 limit 25010", "sell 1 stop 24995.25")),
    Case("exit prices off the tick, short", (sell(price="25000", tp_price="24989.9", sl_price="25005.1"),), -1,
         ("buy 1 limit 24990", "buy 1 stop 25005")),
    Case("exit and next entry in one second", (buy(), (close(), buy())), 1, long(1), placed=3),
    Case("exit and entry of the other side in one second", (buy(), (close(), sell())), -1, short(1), placed=3),
    Case("entry and exit in one second", ((buy(), close()),), placed=2),
    Case("in and out twice in one second", ((fill("0>2"), fill("2>0"), fill("0>-1"), fill("-1>0")),), settings=FOLLOW),
    Case("sell, sentiment flat, while flat", (sell(sentiment="flat"),), codes=("ALREADY_FLAT",), placed=0),
    Case("cancel while flat", (act("cancel"),), placed=0),
    Case("cancel leaves a position alone", (buy(), expect(1, long(1)), act("cancel_all")), 1, long(1), placed=1),
)  # fmt: skip
