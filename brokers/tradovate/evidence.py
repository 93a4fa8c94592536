"""Reading one account over REST, as evidence of what is and what is not there.

Lists are read in an order in which nothing can be seen without what identifies it: positions and fills before
orders, orders before their versions, links and commands. What was placed in between is then missing as a whole,
never half-known.
"""

from __future__ import annotations

from datetime import UTC, datetime

from brokers.base import AccountRef, SyncReport
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.joins import Joins
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Account, Contract

_LISTS = (
    "position",
    "fill",
    "order",
    "orderVersion",
    "orderStrategyLink",
    "orderStrategy",
    "commandReport",
    "command",
)


def read_account(client: Client, book: ContractBook, account: AccountRef) -> SyncReport:
    """The account's orders, fills and positions of the venue's current session. Raises a `BrokerError`.

    `at` is the moment before the first list was read: what changed later is newer than this report.
    """
    started = datetime.now(UTC)
    cache = EntityCache()
    cache.apply(Account(int(account.broker_id), account.name, open=True))
    for entity_type in _LISTS:
        for entity in entities_of(entity_type, client.read_list(f"{entity_type}/list")):
            cache.apply(entity)
    joins = Joins(cache, book, {})
    for contract_id in joins.missing_contracts():
        for entity in entities_of("contract", client.read("contract/item", {"id": str(contract_id)})):
            cache.apply(entity)
            if isinstance(entity, Contract):
                book.learn(entity.id, entity.name)
    return joins.sync_report(started, int(account.broker_id))
