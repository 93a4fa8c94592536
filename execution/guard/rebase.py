"""When an account turns out to hold another quantity than its fills say, its day is counted from that."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from brokers.base import Side
from execution.guard.opening import holdings_document, holdings_of
from execution.models import Fill
from justtrades import clock
from risk.models import AccountDay
from risk.pnl import Holding, after_fill

POINTS = Decimal(1)
TRIES = 3
"""Somebody else may be correcting another contract of the account at the same time."""


def rebase(account_id: UUID, symbol: str, net_qty: int, avg_price: Decimal | None) -> None:
    """Let the day's fills end at `net_qty` signed contracts: what they do not explain was held when it began.

    What the day has won so far stays won. `avg_price`, in points, is what the contracts that are held were opened at;
    where none are, what the last ones were closed at. None: our own average, which leaves the result as it is. The
    monitor reads it within a second.
    """
    now = clock.now()
    for _ in range(TRIES):
        day = AccountDay.objects.filter(account=account_id, starts_at__lte=now, ends_at__gt=now).first()
        if day is None:
            return
        start = holdings_of(day.start_holdings)
        began = start.get(symbol, Holding())
        held = _after_fills(day, symbol, began)
        if held.net_qty == net_qty:
            return
        start[symbol] = _start(began, held, net_qty, avg_price)
        same = AccountDay.objects.filter(pk=day.pk, start_holdings=day.start_holdings)
        if same.update(start_holdings=holdings_document(start)):
            return


def _after_fills(day: AccountDay, symbol: str, held: Holding) -> Holding:
    """One whose price the venue still owes counts as one at the average: it will be there, and has won nothing yet."""
    fills = Fill.objects.filter(
        account=day.account_id, symbol=symbol, filled_at__gte=day.starts_at, filled_at__lt=day.ends_at
    )
    rows = fills.order_by("filled_at", "broker_fill_id").values_list("side", "qty", "price")
    for side, qty, price in rows:
        known = held.avg_price if price is None else price
        if known is None:
            held = replace(held, net_qty=held.net_qty + Side(side).sign * qty)
        else:
            held = after_fill(held, Side(side), qty, known, POINTS)
    return held


def _start(began: Holding, held: Holding, net_qty: int, avg_price: Decimal | None) -> Holding:
    """What has to be held at the beginning, and at what price, so that the fills end right.

    A day's result is what is held at its end less what was paid for it, whatever the order of the fills: so the price
    follows from what is paid for the contracts that the fills lack.
    """
    qty = began.net_qty + net_qty - held.net_qty
    average = held.avg_price if avg_price is None else avg_price
    if qty == 0 or average is None:
        return Holding(qty, average)
    if net_qty == 0:
        paid = -held.net_qty * average
    else:
        paid = net_qty * average - held.net_qty * (average if held.avg_price is None else held.avg_price)
    before = average if began.avg_price is None else began.avg_price
    return Holding(qty, (began.net_qty * before + paid) / qty)
