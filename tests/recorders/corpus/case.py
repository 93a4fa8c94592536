"""One named body and what it must come to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from recorders.alert import Action, ParsedAlert

NUMBERS = ("quantity", "price", "position", "prev_position", "limit_price", "premium")
FIRED = datetime(2026, 11, 23, 14, 35, 1, tzinfo=UTC)
TIMENOW = "2026-11-23T14:35:01Z"


@dataclass(frozen=True, slots=True)
class Case:
    """Either the whole alert that is expected, or the code of the refusal and the beginning of its text."""

    name: str
    body: bytes
    alert: ParsedAlert | None = None
    code: str = ""
    text: str = ""


def says(name: str, body: bytes | dict[str, Any], dialect: str, action: str, **rest: Any) -> Case:
    """A body that is understood. Numbers may be written as ints or text; fields that are not named are absent."""
    told = {field: Decimal(str(value)) if field in NUMBERS else value for field, value in rest.items()}
    ticker = told.pop("ticker", "MNQ1!")
    return Case(name, bytes_of(body), ParsedAlert(Action(action), ticker, dialect, **told))


def refuses(name: str, body: bytes | dict[str, Any], code: str, text: str = "") -> Case:
    return Case(name, bytes_of(body), code=code, text=text)


def bytes_of(body: bytes | dict[str, Any]) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def ticks(distance: str) -> list[dict[str, Any]]:
    return target(distance, "ticks")


def target(distance: str, unit: str) -> list[dict[str, Any]]:
    return [{"distance": distance, "unit": unit, "trim": None, "trim_unit": "percent"}]


def stop(distance: str, unit: str = "ticks") -> dict[str, Any]:
    return {"stop_distance": distance, "stop_unit": unit}
