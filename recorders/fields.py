"""Reading one field of an alert: each function returns the value, None when the field is absent, or refuses by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from recorders.alert import Refusal, shown

Fields = dict[str, Any]
MAX_QUANTITY = Decimal(10_000)
MAX_PRICE = Decimal(10_000_000)
MAX_DIGITS = 32
DECIMAL_PLACES = 8


def first_present(fields: Fields, names: tuple[str, ...]) -> tuple[str, Any]:
    """The first of `names` that the alert has, with its value; the first name and None when it has none."""
    for name in names:
        if name in fields and fields[name] is not None:
            return name, fields[name]
    return names[0], None


def text(fields: Fields, *names: str, limit: int = 64) -> str | None:
    name, value = first_present(fields, names)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refusal("WRONG_TYPE", f"{name}: had {shown(value)}, wants text")
    refuse_bad_text(name, value)
    if len(value) > limit:
        raise Refusal("TEXT_TOO_LONG", f"{name}: had {len(value)} characters, limit {limit}")
    return value.strip()


def refuse_bad_text(name: str, value: str) -> None:
    if "\x00" in value:
        raise Refusal("NULL_BYTE", f"{name}: holds a null byte")
    if "{{" in value:
        raise Refusal(
            "UNEXPANDED_PLACEHOLDER",
            f"{name}: had {shown(value)}; TradingView did not fill the placeholder in, is this a strategy alert?",
        )


def number(fields: Fields, *names: str) -> Decimal | None:
    """A finite decimal from a JSON number or its text. Empty text, NaN and booleans are refused, never guessed."""
    name, value = first_present(fields, names)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Refusal("WRONG_TYPE", f"{name}: had {shown(value)}, wants a number")
    if isinstance(value, str):
        refuse_bad_text(name, value)
    digits = str(value).strip()
    if len(digits) > MAX_DIGITS:
        raise Refusal("NUMBER_TOO_LONG", f"{name}: had {len(digits)} digits, limit {MAX_DIGITS}")
    parsed = _decimal(digits)
    if parsed is None or not parsed.is_finite():
        raise Refusal("NOT_A_NUMBER", f"{name}: had {shown(value)}, wants a finite number")
    return parsed


def _decimal(digits: str) -> Decimal | None:
    """None for what is no number; Decimal alone would also read "1_0" and the digits of other scripts."""
    try:
        return Decimal(digits) if digits.isascii() and "_" not in digits else None
    except InvalidOperation:
        return None


def quantity(fields: Fields, *names: str) -> Decimal | None:
    value = number(fields, *names)
    if value is None:
        return None
    name = first_present(fields, names)[0]
    if value < 0:
        raise Refusal("QUANTITY_NEGATIVE", f"{name}: had {value}, limit 0")
    if value > MAX_QUANTITY:
        raise Refusal("QUANTITY_ABOVE_LIMIT", f"{name}: had {value}, limit {MAX_QUANTITY}")
    if value != round(value, DECIMAL_PLACES):
        raise Refusal("QUANTITY_TOO_FINE", f"{name}: had {value}, limit {DECIMAL_PLACES} decimal places")
    return value


def price(fields: Fields, *names: str) -> Decimal | None:
    """Prices may be negative (crude oil was); they are rounded to the tick where they are used."""
    value = number(fields, *names)
    if value is None:
        return None
    name = first_present(fields, names)[0]
    if abs(value) > MAX_PRICE:
        raise Refusal("PRICE_ABOVE_LIMIT", f"{name}: had {value}, limit {MAX_PRICE}")
    return round(value, 10)


def moment(fields: Fields, *names: str) -> datetime | None:
    """An ISO-8601 time with a zone, as `{{timenow}}` gives it; anything else is refused by name."""
    value = text(fields, *names)
    if value is None or value == "":
        return None
    name = first_present(fields, names)[0]
    parsed = _utc(value)
    if parsed is None:
        raise Refusal("NOT_A_TIME", f"{name}: had {shown(value)}, wants a time like 2026-11-23T14:35:00Z")
    return parsed


def _utc(value: str) -> datetime | None:
    """None for what is no time, has no zone, or leaves the calendar on its way to UTC."""
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def signed_position(fields: Fields, side_name: str, size_name: str) -> Decimal | None:
    """`long`/`short`/`flat` with an absolute size, as one signed number; None unless the alert has both."""
    side = text(fields, side_name)
    size = quantity(fields, size_name)
    if side is None or size is None:
        return None
    signs = {"long": 1, "short": -1, "flat": 0}
    if side.lower() not in signs:
        raise Refusal("UNKNOWN_POSITION", f"{side_name}: had {shown(side)}, wants long, short or flat")
    return size * signs[side.lower()]
