"""ProjectX behaviors on which sources disagree, or which a test wants to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from brokers.sandbox.switches import SwitchSet

AUTO_OCO, POSITION_BRACKETS = "auto_oco", "position"


@dataclass(slots=True)
class Switches(SwitchSet):
    """``ping_seconds``, ``client_timeout`` and ``token_seconds`` are seconds.

    rate_limits, requests_per_minute, bars_per_half_minute: budgets per user, answered 429 beyond. bracket_mode: what
    the account is set to in the platform. bracket_partial: legs of a partly filled entry grow with it, or wait.
    wrapped_events: user events as {action, data} or bare. market_data: trades and depth as lists or objects.
    partial_quotes: quotes after the first name only what changed. framing: records of one moment share a frame, have
    one each, or are cut in two frames. shuffle_events: order, trade, position and account events of one fill come in
    any order. models: with the newer members of orders and positions, or without. commissions: trades carry them in a
    member of their own. rejected_order_id: a rejected place names the stored order, or 0. closed_session: a place
    outside trading hours is code 5, or code 2 with a text. finished_order: a modify or cancel of a finished order is
    refused as not found, or as rejected. expired_validate: Auth/validate with an expired token is HTTP 401, or code 3.
    hub_refusal: a hub refuses a bad token by HTTP, or in its handshake. stop_limit: type 3 is taken. mng_root: what
    the micro gas contract is called. next_months: searches also list the month after the front one, not active.
    """

    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bracket_mode": (AUTO_OCO, POSITION_BRACKETS),
        "bracket_partial": ("grow", "wait"),
        "market_data": ("list", "object"),
        "framing": ("batched", "single", "split"),
        "models": ("new", "old"),
        "closed_session": ("code_5", "code_2"),
        "finished_order": ("not_found", "rejected"),
        "expired_validate": ("http_401", "code_3"),
        "hub_refusal": ("http_401", "handshake"),
        "mng_root": ("MNG", "MNGE"),
    }
    POSITIVE: ClassVar[frozenset[str]] = frozenset({"requests_per_minute", "bars_per_half_minute", "token_seconds"})

    rate_limits: bool = True
    requests_per_minute: int = 200
    bars_per_half_minute: int = 50
    bracket_mode: str = AUTO_OCO
    bracket_partial: str = "grow"
    wrapped_events: bool = True
    market_data: str = "list"
    partial_quotes: bool = True
    framing: str = "batched"
    shuffle_events: bool = True
    models: str = "new"
    commissions: bool = False
    rejected_order_id: bool = True
    closed_session: str = "code_5"
    finished_order: str = "not_found"
    expired_validate: str = "http_401"
    hub_refusal: str = "http_401"
    stop_limit: bool = False
    mng_root: str = "MNG"
    next_months: bool = True
    token_seconds: int = 86_400
    ping_seconds: float = 15.0
    client_timeout: float = 30.0
