"""The accounts of a login and their classes, asked for once."""

from __future__ import annotations

import threading

from brokers.access import Priority
from brokers.base import AccountRef
from brokers.errors import Refused
from brokers.webull import limits
from brokers.webull.client import Client
from brokers.webull.instruments import ACCOUNT_CLASS, is_tradable_class
from brokers.webull.parse import accounts_of
from brokers.webull.types import Account


def list_accounts(client: Client, priority: Priority = Priority.POLL) -> tuple[Account, ...]:
    """Every account of the login, of whatever class. Raises a `BrokerError`."""
    return accounts_of(client.read(limits.ACCOUNTS, {}, priority))


class Directory:
    """Safe in several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._accounts: tuple[Account, ...] | None = None
        self._denied: set[str] = set()

    def refresh(self) -> None:
        """Ask the venue. Raises a `BrokerError`."""
        accounts = list_accounts(self._client)
        with self._lock:
            self._accounts = accounts
            self._denied.clear()

    def deny(self, account: AccountRef) -> None:
        """The venue does not let this key see the account: it is looked at no more until the next refresh."""
        with self._lock:
            self._denied.add(account.broker_id)

    def traded(self) -> list[AccountRef]:
        """Those that hold what we trade and may be seen, as far as they are known."""
        with self._lock:
            known = [account.ref for account in self._accounts or () if is_tradable_class(account.kind)]
            return [account for account in known if account.broker_id not in self._denied]

    def kind_of(self, account: AccountRef, priority: Priority) -> str:
        """The account's class. Raises `Refused` for an account that is not this login's, or another `BrokerError`."""
        with self._lock:
            if self._accounts is None:
                self._accounts = list_accounts(self._client, priority)
            known = {found.ref.broker_id: found.kind for found in self._accounts}
        if account.broker_id not in known:
            raise Refused(ACCOUNT_CLASS, f"the broker does not list {account.name} under this login")
        return known[account.broker_id]
