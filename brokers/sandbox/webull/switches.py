"""Webull behaviours on which sources disagree or are silent, or which a test wants to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from brokers.sandbox.switches import SwitchSet


@dataclass(slots=True)
class Switches(SwitchSet):
    """Intervals are seconds.

    token_check: requests need an approved token; auto_approve: whatever waits for approval is approved when asked for.
    nonce_once: a nonce that was used before is refused. clock_skew_seconds: how old or new a timestamp may be, or 0.
    rate_limits: the table of documented limits is kept. unsigned: the answer to a request without signature.
    unknown_key: the answer to a key of another environment. error_prefix: what business error codes begin with.
    history_lag_seconds: how long the history still shows an order as it was before its last change.
    page_size: groups per page of v3 lists. short_sign: quantity of a short position. event_order_id: events name the
    order_id too. second_stream: what a second subscription of a key gets. ping_seconds: between pings on the stream.
    option_market_orders: options may be bought at the market. market_data: the key has bought market data.
    futures_streaming: futures can be streamed. grab_required: subscribing needs the documented ``grab`` field.
    fees: fills cost fees.
    """

    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unsigned": ("sandbox", "production"),
        "unknown_key": ("unauthorized", "not_found"),
        "error_prefix": ("OPENAPI_", "OAUTH_OPENAPI_"),
        "short_sign": ("negative", "positive"),
        "second_stream": ("resource_exhausted", "event"),
    }
    POSITIVE: ClassVar[frozenset[str]] = frozenset({"page_size"})

    token_check: bool = False
    auto_approve: bool = False
    nonce_once: bool = True
    clock_skew_seconds: float = 300.0
    rate_limits: bool = True
    unsigned: str = "sandbox"
    unknown_key: str = "unauthorized"
    error_prefix: str = "OPENAPI_"
    history_lag_seconds: float = 1.0
    page_size: int = 100
    short_sign: str = "negative"
    event_order_id: bool = False
    second_stream: str = "resource_exhausted"
    ping_seconds: float = 20.0
    option_market_orders: bool = True
    market_data: bool = True
    futures_streaming: bool = False
    grab_required: bool = False
    fees: bool = True
