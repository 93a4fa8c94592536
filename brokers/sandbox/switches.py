"""Venue behaviours on which sources disagree, or which a test wants to choose."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from brokers.sandbox.errors import BadFieldError

_CHOICES = {
    "open_frame": ("immediate", "lazy"),
    "session": ("always_open", "closed"),
    "bracket_partial": ("grow", "wait"),
}
_HIGHEST = 1_000_000
_POSITIVE = {"token_minutes", "max_sessions", "max_connections", "heartbeat_timeout", "max_order_qty"}


@dataclass(slots=True)
class Switches:
    """``delay_ms`` is added before every request is processed; ``heartbeat_timeout`` and intervals are seconds.

    open_frame: when the ``o`` frame is sent. sync_requires_entity_types: a bare users-only syncrequest gets no data.
    shuffle_events: order of fill, executionReport, order, position and cashBalance events after a fill is random.
    md_entitlement: md/* requests are allowed. strategy_cancel_pairs: cancelling a strategy exit cancels its partner.
    bracket_partial: exits of a partly filled entry grow with it, or wait for the whole. same_device_starves: a second
    login with the same deviceId silences the sockets of the first. price_band_percent: limit prices further from the
    market are refused. fees: fills cost exchange, clearing and NFA fees and commission.
    """

    open_frame: str = "immediate"
    token_minutes: int = 80
    max_sessions: int = 2
    max_connections: int = 50
    sync_requires_entity_types: bool = False
    heartbeat_timeout: float = 15.0
    shuffle_events: bool = True
    md_entitlement: bool = True
    delay_ms: float = 0.0
    session: str = "always_open"
    bracket_partial: str = "grow"
    strategy_cancel_pairs: bool = False
    same_device_starves: bool = False
    max_order_qty: int = 500
    price_band_percent: float = 50.0
    fees: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, wanted: dict[str, Any]) -> None:
        """All or nothing. Raises BadFieldError for an unknown switch or a value it cannot take."""
        known = {field.name for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise BadFieldError(name, f"no such switch; known: {', '.join(sorted(known))}")
            _check(name, value, type(getattr(self, name)))
        for name, value in wanted.items():
            setattr(self, name, type(getattr(self, name))(value))


def _check(name: str, value: object, kind: type) -> None:
    if kind is bool and not isinstance(value, bool):
        raise BadFieldError(name, f"was {value!r}, must be true or false")
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise BadFieldError(name, f"was {value!r}, must be one of {', '.join(_CHOICES[name])}")
        return
    if kind in (int, float):
        _check_number(name, value, kind)


def _check_number(name: str, value: object, kind: type) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind is int and not isinstance(value, int)):
        raise BadFieldError(name, f"was {value!r}, must be a number")
    lowest = 1 if name in _POSITIVE else 0
    if not lowest <= value <= _HIGHEST:
        raise BadFieldError(name, f"was {value!r}, must be between {lowest} and {_HIGHEST}")
