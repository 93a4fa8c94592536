"""Reading one field of an alert: each function returns the value, None when the field is absent, or refuses by name.

What an alert states of its own order (`quantity`) is never guessed at: an empty or odd value is refused. What only
gives context (`price_if_any`, `size_if_any`, `moment_if_any`) may be missing, in any of the ways Pine writes that.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from recorders.alert import Refusal, shown

Fields = dict[str, Any]
MAX_QUANTITY = Decimal(10_000)
MAX_PRICE = Decimal(10_000_000)
MAX_DIGITS = 32
DECIMAL_PLACES = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNIX_SECONDS = (Decimal(946_684_800), Decimal(4_102_444_800))
"""From 2000 to 2100: a number outside is no time in seconds, and one that is a thousand times larger is in ms."""
DIGITS_OF_UNIX_MS = 13

_NOT_AVAILABLE = frozenset({"", "nan", "na", "n/a", "null", "none"})
_YES = frozenset({"true", "1", "yes", "on"})
_NO = frozenset({"false", "0", "no", "off"})
_PLACEHOLDER = re.compile(r"\{\{[^{}]{0,60}")
# 25,035.75 and 1,234,567 can only be grouped digits. 1,500 is one and a half where the comma is the decimal sign.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})", re.ASCII)


def is_absent(value: object) -> bool:
    """Whether `value` is one of the ways in which Pine and JSON say that there is none."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOT_AVAILABLE)


def first_present(fields: Fields, names: tuple[str, ...]) -> tuple[str, Any]:
    """The first of `names` that the alert has, with its value; the first name and None when it has none."""
    for name in names:
        if name in fields and fields[name] is not None:
            return name, fields[name]
    return names[0], None


def first_stated(fields: Fields, names: tuple[str, ...]) -> tuple[str, Any]:
    """As `first_present`, but passes over values that say that there is none."""
    for name in names:
        if name in fields and not is_absent(fields[name]):
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


def label(fields: Fields, *names: str, limit: int = 64) -> str:
    """A name that is only shown and compared: cut to `limit`, and empty where it is nothing that can be stored."""
    _, value = first_stated(fields, names)
    if not isinstance(value, str) or not value.isprintable() or "{{" in value:
        return ""
    return value.strip()[:limit]


def refuse_bad_text(name: str, value: str) -> None:
    if "\x00" in value:
        raise Refusal("NULL_BYTE", f"{name}: holds a null byte")
    placeholder = _PLACEHOLDER.search(value)
    if placeholder is not None:
        raise Refusal(
            "UNEXPANDED_PLACEHOLDER",
            f"{name}: had {shown(value)}; TradingView did not fill the placeholder in. "
            + _advice(placeholder[0].removeprefix("{{").strip()),
        )


def _advice(placeholder: str) -> str:
    if placeholder.startswith("strategy."):
        return "Strategy placeholders work only in an alert that is created on a strategy, not on an indicator"
    return "Placeholders work only in the alert's Message box, not in text made by Pine's alert(); check its spelling"


def number(fields: Fields, *names: str) -> Decimal | None:
    """A finite decimal from a JSON number or its text. Empty text, NaN and booleans are refused, never guessed."""
    name, value = first_present(fields, names)
    return None if value is None else _number(name, value)


def number_if_any(fields: Fields, *names: str) -> Decimal | None:
    """As `number`, but None for a value that says that there is none, and for `false`: a switch that is off."""
    name, value = first_stated(fields, names)
    if value is None or value is False or (isinstance(value, str) and value.strip().lower() == "false"):
        return None
    return _number(name, value)


def _number(name: str, value: object) -> Decimal:
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
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    try:
        return Decimal(digits) if digits.isascii() and "_" not in digits else None
    except InvalidOperation:
        return None


def quantity(fields: Fields, *names: str) -> Decimal | None:
    value = number(fields, *names)
    return None if value is None else _contracts(first_present(fields, names)[0], value)


def size_if_any(fields: Fields, *names: str) -> Decimal | None:
    """The size of a position as the alert writes it; negative where it writes sizes with their sign."""
    value = number_if_any(fields, *names)
    if value is None:
        return None
    size = _contracts(first_stated(fields, names)[0], value.copy_abs())
    return size.copy_sign(value)


def _contracts(name: str, value: Decimal) -> Decimal:
    if value < 0:
        raise Refusal("QUANTITY_NEGATIVE", f"{name}: had {value}, limit 0")
    if value > MAX_QUANTITY:
        raise Refusal("QUANTITY_ABOVE_LIMIT", f"{name}: had {value}, limit {MAX_QUANTITY}")
    if value != 0 and (value.adjusted() < -DECIMAL_PLACES or value != round(value, DECIMAL_PLACES)):
        raise Refusal("QUANTITY_TOO_FINE", f"{name}: had {value}, limit {DECIMAL_PLACES} decimal places")
    return value


def price_if_any(fields: Fields, *names: str) -> Decimal | None:
    """Prices may be negative (crude oil was); they are rounded to the tick where they are used."""
    value = number_if_any(fields, *names)
    if value is None:
        return None
    if value.copy_abs() > MAX_PRICE:
        raise Refusal("PRICE_ABOVE_LIMIT", f"{first_stated(fields, names)[0]}: had {value}, limit {MAX_PRICE}")
    return to_places(value, 10)


def to_places(value: Decimal, places: int) -> Decimal:
    """`value` with no more decimal places than that: Pine prints more digits than any venue takes."""
    return round(value, places) if value.adjusted() < MAX_DIGITS - places and -_exponent(value) > places else value


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def switch(fields: Fields, *names: str) -> bool | None:
    """A yes or no in any of the ways templates write it."""
    name, value = first_stated(fields, names)
    if value is None:
        return None
    word = str(value).strip().lower() if isinstance(value, bool | int | str | Decimal) else ""
    if isinstance(value, str):
        refuse_bad_text(name, value)
    if word not in _YES | _NO:
        raise Refusal("WRONG_TYPE", f"{name}: had {shown(value)}, wants true or false")
    return word in _YES


def moment(fields: Fields, *names: str) -> datetime | None:
    """A time with a zone, as `{{timenow}}` gives it, or Unix time; anything else but an empty text is refused."""
    name, value = first_present(fields, names)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Refusal("WRONG_TYPE", f"{name}: had {shown(value)}, wants a time")
    parsed = _moment(name, value)
    if parsed is None:
        raise Refusal("NOT_A_TIME", f"{name}: had {shown(value)}, wants a time like 2026-11-23T14:35:00Z")
    return parsed


def moment_if_any(fields: Fields, *names: str) -> datetime | None:
    """The first of `names` that is a time as `moment` takes it. An unfilled placeholder is refused all the same."""
    for name in names:
        value = fields.get(name)
        parsed = None if is_absent(value) else _moment(name, value)
        if parsed is not None:
            return parsed
    return None


def _moment(name: str, value: object) -> datetime | None:
    if isinstance(value, str):
        refuse_bad_text(name, value)
        iso = _utc(value.strip())
        if iso is not None:
            return iso
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    digits = str(value).strip()
    seconds = _decimal(digits) if len(digits) <= MAX_DIGITS else None
    if seconds is None or not seconds.is_finite() or seconds.adjusted() > DIGITS_OF_UNIX_MS:
        return None
    for unit in (1, 1000):
        if UNIX_SECONDS[0] <= seconds / unit <= UNIX_SECONDS[1]:
            return EPOCH + timedelta(microseconds=int(seconds * 1_000_000 / unit))
    return None


def _utc(value: str) -> datetime | None:
    """None for what is no time, has no zone, or leaves the calendar on its way to UTC."""
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
