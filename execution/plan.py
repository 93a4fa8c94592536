"""P1: what one follower does about one alert. Pure.

Positions are signed whole contracts of the follower's own account. Position fields of the alert decide before its
action does: "sell, still long" is never a sell entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from brokers.base import Side
from brokers.instruments import Contract
from recorders.alert import Action, ParsedAlert
from traders import exits
from traders.settings import EffectiveSettings
from traders.sizing import SizeRefused, entry_quantity


class Meaning(StrEnum):
    GO_LONG = "go_long"
    GO_SHORT = "go_short"
    GO_FLAT = "go_flat"
    ADD = "add"
    PARTIAL_EXIT = "partial_exit"
    NOTHING = "nothing"
    INCONSISTENT = "inconsistent"


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One intent to be. `waits_for_exit` is set on an entry that may go only after the exit planned before it."""

    leg: str
    is_entry: bool
    side: Side
    qty: int
    target_distance: Decimal | None = None
    stop_distance: Decimal | None = None
    waits_for_exit: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing is to be done, and why: `code` for machines, `text` for the owner."""

    code: str
    text: str


Plan = tuple[PlannedLeg, ...] | Declined


def meaning_of(alert: ParsedAlert) -> Meaning:
    """What the alert wants the position to become (integration facts §1.5)."""
    if alert.position is None or alert.prev_position is None:
        return {Action.BUY: Meaning.GO_LONG, Action.SELL: Meaning.GO_SHORT, Action.CLOSE: Meaning.GO_FLAT}[alert.action]
    before, after = alert.prev_position, alert.position
    if not _is_consistent(alert, after - before):
        return Meaning.INCONSISTENT
    if after == before:
        return Meaning.NOTHING
    if after == 0:
        return Meaning.GO_FLAT
    if before == 0 or (before > 0) != (after > 0):
        return Meaning.GO_LONG if after > 0 else Meaning.GO_SHORT
    return Meaning.ADD if abs(after) > abs(before) else Meaning.PARTIAL_EXIT


def _is_consistent(alert: ParsedAlert, delta: Decimal) -> bool:
    """Whether the action points the way the position went. The quantity is not asked: positions are trusted over it."""
    if alert.action is Action.CLOSE or delta == 0:
        return True
    return (delta > 0) == (alert.action is Action.BUY)


_UNSERVED = {
    Meaning.NOTHING: Declined("NO_CHANGE", "the alert's position is the same before and after"),
    Meaning.INCONSISTENT: Declined("INCONSISTENT", "the alert's action and the way its position moved contradict"),
    Meaning.ADD: Declined("ADD_NOT_SERVED", "the alert adds to its position; adds are not followed yet"),
    Meaning.PARTIAL_EXIT: Declined(
        "PARTIAL_EXIT_NOT_SERVED", "the alert closes a part of its position; partial exits are not followed yet"
    ),
}


def plan(
    meaning: Meaning,
    *,
    alert_quantity: Decimal | None,
    settings: EffectiveSettings,
    position: int,
    contract: Contract,
) -> Plan:
    """The follower's legs in order, or why there are none. `position` includes what is already on its way."""
    if meaning in _UNSERVED:
        return _UNSERVED[meaning]
    held = Side.BUY if position > 0 else Side.SELL
    way_out = PlannedLeg("exit", is_entry=False, side=held.opposite, qty=abs(position))
    if meaning is Meaning.GO_FLAT:
        return (way_out,) if position != 0 else Declined("ALREADY_FLAT", f"holds no {contract.symbol} to close")
    side = Side.BUY if meaning is Meaning.GO_LONG else Side.SELL
    if position != 0 and held is side:
        return Declined("SAME_DIRECTION", f"already holds {position:+d} {contract.symbol}")
    try:
        quantity = entry_quantity(settings, alert_quantity)
    except SizeRefused as refused:
        # Half a reversal is still an exit: the old position must go even when the new one cannot be sized.
        return (way_out,) if position != 0 else Declined(refused.code, str(refused))
    way_in = PlannedLeg(
        leg="entry",
        is_entry=True,
        side=side,
        qty=quantity,
        target_distance=exits.target_distance(settings, contract.tick),
        stop_distance=exits.stop_distance(settings, contract.tick),
        waits_for_exit=position != 0,
    )
    return (way_out, way_in) if position != 0 else (way_in,)
