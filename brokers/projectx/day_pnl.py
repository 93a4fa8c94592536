"""What an account made today: the API has no field for it, so it is counted from half-turns and prices. Pure.

The day starts at 17:00 in Chicago, as Topstep's does (ProjectX wire facts, day P&L). All amounts are dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.projectx.types import Contract, Position, Trade
from brokers.sessions import session_start


@dataclass(frozen=True, slots=True)
class DayPnl:
    """`unrealized` and `total` are None while the price of something that is open is not known."""

    realized: Decimal
    unrealized: Decimal | None

    @property
    def total(self) -> Decimal | None:
        return None if self.unrealized is None else self.realized + self.unrealized


def day_pnl(
    trades: Iterable[Trade],
    positions: Iterable[Position],
    contracts: Mapping[str, Contract],
    last: Mapping[str, Decimal],
    now: datetime,
) -> DayPnl:
    """One account's day at `now`. `contracts` and `last`, the newest prices, are by contract id."""
    start = session_start(now)
    return DayPnl(realized(trade for trade in trades if trade.at >= start), unrealized(positions, contracts, last))


def realized(trades: Iterable[Trade]) -> Decimal:
    """What these half-turns made, after fees: one that opens has no profit, and costs its fees all the same."""
    counted = (trade for trade in trades if not trade.is_voided)
    return sum(((t.pnl or Decimal(0)) - t.fees - t.commissions for t in counted), Decimal(0))


def unrealized(
    positions: Iterable[Position], contracts: Mapping[str, Contract], last: Mapping[str, Decimal]
) -> Decimal | None:
    """What these positions would make at `last`; None when one has no price, average or tick that we know."""
    total = Decimal(0)
    for position in positions:
        contract, price = contracts.get(position.contract_id), last.get(position.contract_id)
        if position.net == 0:
            continue
        if contract is None or price is None or position.average is None or contract.tick == 0:
            return None
        total += (price - position.average) / contract.tick * contract.tick_value * position.net
    return total
