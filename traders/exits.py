"""From an exit template to distances at the broker. Pure; distances are positive price points from the fill."""

from __future__ import annotations

from decimal import Decimal

from traders.settings import EffectiveSettings


def target_distance(settings: EffectiveSettings, tick: Decimal) -> Decimal | None:
    """None when the target is 0: nothing is placed."""
    return settings.target_ticks * tick if settings.target_ticks > 0 else None


def stop_distance(settings: EffectiveSettings, tick: Decimal) -> Decimal | None:
    """None when the stop is 0: nothing is placed."""
    return settings.stop_ticks * tick if settings.stop_ticks > 0 else None
