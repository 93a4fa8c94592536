"""When two alerts are the same alert.

TradingView resends identical bytes, 5 s apart, up to four sends (TradingView help 43000735201), and gives no delivery
id. A body that carries its own fire time can never come again by right, so its hash is the key for ever. A body
without one may be the next real signal, so its key holds for `WEAK_WINDOW_S` only.

A window cannot be a unique constraint, two shifted grids of time can: two bodies in one cell of either grid are less
than a window apart, and two that arrive at the same moment share a cell of at least one. The insert's own look-back
(see `recorders.receive`) closes the rest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

WEAK_WINDOW_S = 30


@dataclass(frozen=True, slots=True)
class ResendKeys:
    body_hash: str
    key: str
    offset_key: str
    is_weak: bool


def resend_keys(recorder_id: UUID, body: bytes, received_at: datetime, *, has_fire_time: bool) -> ResendKeys:
    body_hash = hashlib.sha256(recorder_id.bytes + b"|" + body).hexdigest()
    if has_fire_time:
        return ResendKeys(body_hash, body_hash, body_hash, is_weak=False)
    seconds = received_at.timestamp()
    cell = int(seconds // WEAK_WINDOW_S)
    offset_cell = int((seconds + WEAK_WINDOW_S / 2) // WEAK_WINDOW_S)
    return ResendKeys(body_hash, f"{body_hash}:{cell}", f"{body_hash}:{offset_cell}+", is_weak=True)
