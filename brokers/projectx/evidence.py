"""Reading the books over REST, as evidence of what is and what is not there.

Positions and half-turns are read before orders, so that nothing is seen without the order that made it. Orders are
looked for far enough back that a lane which was away over a long weekend still finds what it sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from brokers.access import Priority
from brokers.base import AccountRef
from brokers.errors import Refused
from brokers.projectx.client import Client
from brokers.projectx.contracts import ContractBook
from brokers.projectx.parse import account_of, all_rows_of, order_of, position_of, trade_of
from brokers.projectx.reading import Reading, merged
from brokers.projectx.types import Account, Order, Position, Trade

LOOK_BACK = timedelta(days=4)
REQUESTS_PER_ACCOUNT = 4


def accounts_of(client: Client, priority: Priority = Priority.POLL) -> tuple[Account, ...]:
    """The login's active accounts. Raises a `BrokerError`."""
    rows = client.rows("Account/search", {"onlyActiveAccounts": True}, "accounts", priority)
    return tuple(all_rows_of(account_of, rows))


def read_books(client: Client, contracts: ContractBook, only: AccountRef | None = None) -> Reading:
    """The whole truth about the login's accounts, or about one of them. Raises a `BrokerError`.

    `started` is the moment before the first list was read: what changed later is newer than this.
    """
    started = datetime.now(UTC)
    accounts = accounts_of(client)
    if only is not None:
        accounts = tuple(account for account in accounts if str(account.id) == only.broker_id)
        if not accounts:
            raise Refused("AccountNotFound", f"the venue lists no account {only.name} for this login")
    positions: list[Position] = []
    trades: list[Trade] = []
    orders: list[Sequence[Order]] = []
    for account in accounts:
        positions.extend(positions_of(client, account.id))
        trades.extend(trades_of(client, account.id, started - LOOK_BACK))
        orders.append(orders_since(client, account.id, started - LOOK_BACK))
        orders.append(working_orders(client, account.id))
    trades.sort(key=lambda trade: trade.id)
    reading = Reading(started, accounts, merged(*orders), tuple(trades), tuple(positions))
    contracts.ensure(client, reading.contract_ids())
    return reading


def working_orders(client: Client, account_id: int, priority: Priority = Priority.POLL) -> list[Order]:
    """Only what works: legs that wait for their entry are not listed. Raises a `BrokerError`."""
    return all_rows_of(order_of, client.rows("Order/searchOpen", {"accountId": account_id}, "orders", priority))


def orders_since(client: Client, account_id: int, since: datetime, priority: Priority = Priority.POLL) -> list[Order]:
    """Every order made since then, done ones too, by the time at which it was made. Raises a `BrokerError`."""
    body = {"accountId": account_id, "startTimestamp": since.isoformat()}
    return all_rows_of(order_of, client.rows("Order/search", body, "orders", priority))


def positions_of(client: Client, account_id: int, priority: Priority = Priority.POLL) -> list[Position]:
    """The open ones. Raises a `BrokerError`."""
    return all_rows_of(
        position_of, client.rows("Position/searchOpen", {"accountId": account_id}, "positions", priority)
    )


def order_by_id(client: Client, account_id: str, order_id: str, priority: Priority) -> Order | None:
    """None when the venue has no such order. Raises a `BrokerError`."""
    body = {"accountId": int(account_id), "orderId": int(order_id)}
    try:
        row = client.call("Order/searchById", body, priority).get("order")
    except Refused:
        return None
    return all_rows_of(order_of, [row])[0] if row is not None else None


def order_by_tag(client: Client, account_id: str, tag: str, priority: Priority) -> Order | None:
    """The order of ours that the venue knows under this client id. Raises a `BrokerError`."""
    since = datetime.now(UTC) - LOOK_BACK
    found = [order for order in orders_since(client, int(account_id), since, priority) if order.tag == tag]
    return found[-1] if found else None


def trades_of(client: Client, account_id: int, since: datetime) -> list[Trade]:
    """The half-turns since then. Raises a `BrokerError`."""
    body = {"accountId": account_id, "startTimestamp": since.isoformat()}
    return all_rows_of(trade_of, client.rows("Trade/search", body, "trades"))
