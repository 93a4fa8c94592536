"""What an account held before anybody counted it: its day may begin before its broker has told us anything."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from execution.guard.rebase import rebase
from execution.models import BrokerPosition, Fill, Reconciliation


def untold(account_ids: Collection[UUID]) -> set[UUID]:
    """Those of them whose broker's books were never compared with ours: what they hold is not known."""
    told = Reconciliation.objects.filter(account__in=account_ids, compared_at__isnull=False)
    return set(account_ids) - set(told.values_list("account_id", flat=True))


def count_first_words(account_ids: Collection[UUID]) -> None:
    """Let the days of these accounts count what their brokers have told that they hold.

    Of a contract that has been traded since then the next looks tell: see `execution.reconcile.counted`. Fills of the
    same look are stored later than its positions; it is when they happened that counts.
    """
    for position in BrokerPosition.objects.filter(account__in=account_ids):
        newer = Fill.objects.filter(
            account=position.account_id, symbol=position.symbol, filled_at__gt=position.reported_at
        )
        if not newer.exists():
            rebase(position.account_id, position.symbol, position.net_qty, position.avg_price)
