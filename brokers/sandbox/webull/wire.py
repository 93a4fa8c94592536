"""How the venue writes times, amounts and refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
CENT = Decimal("0.01")
BUSINESS_STATUS = 417


class RefusalError(Exception):
    """A request that is answered with an error body."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def refusal(code: str, message: str, status: int = BUSINESS_STATUS) -> RefusalError:
    """``{"error_code", "message"}``: business refusals are 417, not 400."""
    return RefusalError(status, {"error_code": code, "message": message})


def parameter_error(message: str) -> RefusalError:
    return refusal("OPENAPI_PARAM_ERR", message)


def route_not_found() -> RefusalError:
    """What the gateway says of an address it does not know, and of a key of the wrong environment."""
    return RefusalError(404, {"error_msg": "404 Route Not Found"})


def unauthorized(message: str) -> RefusalError:
    return refusal("UNAUTHORIZED", message, 401)


def count(params: Row, name: str, default: int, most: int) -> int:
    """A whole number from 1 to ``most`` among the parameters, given as a number or as text."""
    text = str(params.get(name) or default)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        raise parameter_error(f"{name} is out of range: {text}")
    return int(text)


def money(amount: Decimal) -> str:
    """USD with two digits, as balances have it."""
    return str(amount.quantize(CENT))


def figure(number: Decimal) -> str:
    """A price or ratio without trailing zeros and without an exponent."""
    return f"{number.normalize():f}"


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def iso_z(ms: int) -> str:
    """2026-08-27T22:48:50.605Z"""
    return _iso(ms) + "Z"


def iso_offset(ms: int) -> str:
    """2025-11-21T06:27:43.312+0000"""
    return _iso(ms) + "+0000"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}"
