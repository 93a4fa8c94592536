"""Reading a user's own breaks and adoptions. Suspicions are nobody's to see: a second look confirms or drops them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Case, Min, QuerySet, Value, When

from accounts.selectors import Person
from brokers.base import ConnectionState
from execution.models import Break, BreakState, Reconciliation

_FIRST = Case(When(state=BreakState.OPEN, then=Value(0)), When(state=BreakState.ADOPTED, then=Value(1)), default=2)


def list_breaks_for(user: Person) -> QuerySet[Break]:
    """Open ones first, then what was adopted, then what is over; the newest of each first."""
    rows = Break.objects.filter(owner_id=user.pk, is_suspected=False)
    return rows.select_related("account", "resolved_by").order_by(_FIRST, "-first_seen_at", "-pk")


def get_break_for(user: Person, pk: UUID) -> Break:
    """Raises `Break.DoesNotExist`."""
    return list_breaks_for(user).get(pk=pk)


def compared_since_for(user: Person) -> datetime | None:
    """The oldest moment at which one of the user's live accounts was compared last; None: none was yet."""
    live = Reconciliation.objects.filter(
        account__owner_id=user.pk,
        account__is_enabled=True,
        account__login__is_enabled=True,
        account__login__state=ConnectionState.LIVE.value,
    )
    oldest: datetime | None = live.aggregate(oldest=Min("compared_at"))["oldest"]
    return oldest
