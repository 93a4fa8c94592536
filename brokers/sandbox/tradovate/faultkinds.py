"""Misbehaviour that only Tradovate knows, on top of what every venue has."""

from __future__ import annotations

from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import KINDS, Kinds

_LOWEST_STATUS, _HIGHEST_STATUS = 400, 599


def _status(name: str, value: object) -> int:
    if type(value) is not int or not _LOWEST_STATUS <= value <= _HIGHEST_STATUS:
        raise BadFieldError(name, f"was {value!r}, must be an HTTP status of a refusal")
    return value


def _any_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadFieldError(name, f"was {value!r}, must be a text")
    return value


def _contracts(name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise BadFieldError(name, f"was {value!r}, must be a number of contracts above 0")
    return value


TRADOVATE_KINDS: Kinds = KINDS | {
    # status: nothing happens, and the answer has this status; 401 without a text is a missing permission.
    "status": {"status": (500, _status), "text": ("", _any_text)},
    # refresh_refused: a refresh token that is good is refused, and still good afterwards.
    "refresh_refused": {},
    # overfill: the entry fills for more contracts than it was for.
    "overfill": {"extra": (1, _contracts)},
    # position_lie: what the account holds is shown as this many contracts more, until something of it trades.
    "position_lie": {"by": (1, _contracts)},
}
