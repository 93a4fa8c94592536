"""Every alert is either understood or refused by code; nothing else can happen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorders.alert import Action, ParsedAlert, Refusal
from recorders.parse import MAX_ALERTS, MAX_BODY_BYTES, parse, parse_body
from recorders.templates import CANONICAL_TEMPLATE

GOOD = {"action": "buy", "ticker": "MNQ1!", "price": "25300.25", "contracts": "2"}
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCRIPT = "<script>alert(1)</script>"


def body_of(**changes: Any) -> bytes:
    """The good alert with fields changed; a field set to Ellipsis is left out."""
    return json.dumps({name: value for name, value in {**GOOD, **changes}.items() if value is not ...}).encode()


def refused(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(body)
    return caught.value


def test_bare_form() -> None:
    assert parse(body_of()) == ParsedAlert(
        action=Action.BUY, ticker="MNQ1!", quantity=Decimal(2), price=Decimal("25300.25")
    )


def test_canonical_template_as_tradingview_fills_it_in() -> None:
    filled = CANONICAL_TEMPLATE
    values = {
        "ticker": "MNQ1!", "strategy.order.action": "sell", "strategy.order.contracts": "3",
        "strategy.order.price": "25300.25", "strategy.market_position": "short",
        "strategy.market_position_size": "1", "strategy.prev_market_position": "long",
        "strategy.prev_market_position_size": "2", "close": "25299", "timenow": "2026-11-23T14:35:00Z",
    }  # fmt: skip
    for name, value in values.items():
        filled = filled.replace("{{" + name + "}}", value)
    for left in ("exchange", "interval", "strategy.order.id", "strategy.order.comment", "time"):
        filled = filled.replace("{{" + left + "}}", "x")
    assert parse(filled.encode()) == ParsedAlert(
        action=Action.SELL,
        ticker="MNQ1!",
        quantity=Decimal(3),
        price=Decimal("25300.25"),
        position=Decimal(-1),
        prev_position=Decimal(2),
        fired_at=datetime(2026, 11, 23, 14, 35, tzinfo=UTC),
        strategy="my-strategy",
    )


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("buy", Action.BUY), ("LONG", Action.BUY), (" Buy ", Action.BUY), ("enter_long", Action.BUY),
        ("sell", Action.SELL), ("short", Action.SELL), ("enter_short", Action.SELL),
        ("close", Action.CLOSE), ("exit", Action.CLOSE), ("flat", Action.CLOSE), ("Flatten", Action.CLOSE),
    ],
)  # fmt: skip
def test_actions(word: str, action: Action) -> None:
    assert parse(body_of(action=word)).action is action


@pytest.mark.parametrize(
    ("value", "quantity"),
    [("2.0", Decimal(2)), (2, Decimal(2)), (2.0, Decimal(2)), ("0.5", Decimal("0.5")), (" 3 ", Decimal(3)),
     (..., None), (None, None)],
)  # fmt: skip
def test_quantities_that_are_taken(value: object, quantity: Decimal | None) -> None:
    assert parse(body_of(contracts=value)).quantity == quantity


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "QUANTITY_ZERO"), ("0", "QUANTITY_ZERO"), ("-0", "QUANTITY_ZERO"), ("0.000", "QUANTITY_ZERO"),
        (-1, "QUANTITY_NEGATIVE"), ("-1", "QUANTITY_NEGATIVE"),
        ("NaN", "NOT_A_NUMBER"), ("sNaN", "NOT_A_NUMBER"), ("Infinity", "NOT_A_NUMBER"), ("-inf", "NOT_A_NUMBER"),
        (1e12, "QUANTITY_ABOVE_LIMIT"), ("1e12", "QUANTITY_ABOVE_LIMIT"), ("1e999999", "QUANTITY_ABOVE_LIMIT"),
        ("1e-999999", "QUANTITY_TOO_FINE"), ("0.000000001", "QUANTITY_TOO_FINE"),
        ("", "NOT_A_NUMBER"), ("  ", "NOT_A_NUMBER"), ("two", "NOT_A_NUMBER"), ("1,5", "NOT_A_NUMBER"),
        ("1_0", "NOT_A_NUMBER"), ("\u0661", "NOT_A_NUMBER"), ("0x10", "NOT_A_NUMBER"),
        ("9" * 33, "NUMBER_TOO_LONG"), (int("9" * 40), "NUMBER_TOO_LONG"),
        (True, "WRONG_TYPE"), ([2], "WRONG_TYPE"), ({"n": 2}, "WRONG_TYPE"),
        ("{{strategy.order.contracts}}", "UNEXPANDED_PLACEHOLDER"), ("1\x00", "NULL_BYTE"), (SCRIPT, "NOT_A_NUMBER"),
    ],
)  # fmt: skip
def test_quantities_that_are_refused(value: object, code: str) -> None:
    refusal = refused(body_of(contracts=value))
    assert refusal.code == code
    assert refusal.text.startswith("contracts:")


def test_a_refusal_says_what_was_had_and_the_limit() -> None:
    assert refused(body_of(contracts="1e12")).text == "contracts: had 1E+12, limit 10000"
    assert refused(body_of(contracts=-1)).text == "contracts: had -1, limit 0"
    assert refused(body_of(action="hodl")).text.startswith("action: had 'hodl', wants one of buy,")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ticker": "NOPE1!"}, "UNKNOWN_TICKER"), ({"ticker": SCRIPT}, "UNKNOWN_TICKER"),
        ({"ticker": SCRIPT + ":MNQ1!"}, "UNKNOWN_TICKER"), ({"ticker": "\ud800:MNQ1!"}, "UNKNOWN_TICKER"),
        ({"ticker": "MNQZ\u0666"}, "UNKNOWN_TICKER"), ({"ticker": "ME\u017f1!"}, "UNKNOWN_TICKER"),
        ({"ticker": "MNQ1!\x00"}, "NULL_BYTE"), ({"ticker": "{{ticker}}"}, "UNEXPANDED_PLACEHOLDER"),
        ({"ticker": ""}, "MISSING_FIELD"), ({"ticker": ...}, "MISSING_FIELD"), ({"ticker": None}, "MISSING_FIELD"),
        ({"ticker": 5}, "WRONG_TYPE"), ({"ticker": ["MNQ1!"]}, "WRONG_TYPE"), ({"ticker": "M" * 65}, "TEXT_TOO_LONG"),
        ({"action": "hodl"}, "UNKNOWN_ACTION"), ({"action": SCRIPT}, "UNKNOWN_ACTION"),
        ({"action": ""}, "MISSING_FIELD"),
        ({"action": ...}, "MISSING_FIELD"), ({"action": 1}, "WRONG_TYPE"), ({"action": False}, "WRONG_TYPE"),
        ({"action": "{{strategy.order.action}}"}, "UNEXPANDED_PLACEHOLDER"), ({"action": "bu\x00y"}, "NULL_BYTE"),
        ({"price": "1e12"}, "PRICE_ABOVE_LIMIT"), ({"price": SCRIPT}, "NOT_A_NUMBER"),
        ({"price": "inf"}, "NOT_A_NUMBER"),
        ({"price": "{{close}}"}, "UNEXPANDED_PLACEHOLDER"),
        ({"fired_at": "yesterday"}, "NOT_A_TIME"), ({"fired_at": "2026-11-23T14:35:00"}, "NOT_A_TIME"),
        ({"fired_at": "0001-01-01T00:00:00+14:00"}, "NOT_A_TIME"), ({"fired_at": SCRIPT}, "NOT_A_TIME"),
        ({"fired_at": "{{timenow}}"}, "UNEXPANDED_PLACEHOLDER"), ({"fired_at": 1764}, "NOT_A_TIME"),
        ({"position": SCRIPT, "position_size": 1}, "UNKNOWN_POSITION"),
        ({"position": "long", "position_size": "-1"}, "QUANTITY_NEGATIVE"),
    ],
)  # fmt: skip
def test_fields_that_are_refused(changes: dict[str, Any], code: str) -> None:
    assert refused(body_of(**changes)).code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY_BODY"), (b" \n", "EMPTY_BODY"), (b" \xef\xbb\xbf", "EMPTY_BODY"),
        (b"buy it", "UNKNOWN_TICKER"), (b'{"action":', "NOT_JSON"),
        (b"\xff\xfe\x00", "NOT_UTF8"), (b'{"action":"\xc3\x28"}', "NOT_UTF8"), (b"\x00" * 20, "NOT_JSON"),
        (b'{"action":"bu\x00y"}', "NOT_JSON"),
        (b"[" * 10_000, "TOO_DEEP"), (b"[" * 10_000 + b"]" * 10_000, "TOO_DEEP"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "TOO_DEEP"),
        (b"[]", "NOT_AN_OBJECT"), (b"null", "NOT_AN_OBJECT"), (b"5", "NOT_AN_OBJECT"), (b'"buy"', "NOT_AN_OBJECT"),
        (b"{}", "UNKNOWN_DIALECT"), (b'{"hello": "buy"}', "UNKNOWN_DIALECT"),
        (b'{"action": "buy", "ticker": "MNQ1!", "contracts": NaN}', "NOT_A_NUMBER"),
        (b'{"action": 1' + b"0" * 5000 + b"}", "NOT_A_NUMBER"),
        (b'{"n": 1e99999999999999999999}', "NOT_A_NUMBER"),
        (b'{"action":"buy","x":"' + b"a" * MAX_BODY_BYTES + b'"}', "BODY_TOO_LARGE"),
    ],
)  # fmt: skip
def test_bodies_that_are_refused(body: bytes, code: str) -> None:
    assert refused(body).code == code


def test_the_largest_body_is_read() -> None:
    padding = MAX_BODY_BYTES - len(body_of(comment=""))
    assert len(body_of(comment="a" * padding)) == MAX_BODY_BYTES
    assert parse(body_of(comment="a" * padding)).action is Action.BUY


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse(b"\xef\xbb\xbf" + body_of()).ticker == "MNQ1!"


@pytest.mark.parametrize("field", ["action", "ticker", "contracts", "price", "fired_at"])
def test_nesting_near_the_interpreters_limit_is_refused_too(field: str) -> None:
    for depth in range(700, 1000):
        nested = "[" * depth + "]" * depth
        assert refused(body_of(**{field: "?"}).replace(b'"?"', nested.encode())).code in {"WRONG_TYPE", "TOO_DEEP"}


def actions_of(body: bytes) -> list[str]:
    return [
        parsed.alert.action.value if parsed.alert is not None else parsed.refusal.code if parsed.refusal else ""
        for parsed in parse_body(body)
    ]


BUY, CLOSE = b'{"action":"buy","ticker":"MNQ1!"}', b'{"action":"close","ticker":"MNQ1!"}'


@pytest.mark.parametrize(
    ("body", "actions"),
    [
        (BUY + b"\n" + CLOSE, ["buy", "close"]), (BUY + b"\r\n\r\n" + CLOSE + b"\n", ["buy", "close"]),
        (BUY + CLOSE, ["buy", "close"]), (b"[" + BUY + b" , " + CLOSE + b"]", ["buy", "close"]),
        (BUY + b"\n" + CLOSE[:-1] + b",}", ["buy", "close"]),
        (BUY + b'\n{"action":"hodl","ticker":"MNQ1!"}\n' + CLOSE, ["buy", "UNKNOWN_ACTION", "close"]),
        (BUY + b'\n{"action":"buy","c":"TP "x" y"}\n' + CLOSE, ["buy", "NOT_JSON", "close"]),
        (BUY + b'\n{"action":"buy","action":"sell"}', ["buy", "DUPLICATE_FIELD"]),
        (BUY + b" and more", ["NOT_JSON"]), (BUY + b" 5", ["NOT_JSON"]), (b"[" + BUY + b", 5]", ["NOT_AN_OBJECT"]),
        (b"buy MNQ1!\nclose MNQ1!", ["buy", "close"]), (b"buy MNQ1!\nhello there", ["buy", "NOT_JSON"]),
        (b"action=buy;ticker=MNQ1!\naction=close;ticker=MNQ1!", ["buy", "close"]),
        (b"1,buy,MNQ1!\n1,closelong,MNQ1!", ["buy", "close_long"]),
        (b"s=MNQ1! c=order|s=MNQ1! b=long", ["cancel", "buy"]),
        (BUY * MAX_ALERTS, ["buy"] * MAX_ALERTS), (BUY * (MAX_ALERTS + 1), ["TOO_MANY_ALERTS"]),
        (b"ping\n" * (MAX_ALERTS + 1), ["TOO_MANY_ALERTS"]),
    ],
)  # fmt: skip
def test_several_alerts_in_one_body(body: bytes, actions: list[str]) -> None:
    assert actions_of(body) == actions


def test_one_alert_keeps_its_whole_body_and_several_their_parts() -> None:
    assert [parsed.body for parsed in parse_body(b"\xef\xbb\xbf " + BUY + b"\n")] == [b"\xef\xbb\xbf " + BUY + b"\n"]
    for body in (BUY + b"\n" + CLOSE, b" [" + BUY + b", " + CLOSE + b"]"):
        assert [parsed.body for parsed in parse_body(body)] == [BUY, CLOSE]
    assert refused(BUY + CLOSE).code == "TOO_MANY_ALERTS"


def test_a_symbol_map_makes_a_ticker_known() -> None:
    body = body_of(ticker="US100")
    assert parse_body(body)[0].alert is None
    assert parse_body(body, {"US100": "MNQ1!"})[0].alert == replace(parse(body_of()), ticker="US100")
    assert parse_body(body_of(ticker="FX:us100"), {"US100": "MNQ1!"})[0].alert is not None


def test_zero_contracts_do_not_keep_a_close_from_closing() -> None:
    assert parse(body_of(action="close", contracts="0")).action is Action.CLOSE


def test_html_in_a_field_that_nobody_reads_is_harmless() -> None:
    assert parse(body_of(comment=SCRIPT, interval=SCRIPT)) == parse(body_of())
    assert parse(body_of(strategy=SCRIPT)) == replace(parse(body_of()), strategy=SCRIPT)


@unhurried
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    assert refused(body).code


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = ("action", "ticker", "contracts", "price", "position", "position_size", "prev_position", "fired_at")


@unhurried
@given(st.dictionaries(st.sampled_from(_FIELDS), _JUNK))
def test_any_json_is_understood_or_refused(changes: dict[str, object]) -> None:
    try:
        alert = parse(json.dumps({**GOOD, **changes}).encode())
    except Refusal as refusal:
        refusal.text.encode()
        assert refusal.code
        assert len(refusal.text) <= 512
    else:
        assert alert.ticker.isascii()
        assert alert.quantity is None or 0 <= alert.quantity <= 10_000


@unhurried
@given(st.text(max_size=40))
def test_a_ticker_is_stored_as_it_can_be_stored(ticker: str) -> None:
    try:
        alert = parse(body_of(ticker=f"{ticker}:MNQ1!"))
    except Refusal:
        return
    assert alert.ticker.isprintable()
    alert.ticker.encode("ascii")


@pytest.mark.parametrize(
    ("ticker", "kind"), [("NASDAQ:AAPL", "AAPL is a stock"), ("AAPL261218C00250000", "00250000 is an option")]
)
def test_what_no_venue_trades_is_named(ticker: str, kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(f'{{"action": "buy", "ticker": "{ticker}"}}'.encode())
    assert refused.value.code == "NO_VENUE"
    assert kind in refused.value.text
