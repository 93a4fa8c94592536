"""EffectiveSettings: trader override over recorder, resolved when the signal comes. Pure.

None as an override means inherit; 0 means 0. Sizes are contracts, distances are ticks.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    initial_position_size: int
    target_ticks: int
    stop_ticks: int


@dataclass(frozen=True, slots=True)
class TraderOverrides:
    multiplier: Decimal
    max_contracts: int
    initial_position_size: int | None = None
    target_ticks: int | None = None
    stop_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    initial_position_size: int
    multiplier: Decimal
    max_contracts: int
    target_ticks: int
    stop_ticks: int


def resolve(recorder: RecorderSettings, trader: TraderOverrides) -> EffectiveSettings:
    return EffectiveSettings(
        initial_position_size=_either(trader.initial_position_size, recorder.initial_position_size),
        multiplier=trader.multiplier,
        max_contracts=trader.max_contracts,
        target_ticks=_either(trader.target_ticks, recorder.target_ticks),
        stop_ticks=_either(trader.stop_ticks, recorder.stop_ticks),
    )


def _either(override: Value | None, inherited: Value) -> Value:
    return inherited if override is None else override
