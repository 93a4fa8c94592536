"""Every venue we speak to: one line each in `VENUES`; those of `COMING` are shown and cannot be connected."""

from __future__ import annotations

from brokers.ninjatrader.venue import VENUE as NINJATRADER
from brokers.paper.venue import VENUE as PAPER
from brokers.projectx.venue import VENUE as PROJECTX
from brokers.tradovate.venue import VENUE as TRADOVATE
from brokers.venue import ComingVenue, Venue
from brokers.webull.venue import VENUE as WEBULL

VENUES: dict[str, Venue] = {
    "tradovate": TRADOVATE,
    "ninjatrader": NINJATRADER,
    "projectx": PROJECTX,
    "webull": WEBULL,
    "paper": PAPER,
}
COMING: dict[str, ComingVenue] = {
    "rithmic": ComingVenue(
        label="Rithmic",
        markets=("futures",),
        why="Its API is open only to software that has passed Rithmic's own conformance test, which takes its time.",
    ),
}
