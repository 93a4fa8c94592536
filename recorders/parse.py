"""From an alert's bytes to what it says. Pure; every way to fail is a `Refusal` with a code."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation

from brokers import instruments
from recorders.alert import ParsedAlert, Refusal, shown
from recorders.dialects import canonical
from recorders.fields import Fields

MAX_BODY_BYTES = 64 * 1024
_TICKER = re.compile(r"[A-Za-z0-9_.!:]+")


def parse(body: bytes) -> ParsedAlert:
    """What the alert says. Content type is no argument: TradingView's is not to be relied on.

    Raises `Refusal`: the body is too large, not UTF-8, not JSON, speaks no dialect we know, names an unknown product,
    or has a field that cannot be taken as it is.
    """
    alert = _load(body)
    if not canonical.speaks(alert):
        raise Refusal("UNKNOWN_DIALECT", f"had the keys {shown(sorted(alert)[:8], 120)}, wants action and ticker")
    parsed = canonical.parse(alert)
    if not _TICKER.fullmatch(parsed.ticker):
        raise Refusal(
            "UNKNOWN_TICKER", f"ticker: had {shown(parsed.ticker)}, wants a symbol like MNQ1! or CME_MINI:MNQ1!"
        )
    try:
        instruments.product_of(parsed.ticker)
    except instruments.UnknownTicker as error:
        raise Refusal("UNKNOWN_TICKER", f"ticker: {error}") from None
    return parsed


def _load(body: bytes) -> Fields:
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("BODY_TOO_LARGE", f"body: had more than {MAX_BODY_BYTES} bytes, limit {MAX_BODY_BYTES}")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("NOT_UTF8", f"body: byte {error.start} is not UTF-8") from None
    if not text.strip():
        raise Refusal("EMPTY_BODY", "body: is empty")
    try:
        alert = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except Refusal:
        raise
    except RecursionError:
        raise Refusal("TOO_DEEP", "body: JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        raise Refusal("NOT_JSON", f"body: {error.msg} at line {error.lineno} column {error.colno}") from None
    except (ValueError, InvalidOperation):
        raise Refusal("NOT_A_NUMBER", "body: holds a number that is too long to read") from None
    if not isinstance(alert, dict):
        raise Refusal("NOT_AN_OBJECT", f"body: had {shown(alert)}, wants a JSON object")
    return alert


def _refuse_constant(name: str) -> None:
    raise Refusal("NOT_A_NUMBER", f"body: had {name}, wants finite numbers")
