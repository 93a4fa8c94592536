"""How many contracts an entry is for. Pure."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from traders.settings import EffectiveSettings


class SizeRefused(ValueError):
    """No size can be made of these settings and this alert; `code` for machines, the message with had and limit."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def entry_quantity(settings: EffectiveSettings, alert_quantity: Decimal | None) -> int:
    """Whole contracts: the trader's size (0 means the alert's own quantity) times the multiplier, rounded down.

    Raises `SizeRefused` when that gives no whole contract, or more than the trader's limit: rounding up would take
    more risk than was asked for, and cutting down would leave the account smaller than its owner believes.
    """
    base = Decimal(settings.initial_position_size)
    if settings.initial_position_size == 0:
        if alert_quantity is None:
            raise SizeRefused("QUANTITY_MISSING", "initial_position_size is 0 and the alert states no quantity")
        base = alert_quantity
    size = int((base * settings.multiplier).to_integral_value(ROUND_FLOOR))
    if size < 1:
        raise SizeRefused("SIZE_BELOW_ONE", f"size: had {base} x {settings.multiplier}, limit 1 whole contract")
    if size > settings.max_contracts:
        raise SizeRefused("SIZE_ABOVE_LIMIT", f"size: had {size}, limit {settings.max_contracts} (max_contracts)")
    return size
