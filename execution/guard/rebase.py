"""When a person says what an account really holds, its day is counted from that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from brokers.base import Side
from execution.guard.days import executions
from justtrades import clock
from risk.models import AccountDay


def rebase(account_id: UUID, symbol: str, net_qty: int, avg_price: Decimal | None) -> None:
    """Let the day's fills end at `net_qty` signed contracts: what they do not explain was held when it began.

    `avg_price`, in points, is the broker's, the best that is known of it. The monitor reads it within a second.
    """
    now = clock.now()
    day = AccountDay.objects.filter(account=account_id, starts_at__lte=now, ends_at__gt=now).first()
    if day is None:
        return
    fills = executions([account_id], day.starts_at)[account_id]
    traded = sum(Side(one.side).sign * one.qty for one in fills if one.symbol == symbol)
    start: dict[str, Any] = {name: held for name, held in day.start_holdings.items() if name != symbol}
    if net_qty != traded:
        start[symbol] = [net_qty - traded, None if avg_price is None else str(avg_price)]
    AccountDay.objects.filter(pk=day.pk).update(start_holdings=start)
