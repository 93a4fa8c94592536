"""What the day's limits count, held against what the broker has said in two looks with no fill between them.

Whatever a position was given up or adopted for, and whichever fill of it came late or never: what is watched is what is
there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Sum

from brokers.base import OrderStatus, Side
from execution.guard.rebase import rebase
from execution.models import BrokerPosition, Fill, Order
from justtrades import clock
from risk.models import AccountDay

UNTOLD_FOR = timedelta(seconds=90)
"""Each minute's look at the broker's books brings the fills that were lost."""


def count_what_is_there(settled: Iterable[tuple[BrokerPosition, int]]) -> int:
    """Correct the days that count another quantity; how many contracts.

    `settled` are rows as they were before this look, with what it says now, where nothing is in question or under way.
    """
    said = {(row.account_id, row.symbol): row for row, theirs in settled if _is_said_again(row, theirs)}
    counted = _counted({account_id for account_id, _ in said}) if said else {}
    wrong = [
        row
        for (account_id, symbol), row in said.items()
        if account_id in counted and counted[account_id][symbol] != row.settled_qty and not _has_traded(row)
    ]
    for row in wrong:
        rebase(row.account_id, row.symbol, row.settled_qty, None if row.settled_qty == 0 else row.avg_price)
    return len(wrong)


def owes_fills(account_id: UUID, symbol: str) -> bool:
    """Whether the broker has just called an order of ours filled and not told all its fills: they count when they come,
    and a day that was corrected without them would count them twice.
    """
    filled = Order.objects.filter(
        account_id=account_id, symbol=symbol, status=OrderStatus.FILLED.value, filled_qty__lt=F("qty"),
        updated_at__gt=clock.now() - UNTOLD_FOR,
    )  # fmt: skip
    return filled.exclude(trader=None, intent=None).exists()


def _is_said_again(row: BrokerPosition, theirs: int) -> bool:
    return row.settled_at is not None and row.settled_qty == theirs


def _has_traded(row: BrokerPosition) -> bool:
    """Positions are read before fills: a look may know of a fill and not yet of what it opened."""
    since = Fill.objects.filter(account_id=row.account_id, symbol=row.symbol, stored_at__gt=row.settled_at)
    return since.exists()


def _counted(account_ids: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """Signed contracts of each account that is in a trading day, as its limits count them."""
    now = clock.now()
    found: dict[UUID, Counter[str]] = {}
    windows: dict[tuple[datetime, datetime], list[UUID]] = defaultdict(list)
    for day in AccountDay.objects.filter(account__in=account_ids, starts_at__lte=now, ends_at__gt=now):
        found[day.account_id] = Counter({symbol: int(net) for symbol, (net, _) in day.start_holdings.items()})
        windows[day.starts_at, day.ends_at].append(day.account_id)
    for (begin, end), accounts in windows.items():
        fills = Fill.objects.filter(account_id__in=accounts, filled_at__gte=begin, filled_at__lt=end).order_by()
        for account_id, symbol, side, qty in fills.values_list("account_id", "symbol", "side").annotate(Sum("qty")):
            found[account_id][symbol] += Side(side).sign * qty
    return found
