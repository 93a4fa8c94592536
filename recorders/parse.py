"""From an alert's bytes to what they say. Pure; every way to fail is a `Refusal` with a code.

Content type is no argument: TradingView's is not to be relied on. A body is JSON, or nearly (`recorders.tolerant`), or
text (`recorders.dialects.lines`); it may hold several alerts, which are understood each for itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from brokers import instruments
from recorders import tolerant
from recorders.alert import Action, Flag, ParsedAlert, Refusal, shown
from recorders.dialects import dialect_of, lines, overrides
from recorders.redact import redact, was_meant_as_json
from recorders.tolerant import Contradiction, Unreadable, after_space, one_meaning

MAX_BODY_BYTES = 64 * 1024
MAX_ALERTS = 20
UNKNOWN_TICKER = "UNKNOWN_TICKER"
NO_VENUE = "NO_VENUE"
NO_PRODUCT = frozenset({UNKNOWN_TICKER, NO_VENUE})
"""Refusals that the recorder's own symbol map may prevent."""
NO_SYMBOLS: Mapping[str, str] = MappingProxyType({})
_TICKER = re.compile(r"[A-Za-z0-9_.!:]+")
_PLACEHOLDER = re.compile(r"\s*\{\{[^{}]{0,60}\}\}\s*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """One alert of a body: `body` is its part, without foreign secrets. Either `alert` or `refusal` is there."""

    body: bytes
    alert: ParsedAlert | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    value: Any
    flags: tuple[Flag, ...] = ()
    refusal: Refusal | None = None


def parse_body(body: bytes, symbols: Mapping[str, str] = NO_SYMBOLS) -> tuple[Parsed, ...]:
    """What each alert of the body says, in their order. Raises nothing: what cannot be acted on is a refusal.

    `symbols` is the recorder's own map from tickers as alerts write them, upper case, to tickers that we know. The
    alert keeps its own: the map is asked again when it is planned.
    """
    try:
        pieces = _pieces(_text(body))
    except Refusal as refusal:
        return (Parsed(redact(body), refusal=refusal),)
    if len(pieces) > MAX_ALERTS:
        return (Parsed(redact(body), refusal=_too_many(len(pieces), MAX_ALERTS)),)
    if len(pieces) == 1:
        return (_parsed(body, pieces[0], symbols),)
    return tuple(_parsed(piece.text.encode(), piece, symbols) for piece in pieces)


def parse(body: bytes) -> ParsedAlert:
    """What the only alert of the body says. Raises `Refusal`."""
    found = parse_body(body)
    if len(found) > 1:
        raise _too_many(len(found), 1)
    if found[0].alert is None:
        raise found[0].refusal or Refusal("NOT_JSON", "body: says nothing")
    return found[0].alert


def _parsed(body: bytes, piece: _Piece, symbols: Mapping[str, str]) -> Parsed:
    kept = redact(body)
    if piece.refusal is not None:
        return Parsed(kept, refusal=piece.refusal)
    try:
        alert = _understood(piece.value, symbols)
    except Refusal as refusal:
        return Parsed(kept, refusal=refusal)
    except RecursionError:
        return Parsed(kept, refusal=_too_deep())
    removed = (Flag.SECRET_REMOVED,) if kept != body else ()
    return Parsed(kept, replace(alert, flags=(*piece.flags, *alert.flags, *removed)))


def _understood(fields: Any, symbols: Mapping[str, str]) -> ParsedAlert:
    """Raises `Refusal`: the alert speaks no dialect that we know, or has a field that cannot be taken as it is."""
    if not isinstance(fields, dict):
        raise Refusal("NOT_AN_OBJECT", f"body: had {shown(fields)}, wants a JSON object")
    dialect = dialect_of(fields)
    if dialect is None:
        raise Refusal("UNKNOWN_DIALECT", f"had the keys {shown(sorted(fields)[:8], 120)}, wants action and ticker")
    alert = dialect.parse(fields)
    if not alert.ticker and alert.action in {Action.CANCEL, Action.HEARTBEAT}:
        return alert
    written = alert.ticker.upper()
    product = _product(symbols.get(written) or symbols.get(written.rsplit(":", 1)[-1]) or alert.ticker)
    return replace(alert, settings=overrides.settle(alert.settings, product.tick))


def _product(ticker: str) -> instruments.Product:
    if not _TICKER.fullmatch(ticker):
        raise Refusal(UNKNOWN_TICKER, f"ticker: had {shown(ticker)}, wants a symbol like MNQ1! or CME_MINI:MNQ1!")
    try:
        return instruments.product_of(ticker)
    except instruments.UnknownTicker as error:
        raise _no_future(ticker, error) from None


def _no_future(ticker: str, error: instruments.UnknownTicker) -> Refusal:
    """A stock or an option is understood, and no venue that we speak to trades it yet."""
    try:
        found = instruments.instrument_of(ticker)
    except instruments.UnknownTicker:
        return Refusal(UNKNOWN_TICKER, f"ticker: {error}")
    kind = "an option" if found.kind is instruments.TickerKind.OPTION else "a stock"
    return Refusal(NO_VENUE, f"ticker: {found.symbol} is {kind}, and no venue that trades it is connected")


def _text(body: bytes) -> str:
    if len(body) > MAX_BODY_BYTES:
        raise Refusal("BODY_TOO_LARGE", f"body: had more than {MAX_BODY_BYTES} bytes, limit {MAX_BODY_BYTES}")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("NOT_UTF8", f"body: byte {error.start} is not UTF-8") from None
    if after_space(text, 0) == len(text):
        raise Refusal("EMPTY_BODY", "body: is empty")
    if _PLACEHOLDER.fullmatch(text):
        raise Refusal(
            "UNEXPANDED_PLACEHOLDER",
            f"body: had {shown(text.strip())} and no more; that placeholder works only in a strategy's alert, "
            "where the order has an alert_message",
        )
    return text


def _pieces(text: str) -> list[_Piece]:
    """The alerts of a body as they stand in it. Raises `Refusal` when it cannot be said what they are."""
    try:
        return _strict(text)
    except json.JSONDecodeError as error:
        return _not_quite_json(text, error)
    except Contradiction as error:
        return _each_line(text) or _refuse_contradiction(error)
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, InvalidOperation):
        raise Refusal("NOT_A_NUMBER", "body: holds a number that is too long to read") from None


def _strict(text: str) -> list[_Piece]:
    """One JSON value, the elements of one array, or several objects behind each other."""
    found: list[_Piece] = []
    at = after_space(text, 0)
    while at < len(text):
        value, end = _DECODER.raw_decode(text, at)
        found.append(_Piece(text[at:end], value))
        at = after_space(text, end)
        if len(found) > 1 and not (isinstance(found[0].value, dict) and isinstance(value, dict)):
            raise json.JSONDecodeError("Extra data", text, end)
    if isinstance(found[0].value, list) and found[0].value and all(isinstance(one, dict) for one in found[0].value):
        # The tolerant reader knows where each element stands, which the strict one does not say.
        return [_Piece(text[start:end], value) for start, end, value in tolerant.documents(text)]
    return found


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON; the tolerant reader leaves them for the field to judge."""
    raise json.JSONDecodeError(f"had {name}, wants finite numbers", "", 0)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=one_meaning)


def _not_quite_json(text: str, error: json.JSONDecodeError) -> list[_Piece]:
    try:
        return [_Piece(text[start:end], value, (Flag.REPAIRED,)) for start, end, value in tolerant.documents(text)]
    except Contradiction as contradiction:
        return _each_line(text) or _refuse_contradiction(contradiction)
    except Unreadable:
        if not was_meant_as_json(text):
            return [_Piece(piece, fields) for piece, fields in lines.documents(text)]
        return _each_line(text) or _refuse_as_json(error)


def _each_line(text: str) -> list[_Piece]:
    """Several lines that are each an object stand for themselves: a broken one takes no other with it."""
    own_lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(own_lines) < 2 or not all(line.startswith("{") and line.endswith("}") for line in own_lines):  # noqa: PLR2004
        return []
    return [piece for line in own_lines for piece in _line(line)]


def _line(line: str) -> list[_Piece]:
    try:
        return _pieces(line)
    except Refusal as refusal:
        return [_Piece(line, None, refusal=refusal)]


def _refuse_as_json(error: json.JSONDecodeError) -> list[_Piece]:
    raise Refusal(
        "NOT_JSON",
        f"body: {error.msg} at line {error.lineno} column {error.colno}; a quote in a comment or an "
        "alert_message breaks the message",
    )


def _refuse_contradiction(error: Contradiction) -> list[_Piece]:
    name = shown(error.name)[1:-1]
    raise Refusal("DUPLICATE_FIELD", f"{name}: is given twice with different values")


def _too_many(had: int, limit: int) -> Refusal:
    return Refusal("TOO_MANY_ALERTS", f"body: had {had} alerts, limit {limit}")


def _too_deep() -> Refusal:
    return Refusal("TOO_DEEP", "body: JSON is nested too deep")
