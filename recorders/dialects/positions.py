"""Where the strategy stood before its order and stands after it, as signed contracts where that can be known.

TradingView gives sides (`{{strategy.market_position}}`: long, short, flat), sizes without a sign
(`{{strategy.market_position_size}}`) and one size with a sign (`{{strategy.position_size}}`, negative for short), and
templates put any of them under any of the names (integration facts §1.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from recorders import fields
from recorders.alert import Action, Refusal
from recorders.dialects.words import side_of
from recorders.fields import Fields

Aliases = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """`signed` are the sizes that are known to be written with their sign, so that a bare one is long."""

    side: Aliases = ("position", "market_position")
    size: Aliases = ("position_size", "market_position_size")
    prev_side: Aliases = ("prev_position", "prev_market_position")
    prev_size: Aliases = ("prev_position_size", "prev_market_position_size")
    signed: Aliases = ()


@dataclass(frozen=True, slots=True)
class Stand:
    """`side` is the sign of the position afterwards where the alert names it without a size."""

    after: Decimal | None = None
    before: Decimal | None = None
    side: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """One of the two: `size` is negative only if the alert writes sizes with their sign."""

    side: int | None
    size: Decimal | None
    name: str
    is_signed: bool

    @property
    def signed(self) -> Decimal | None:
        """None unless side and size are both known; no size is needed where the side is flat."""
        if self.side == 0 or self.size == 0:
            return Decimal(0)
        if self.size is None or (self.side is None and self.size > 0 and not self.is_signed):
            return None
        if self.side is None or self.size > 0:
            return self.size * (self.side or 1)
        if self.side > 0:
            raise Refusal("QUANTITY_NEGATIVE", f"{self.name}: had {self.size} for a long position, limit 0")
        return self.size

    @property
    def candidates(self) -> tuple[Decimal, ...]:
        """What the signed position may be, the likelier one first; none where even its size is unknown."""
        if self.signed is not None:
            return (self.signed,)
        return (self.size, -self.size) if self.size is not None else ()


def read(alert: Fields, names: Names, action: Action | None, contracts: Decimal | None) -> Stand:
    """`action` and `contracts` tell which side a size is on that stands alone. Raises `Refusal` naming the field."""
    after = _place(alert, names.side, names.size, names.signed)
    before = _place(alert, names.prev_side, names.prev_size, names.signed)
    now, then = after.signed, before.signed
    if now is None or then is None:
        now, then = _deduced(after, before, action, contracts) or (now, then)
    return Stand(now, then, after.side if after.size is None else None)


def action_of(stand: Stand) -> Action | None:
    """What an alert that names no action asks for: the way its position moved, or where it stands."""
    if stand.after is None:
        return {1: Action.BUY, -1: Action.SELL, None: None}[stand.side]
    if stand.after == 0:
        return Action.CLOSE
    moved = stand.after - (stand.before or 0)
    if moved == 0:
        return None
    return Action.BUY if moved > 0 else Action.SELL


def _place(alert: Fields, side_names: Aliases, size_names: Aliases, signed: Aliases) -> _Place:
    name, word = fields.first_stated(alert, side_names)
    size_name = fields.first_stated(alert, size_names)[0]
    if isinstance(word, str):
        fields.refuse_bad_text(name, word)
    if word is not None and not (isinstance(word, str) and not _is_number(word)):
        # A number in the side's place is `{{strategy.position_size}}`.
        return _Place(None, fields.size_if_any(alert, name), name, is_signed=True)
    side = side_of(name, word) if word is not None else None
    return _Place(side, fields.size_if_any(alert, *size_names), size_name, is_signed=size_name in signed)


def _is_number(word: str) -> bool:
    return word.strip().lstrip("+-")[:1].isdigit()


def _deduced(
    after: _Place, before: _Place, action: Action | None, contracts: Decimal | None
) -> tuple[Decimal, Decimal] | None:
    """Sizes without a side: a buy raises the position and a sell lowers it, by the contracts of the order.

    Where that leaves two ways, the position has stayed on its side. Where nothing says which way it went, both sizes
    are read as `{{strategy.position_size}}`, which has its sign.
    """
    pairs = list(product(after.candidates, before.candidates))
    if not pairs:
        return None
    if action is None or any(size is not None and size < 0 for size in (after.size, before.size)):
        return pairs[0] if after.side is None and before.side is None else None
    fitting = [pair for pair in pairs if pair[0] != pair[1] and (pair[0] > pair[1]) == (action is Action.BUY)]
    exact = [pair for pair in fitting if abs(pair[0] - pair[1]) == contracts]
    staying = [pair for pair in fitting if pair[0] * pair[1] >= 0]
    return next((found[0] for found in (exact, fitting, staying) if len(found) == 1), None)
