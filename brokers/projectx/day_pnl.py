"""What an account made today: the API has no field for it, so it is counted from half-turns and prices. Pure.

The day starts at 17:00 in Chicago, as Topstep's does (ProjectX wire facts, day P&L); a weekend or a holiday belongs to
the trading day after it. All amounts are dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.projectx.types import Contract, Position, Trade
from brokers.sessions import session_of


@dataclass(frozen=True, slots=True)
class DayPnl:
    """Before `fees`. `unrealized` and `total` are None while the price of something that is open is not known."""

    realized: Decimal
    unrealized: Decimal | None
    fees: Decimal = Decimal(0)

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
    start = session_of(now).start
    counted = [trade for trade in trades if trade.at >= start and not trade.is_voided]
    # A half-turn that opens has no profit, and costs its fees all the same.
    realized = sum((trade.pnl for trade in counted if trade.pnl is not None), Decimal(0))
    fees = sum((trade.fees + trade.commissions for trade in counted), Decimal(0))
    return DayPnl(realized, unrealized(positions, contracts, last), fees)


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
