"""The only doors to a user's broker logins and accounts."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from accounts.selectors import Person
from brokers.models import BrokerAccount, BrokerLogin


def list_logins_for(user: Person) -> QuerySet[BrokerLogin]:
    """Without their secrets: those are read, and decrypted, only by `services.credentials_of`."""
    return (
        BrokerLogin.objects.filter(owner_id=user.pk)
        .defer("password", "app_secret", "token")
        .order_by("venue", "environment", "username")
    )


def get_login_for(user: Person, pk: uuid.UUID | str) -> BrokerLogin:
    """Raises `BrokerLogin.DoesNotExist`."""
    return list_logins_for(user).get(pk=pk)


def list_accounts_for(user: Person) -> QuerySet[BrokerAccount]:
    """With their logins, by name; the logins' secrets stay in the database."""
    return (
        BrokerAccount.objects.filter(owner_id=user.pk)
        .select_related("login")
        .defer("login__password", "login__app_secret", "login__token")
        .order_by("name", "pk")
    )


def get_account_for(user: Person, pk: uuid.UUID | str) -> BrokerAccount:
    """Raises `BrokerAccount.DoesNotExist`."""
    return list_accounts_for(user).get(pk=pk)
