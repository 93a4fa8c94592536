"""What exits some settings come to, for positions of one contract to ten. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from brokers.base import Side
from brokers.instruments import contract_of
from recorders.settings import Settings
from traders.exits import leg_prices, leg_sizes, template_of

SIZES = range(1, 11)


@dataclass(frozen=True, slots=True)
class PreviewLeg:
    """Contracts that leave together. A price of None: nothing is placed there."""

    contracts: int
    target_price: Decimal | None
    stop_price: Decimal | None


@dataclass(frozen=True, slots=True)
class PreviewSize:
    """A position of `size` contracts; its legs sum to it, targets first and last what no target closes."""

    size: int
    legs: tuple[PreviewLeg, ...]


def preview_legs(
    settings: Settings, ticker: str, side: Side, price: Decimal, multiplier: Decimal = Decimal(1)
) -> list[PreviewSize]:
    """The exits of a position that `side` opened at `price`; `multiplier` is the trader's, for trims in contracts.

    Raises `UnknownTicker`.
    """
    contract = contract_of(ticker)
    template = template_of(settings, contract, multiplier)
    prices = leg_prices(template, side, price, contract, at_break_even=False)
    targets: tuple[Decimal | None, ...] = (*prices.targets, None)
    return [
        PreviewSize(
            size,
            tuple(
                PreviewLeg(contracts, target, prices.stop)
                for target, contracts in zip(targets, leg_sizes(template, size), strict=True)
                if contracts > 0
            ),
        )
        for size in SIZES
    ]
