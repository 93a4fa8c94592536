"""Followers in the middle of a signal, for tests of what is decided about them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from brokers.base import Side
from brokers.instruments import Contract, resolve
from execution.moves import Move, MoveKind
from execution.plan import Case, Decision
from recorders.settings import read_settings
from traders.gates import Facts
from traders.settings import EffectiveSettings, Route

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)
CHICAGO = "America/Chicago"
MNQ, NQ, CL, GC, YEN, NOTE = (resolve(root, DAY) for root in ("MNQ", "NQ", "CL", "GC", "6J", "ZN"))
FOLLOWS = {"initial_position_size": 0, "add_position_size": 0}


def effective(multiplier: str | Decimal = "1", max_contracts: int | None = None, **fields: Any) -> EffectiveSettings:
    return EffectiveSettings(read_settings(fields), Route(Decimal(multiplier), max_contracts))


def facts(**given: Any) -> Facts:
    return Facts(**{"now": NOW, "zone": CHICAGO, **given})


def case(
    own: int = 0,
    *,
    contract: Contract = MNQ,
    multiplier: str | Decimal = "1",
    max_contracts: int | None = None,
    case: dict[str, Any] | None = None,
    **fields: Any,
) -> Case:
    """A follower who holds `own`; `case` are further fields of its `Case`, the others are settings."""
    given = {"facts": facts(), "price": Decimal(25_000), **(case or {})}
    return Case(effective=effective(multiplier, max_contracts, **fields), contract=contract, own=own, **given)


def to(before: float | str, after: float | str) -> Move:
    return Move(MoveKind.TO, before=Decimal(before), after=Decimal(after))


def buy(quantity: int | None = None) -> Move:
    return Move(MoveKind.ENTER, Side.BUY, quantity=None if quantity is None else Decimal(quantity))


def sell(quantity: int | None = None) -> Move:
    return Move(MoveKind.ENTER, Side.SELL, quantity=None if quantity is None else Decimal(quantity))


def flatten(side: Side | None = None) -> Move:
    return Move(MoveKind.FLATTEN, side)


def take(side: Side, quantity: int | None) -> Move:
    """A partial exit of a position on `side`."""
    return Move(MoveKind.REDUCE, side, quantity=None if quantity is None else Decimal(quantity))


def shown(decision: Decision) -> str:
    """`exit sell 2, entry sell 1 | CODE`."""
    legs = ", ".join(f"{leg.leg} {leg.side} {leg.qty}" for leg in decision.legs)
    return " | ".join(part for part in (legs, decision.declined.code if decision.declined else "") if part)


def targets(*rows: tuple[int | str, int | str | None], unit: str = "ticks", trim: str = "percent") -> list[Any]:
    return [{"distance": distance, "unit": unit, "trim": share, "trim_unit": trim} for distance, share in rows]


def after_all(own: int, decision: Decision) -> int:
    """What is held once everything that was decided has filled."""
    return own + sum(leg.side.sign * leg.qty for leg in decision.legs)


def total(sizes: Sequence[int]) -> int:
    return sum(sizes)
