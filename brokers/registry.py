"""Every venue we speak to: one line each in `VENUES`."""

from __future__ import annotations

from brokers.tradovate.venue import VENUE as TRADOVATE
from brokers.venue import Venue

VENUES: dict[str, Venue] = {
    "tradovate": TRADOVATE,
}
