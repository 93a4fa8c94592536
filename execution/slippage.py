"""How far an entry filled from the price that its alert named. Pure: points in, ticks and dollars out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from brokers.base import Side
from brokers.instruments import Contract, Product

PricedFill = tuple[int, Decimal]
"""Contracts and the price of one of them."""


@dataclass(frozen=True, slots=True)
class Slippage:
    """Positive is worse for the trader. `ticks` are per contract, `dollars` of all `contracts` together."""

    reference: Decimal
    average: Decimal
    contracts: int
    ticks: Decimal
    dollars: Decimal


def speaks_of(alerted: Product, traded: Product) -> bool:
    """Whether a price of the one is a price of the other: NQ and MNQ are quoted alike, NQ and ES are not."""
    return alerted.family == traded.family


def slippage_of(side: Side, reference: Decimal, fills: Iterable[PricedFill], contract: Contract) -> Slippage | None:
    """None while nothing has filled. The average and the reference need not lie on a tick, so ticks may be parts."""
    known = [(qty, price) for qty, price in fills if qty > 0]
    contracts = sum(qty for qty, _ in known)
    if contracts == 0:
        return None
    paid = sum((price * qty for qty, price in known), Decimal(0))
    # Not by way of the average: what it loses in rounding must not show up in the money.
    worse = (paid - reference * contracts) * side.sign
    return Slippage(
        reference=reference,
        average=paid / contracts,
        contracts=contracts,
        ticks=worse / contracts / contract.tick,
        dollars=worse * contract.point_value,
    )
