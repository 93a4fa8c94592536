"""Tradovate behaviours on which sources disagree, or which a test wants to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from brokers.sandbox.switches import SwitchSet


@dataclass(slots=True)
class Switches(SwitchSet):
    """``heartbeat_timeout`` and intervals are seconds.

    open_frame: when the ``o`` frame is sent. sync_requires_entity_types: a bare users-only syncrequest gets no data.
    shuffle_events: order of fill, executionReport, order, position and cashBalance events after a fill is random.
    md_entitlement: md/* requests are allowed. strategy_cancel_pairs: cancelling a strategy exit cancels its partner.
    bracket_partial: exits of a partly filled entry grow with it, or wait for the whole. same_device_starves: a second
    login with the same deviceId silences the sockets of the first. price_band_percent: limit prices further from the
    market are refused. fees: fills cost exchange, clearing and NFA fees and commission. moved: logins are served at
    another address only, which REST redirects to and ``apiHosts`` names. evicted_status: how requests with the token
    of an evicted session are answered. endpoint_limits: what the venue allows of some endpoints in an hour is enforced.
    requests_per_hour: how many requests a login may make, 0 for any number.
    """

    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "open_frame": ("immediate", "lazy"),
        "bracket_partial": ("grow", "wait"),
    }
    POSITIVE: ClassVar[frozenset[str]] = frozenset(
        {"token_minutes", "max_sessions", "max_connections", "heartbeat_timeout", "max_order_qty"}
    )

    open_frame: str = "immediate"
    token_minutes: int = 80
    max_sessions: int = 2
    max_connections: int = 50
    sync_requires_entity_types: bool = False
    heartbeat_timeout: float = 15.0
    shuffle_events: bool = True
    md_entitlement: bool = True
    bracket_partial: str = "grow"
    strategy_cancel_pairs: bool = False
    same_device_starves: bool = False
    max_order_qty: int = 500
    price_band_percent: float = 50.0
    fees: bool = True
    moved: bool = False
    evicted_status: int = 401
    endpoint_limits: bool = False
    requests_per_hour: int = 0
