"""The only doors to a user's broker logins and accounts."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from accounts.selectors import Person
from brokers.models import BrokerAccount, BrokerAgreement, BrokerLogin
from brokers.picker import policy_hash

SECRET_COLUMNS = ("secrets", "token")


def secrets_of(login: str) -> tuple[str, ...]:
    """What a query that joins logins through `login` is to defer: secrets stay in the database, unread."""
    return tuple(f"{login}__{column}" for column in SECRET_COLUMNS)


def list_logins_for(user: Person) -> QuerySet[BrokerLogin]:
    """Without their secrets: those are read, and decrypted, only by `services.credentials_of`."""
    return (
        BrokerLogin.objects.filter(owner_id=user.pk, deleted_at=None)
        .defer(*SECRET_COLUMNS)
        .order_by("venue", "environment", "firm", "username")
    )


def list_logins_with_accounts_for(user: Person) -> QuerySet[BrokerLogin]:
    """With `accounts`, by name, in two queries however many there are."""
    return list_logins_for(user).prefetch_related(Prefetch("accounts", BrokerAccount.objects.order_by("name", "pk")))


def get_login_for(user: Person, pk: uuid.UUID | str) -> BrokerLogin:
    """Raises `BrokerLogin.DoesNotExist`."""
    return list_logins_for(user).get(pk=pk)


def list_accounts_for(user: Person) -> QuerySet[BrokerAccount]:
    """With their logins, by name; the logins' secrets stay in the database."""
    return (
        BrokerAccount.objects.filter(owner_id=user.pk, login__deleted_at=None)
        .select_related("login")
        .defer(*secrets_of("login"))
        .order_by("name", "pk")
    )


def get_account_for(user: Person, pk: uuid.UUID | str) -> BrokerAccount:
    """Raises `BrokerAccount.DoesNotExist`."""
    return list_accounts_for(user).get(pk=pk)


def list_agreements_for(user: Person) -> QuerySet[BrokerAgreement]:
    return BrokerAgreement.objects.filter(owner_id=user.pk).order_by("pk")


def agreed_by(user: Person) -> dict[tuple[str, str], datetime]:
    """When the user agreed to the rules as they stand today, by venue and firm."""
    found = {}
    for agreement in list_agreements_for(user):
        try:
            is_current = agreement.text_hash == policy_hash(agreement.venue, agreement.firm)
        except KeyError:
            continue
        if is_current:
            found[agreement.venue, agreement.firm] = agreement.agreed_at
    return found


def find_agreement_for(user: Person, venue: str, firm: str) -> BrokerAgreement | None:
    """The user's word on the rules as they stand today. Raises KeyError where there is no such venue or firm."""
    return list_agreements_for(user).filter(venue=venue, firm=firm, text_hash=policy_hash(venue, firm)).first()


def obstacles_to_deleting(login: BrokerLogin) -> list[str]:
    """Why the login may not go yet, each naming the trader or the position."""
    accounts = BrokerAccount.objects.filter(login=login).order_by("name")
    following = accounts.filter(traders__is_enabled=True).values_list("name", "traders__recorder__name").distinct()
    positions = {row for held in ("broker_positions", "positions") for row in _held(accounts, held)}
    return [
        *(f"The trader of {recorder} on {account} is on: switch it off first." for account, recorder in following),
        *(f"{account} holds {qty:+d} {symbol}: close it first." for account, symbol, qty in sorted(positions)),
    ]


def _held(accounts: QuerySet[BrokerAccount], relation: str) -> QuerySet[BrokerAccount, tuple[str, str, int]]:
    """Name, symbol and net contracts of what is not flat. The rows are of an app above this one."""
    qty = f"{relation}__net_qty"
    open_ones = accounts.filter(Q((f"{qty}__gt", 0)) | Q((f"{qty}__lt", 0)))
    return open_ones.values_list("name", f"{relation}__symbol", qty)
