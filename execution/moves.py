"""What an alert wants a position to become, before any follower is looked at. Pure.

Position fields decide before the action does: "sell 1, still long 2" is a partial exit, never a sell entry
(integration facts §1.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from brokers.base import Side
from recorders.alert import EXITS, Action, ParsedAlert


class MoveKind(StrEnum):
    """`TO` goes from one stated position to another; the others are orders without positions."""

    TO = "to"
    ENTER = "enter"
    REDUCE = "reduce"
    FLATTEN = "flatten"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Move:
    """`before` and `after` are the strategy's signed positions (TO). `side` is what an ENTER buys or sells, what a
    REDUCE takes from, and which side alone a FLATTEN closes (None: either). `quantity` is as the alert states it.
    `is_summary`: it repeats what was told in parts and in the wrong order.
    """

    kind: MoveKind
    side: Side | None = None
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    quantity: Decimal | None = None
    is_summary: bool = False

    @property
    def only_reduces(self) -> bool:
        """Whether nobody adds exposure because of it."""
        if self.kind is not MoveKind.TO:
            return self.kind is not MoveKind.ENTER
        return self.after == 0 or (self.before * self.after > 0 and abs(self.after) < abs(self.before))


@dataclass(frozen=True, slots=True)
class Inconsistent:
    """The alert contradicts itself and is not acted on."""

    text: str


def stated_positions(alert: ParsedAlert, tip: Decimal | None) -> tuple[Decimal, Decimal] | Inconsistent | None:
    """The strategy's position before and after the alert's order, None when the alert does not say.

    An alert that says only where it stands after counts from `tip`, where it stood last; where its action could not
    have led from there, and where nothing is known, it counts from its own quantity.
    """
    if alert.position is None:
        return None
    if alert.prev_position is not None:
        return alert.prev_position, alert.position
    if tip is not None and _may_lead(alert.action, tip, alert.position):
        return tip, alert.position
    before = alert.position - _signed_quantity(alert)
    if _may_lead(alert.action, before, alert.position):
        return before, alert.position
    return Inconsistent(f"action: had {alert.action}, and the position after it is {_plain(alert.position)}")


def _may_lead(action: Action, before: Decimal, after: Decimal) -> bool:
    """Whether an order of this kind can go from one position to the other; a close can only make it smaller."""
    if action in EXITS:
        return before * after >= 0 and abs(after) <= abs(before)
    return after == before or (after > before) == (action is Action.BUY)


def check_consistency(alert: ParsedAlert) -> Inconsistent | None:
    """Whether action and quantity are what the stated positions need; positions before and after must both be given.

    Senders exist that state one contract for a flip from one side to the other, so a flip may state either part.
    A close can never open.
    """
    before, after = alert.prev_position, alert.position
    if before is None or after is None:
        return None
    delta = after - before
    if alert.action in EXITS and (before * after < 0 or abs(after) > abs(before)):
        return Inconsistent(
            f"action: had {alert.action}, and the position went from {_plain(before)} to {_plain(after)}"
        )
    says = {Action.BUY: 1, Action.SELL: -1}.get(alert.action)
    if says is not None and delta != 0 and (delta > 0) != (says > 0):
        return Inconsistent(
            f"action: had {alert.action}, and the position went from {_plain(before)} to {_plain(after)}"
        )
    if says is None or alert.quantity is None or delta == 0:
        return None
    allowed = {abs(delta)}
    if before * after < 0:
        allowed |= {abs(before), abs(after)}
    if alert.quantity in allowed:
        return None
    went = f"from {_plain(before)} to {_plain(after)}"
    return Inconsistent(f"contracts: had {_plain(alert.quantity)}, and the position went {went}")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def bare_move(alert: ParsedAlert) -> Move:
    """The move of an alert that states no positions, or only the side on which it now stands."""
    if alert.action is Action.CANCEL:
        return Move(MoveKind.CANCEL)
    closes = {Action.CLOSE: None, Action.CLOSE_LONG: Side.BUY, Action.CLOSE_SHORT: Side.SELL}
    if alert.action in closes:
        return Move(MoveKind.FLATTEN, closes[alert.action])
    if alert.position_side == 0:
        return Move(MoveKind.FLATTEN)
    side = Side(alert.action.value)
    if alert.position_side is not None and alert.position_side != side.sign:
        return Move(MoveKind.REDUCE, side.opposite, quantity=alert.quantity)
    return Move(MoveKind.ENTER, side, quantity=alert.quantity)


def inverse(move: Move) -> Move:
    """The same with long and short exchanged."""
    side = move.side.opposite if move.side is not None else None
    return replace(move, side=side, before=-move.before, after=-move.after)


def _signed_quantity(alert: ParsedAlert) -> Decimal:
    quantity = Decimal(0) if alert.quantity is None else alert.quantity
    if alert.action in EXITS and alert.position is not None:
        # From which side it closed everything is not said.
        return -quantity if alert.position > 0 else quantity if alert.position < 0 else Decimal(0)
    return {Action.BUY: quantity, Action.SELL: -quantity}.get(alert.action, Decimal(0))
