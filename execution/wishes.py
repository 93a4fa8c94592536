"""What one follower wants to become because of a move, given what it holds itself. Pure.

Each follower applies the move to its own position: a partial exit takes its own share, a close can never open, and
what the follower does not hold cannot be reduced.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from brokers.base import Side
from execution.moves import Move, MoveKind
from recorders.setting_types import OppositeDirection, SameDirection
from traders import sizing
from traders.settings import EffectiveSettings
from traders.sizing import Worth


class Act(StrEnum):
    NOTHING = "nothing"
    CANCEL = "cancel"
    EXIT = "exit"
    REDUCE = "reduce"
    ENTER = "enter"
    ADD = "add"
    REVERSE = "reverse"
    RE_ENTER = "re_enter"


OPENING = frozenset({Act.ENTER, Act.ADD, Act.REVERSE, Act.RE_ENTER})


@dataclass(frozen=True, slots=True)
class Wish:
    """`stated` are the strategy's contracts that the size comes from: the whole entry, or what an add adds.

    `left` is what a REDUCE leaves (unsigned). `code` and `text` say why there is nothing to do.
    """

    act: Act
    side: Side | None = None
    stated: Decimal | None = None
    whole: Decimal | None = None
    left: int = 0
    code: str = ""
    text: str = ""


def wish_of(move: Move, own: int, effective: EffectiveSettings, worth: Worth) -> Wish:
    """`own` is what the follower holds, signed, with all that is under way done."""
    if move.kind is MoveKind.CANCEL:
        return Wish(Act.CANCEL)
    if move.kind is MoveKind.FLATTEN:
        return _flatten(move.side, own)
    if move.kind is MoveKind.REDUCE:
        return _reduce_by(move, own, effective, worth)
    if move.kind is MoveKind.ENTER and move.side is not None:
        return _enter(move.side, own, effective, stated=move.quantity)
    return _go_to(move, own, effective, worth)


def _flatten(side: Side | None, own: int) -> Wish:
    if own == 0:
        return _nothing("ALREADY_FLAT", "there is no position to close")
    if side is not None and _side_of(own) is not side:
        return _nothing("OTHER_SIDE", f"closes {_name(side)} positions, and {own:+d} is held")
    return Wish(Act.EXIT)


def _enter(side: Side, own: int, effective: EffectiveSettings, stated: Decimal | None) -> Wish:
    """A bare entry signal: nothing is known of the strategy's position."""
    if own == 0:
        return Wish(Act.ENTER, side, stated)
    if effective.settings.signal_blocking:
        return _nothing("SIGNAL_BLOCKING", f"holds {own:+d}, and no entry counts while a position is open")
    if _side_of(own) is not side:
        return _opposite(side, own, effective, stated)
    rule = effective.settings.same_direction
    if rule is SameDirection.RE_ENTER:
        return Wish(Act.RE_ENTER, side, stated)
    if rule is SameDirection.ADD:
        return Wish(Act.ADD, side, stated)
    return _nothing("SAME_DIRECTION", f"already holds {own:+d}, same direction: {rule.value}")


def _opposite(side: Side, own: int, effective: EffectiveSettings, stated: Decimal | None) -> Wish:
    rule = effective.settings.opposite_direction
    is_dca = effective.settings.same_direction is SameDirection.ADD
    if rule is OppositeDirection.IGNORE or (rule is OppositeDirection.BLOCK_WHILE_DCA and is_dca):
        return _nothing("OPPOSITE_DIRECTION", f"holds {own:+d}, opposite direction: {rule.value}")
    return Wish(Act.REVERSE, side, stated)


def _go_to(move: Move, own: int, effective: EffectiveSettings, worth: Worth) -> Wish:
    """The strategy went from one stated position to another."""
    before, after = move.before, move.after
    # A size that is not the strategy's own cannot tell how much of a summary is done: only an entry that nobody made.
    is_done = move.is_summary and not sizing.follows_alert(effective) and (own != 0 or before != 0)
    if after == before or is_done:
        return _nothing("NO_CHANGE", f"the strategy stands at {after.normalize():f}, as it did before this alert")
    if after == 0:
        return _flatten(None, own)
    side = Side.BUY if after > 0 else Side.SELL
    if before * after > 0 and abs(after) < abs(before):
        return _reduce_to(move, own, effective, worth)
    return _grow(move, own, side, effective)


def _grow(move: Move, own: int, side: Side, effective: EffectiveSettings) -> Wish:
    """The strategy entered, added or turned around."""
    whole = abs(move.after)
    if own == 0:
        return Wish(Act.ENTER, side, whole, whole)
    if effective.settings.signal_blocking:
        return _nothing("SIGNAL_BLOCKING", f"holds {own:+d}, and no entry counts while a position is open")
    if _side_of(own) is not side:
        wish = _opposite(side, own, effective, whole)
        return wish if wish.act is Act.NOTHING else Wish(wish.act, side, whole, whole)
    return _add(move, own, side, effective)


def _add(move: Move, own: int, side: Side, effective: EffectiveSettings) -> Wish:
    rule, whole = effective.settings.same_direction, abs(move.after)
    is_entry = move.before * move.after <= 0
    if rule is SameDirection.RE_ENTER:
        return Wish(Act.RE_ENTER, side, whole, whole)
    if rule is SameDirection.IGNORE:
        return _nothing("SAME_DIRECTION", f"already holds {own:+d}, same direction: {rule.value}")
    if is_entry and rule is SameDirection.FOLLOW and not sizing.follows_alert(effective):
        return _nothing("SAME_DIRECTION", f"already holds {own:+d} when the strategy enters")
    return Wish(Act.ADD, side, whole if is_entry else whole - abs(move.before), whole)


def _reduce_to(move: Move, own: int, effective: EffectiveSettings, worth: Worth) -> Wish:
    side = Side.BUY if move.after > 0 else Side.SELL
    if own == 0 or _side_of(own) is not side:
        return _nothing("NOT_IN_POSITION", f"a partial exit of a {_name(side)} position, and {own:+d} is held")
    held = abs(own)
    if sizing.follows_alert(effective):
        cap = sizing.limited(effective, sizing.scaled_position(effective, abs(move.after), worth), 0)
        left = min(held, cap.contracts if cap.limit != "max_contracts_per_trade" else cap.asked)
    else:
        left = sizing.left_of_share(held, abs(move.before), abs(move.after))
    return _leave(left, own)


def _reduce_by(move: Move, own: int, effective: EffectiveSettings, worth: Worth) -> Wish:
    """A partial exit of a stated quantity, by a strategy that stays in: at least one contract stays, too."""
    if own == 0 or _side_of(own) is not move.side:
        return _nothing("NOT_IN_POSITION", f"a partial exit, and {own:+d} is held")
    if move.quantity is None:
        return _nothing("QUANTITY_MISSING", "a partial exit needs the alert's quantity")
    taken = sizing.scaled_position(effective, move.quantity, worth)
    return _leave(max(1, abs(own) - taken), own)


def _leave(left: int, own: int) -> Wish:
    if left >= abs(own):
        return _nothing("SHARE_BELOW_ONE", f"the share of {own:+d} to close is less than one contract")
    return Wish(Act.EXIT) if left == 0 else Wish(Act.REDUCE, _side_of(own), left=left)


def _nothing(code: str, text: str) -> Wish:
    return Wish(Act.NOTHING, code=code, text=text)


def _side_of(own: int) -> Side:
    return Side.BUY if own > 0 else Side.SELL


def _name(side: Side) -> str:
    return "long" if side is Side.BUY else "short"
