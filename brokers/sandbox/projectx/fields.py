"""Reading the JSON body of a request, member names in any case, as the venue's model binding does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Body = dict[str, Any]
_INT64 = 2**63
_FRACTION_DIGITS = 6


class InvalidFieldError(Exception):
    """A member that cannot be what the model asks for: HTTP 400 with ProblemDetails."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


class Fields:
    """One JSON object. Absent and null are the same; a value of another type is InvalidFieldError."""

    def __init__(self, body: Body) -> None:
        self._values = {name.lower(): value for name, value in body.items()}

    def value(self, name: str) -> Any:
        return self._values.get(name.lower())

    def integer(self, name: str, default: int = 0) -> int:
        found = self.optional_integer(name)
        return default if found is None else found

    def optional_integer(self, name: str) -> int | None:
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not -_INT64 <= value < _INT64:
            raise _cannot_convert(name)
        return value

    def number(self, name: str) -> Decimal | None:
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _cannot_convert(name)
        return Decimal(repr(value))

    def text(self, name: str) -> str | None:
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise _cannot_convert(name)
        return value

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None or value == "":
            raise required(name)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise _cannot_convert(name)
        return value

    def moment(self, name: str) -> datetime | None:
        """ISO-8601 with or without offset (UTC then) and up to seven digits of a second."""
        value = self.text(name)
        if value is None or value == "":
            return None
        try:
            found = datetime.fromisoformat(_trim_fraction(value))
        except ValueError:
            raise _cannot_convert(name) from None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def required_moment(self, name: str) -> datetime:
        found = self.moment(name)
        if found is None:
            raise required(name)
        return found

    def inner(self, name: str) -> Fields | None:
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _cannot_convert(name)
        return Fields(value)

    def integers(self, name: str) -> list[int] | None:
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise _cannot_convert(name)
        return value


def required(name: str) -> InvalidFieldError:
    return InvalidFieldError(name, f"The {name} field is required.")


def _cannot_convert(name: str) -> InvalidFieldError:
    return InvalidFieldError(f"$.{name}", "The JSON value could not be converted.")


def _trim_fraction(text: str) -> str:
    """Python reads microseconds; .NET writes a tenth of that."""
    whole, point, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if not point or digits <= _FRACTION_DIGITS:
        return text
    return f"{whole}.{rest[:_FRACTION_DIGITS]}{rest[digits:]}"
