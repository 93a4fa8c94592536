"""The only doors to a user's traders."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from accounts.selectors import Person
from traders.models import Trader


def list_traders_for(user: Person) -> QuerySet[Trader]:
    """Oldest first, with their recorders, accounts and logins."""
    return Trader.objects.filter(owner_id=user.pk).select_related("recorder", "account__login")


def get_trader_for(user: Person, pk: uuid.UUID | str) -> Trader:
    """Raises `Trader.DoesNotExist`."""
    return list_traders_for(user).get(pk=pk)
