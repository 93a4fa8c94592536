"""Reading one account over REST, as evidence of what is and what is not there.

Lists are read in an order in which nothing can be seen without what identifies it: positions and fills before
orders, orders before their versions, links and commands. What was placed in between is then missing as a whole,
never half-known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from brokers.base import AccountRef
from brokers.errors import BrokerError, Refused
from brokers.reports import SyncReport
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.joins import Joins
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Account, Contract, Entity, Order

logger = logging.getLogger(__name__)

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
_OUTLINE = ("position", "fill", "order")
"""What a survey reads: whose an order is, the stream has told or the lists after it say."""
# The account is their master: asking for its own keeps clear of the cap on a login's whole list.
_OF_ACCOUNT = frozenset({"position", "order", "orderStrategy"})


def read_account(client: Client, book: ContractBook, account: AccountRef) -> SyncReport:
    """The account's orders, fills, positions and cash of the venue's current session. Raises a `BrokerError`.

    `at` is the moment before the first list was read: what changed later is newer than this report.
    """
    started = datetime.now(UTC)
    cache = EntityCache()
    cache.apply(Account(int(account.broker_id), account.name, open=True))
    for entity_type in _LISTS:
        path = f"{entity_type}/deps" if entity_type in _OF_ACCOUNT else f"{entity_type}/list"
        params = {"masterid": account.broker_id} if entity_type in _OF_ACCOUNT else None
        for entity in entities_of(entity_type, client.read_list(path, params)):
            cache.apply(entity)
    _read_cash(client, cache, account)
    joins = Joins(cache, book, {})
    for contract_id in joins.missing_contracts():
        _name(client, book, cache, contract_id)
    return joins.sync_report(started, int(account.broker_id))


def _read_cash(client: Client, cache: EntityCache, account: AccountRef) -> None:
    """A permission of its own at the venue, and no evidence of any order: whoever may not see it goes without."""
    try:
        rows = client.read_list("cashBalance/deps", {"masterid": account.broker_id})
    except BrokerError as error:
        logger.info("no cash balance of %s: %s", account.name, error)
        return
    for entity in entities_of("cashBalance", rows):
        cache.apply(entity)


def _name(client: Client, book: ContractBook, cache: EntityCache, contract_id: int) -> None:
    """A contract that the venue does not know keeps its number for a name: its orders must not vanish."""
    try:
        found = entities_of("contract", client.read("contract/item", {"id": str(contract_id)}))
    except Refused:
        found = []
    for entity in found:
        if isinstance(entity, Contract):
            book.learn(entity.id, entity.name)
    if book.name_of(contract_id) is None:
        cache.apply(Contract(contract_id, f"#{contract_id}"))


def read_outline(client: Client, knows_order: Callable[[int], bool]) -> list[Entity]:
    """The login's positions, fills and orders; all there is when an order is among them that nobody told us of.

    Three requests for all accounts together. The venue caps its lists: what they lack is no evidence of anything.
    Raises a `BrokerError`.
    """
    found = [entity for kind in _OUTLINE for entity in entities_of(kind, client.read_list(f"{kind}/list"))]
    if all(knows_order(entity.id) for entity in found if isinstance(entity, Order)):
        return found
    rest = [kind for kind in _LISTS if kind not in _OUTLINE]
    return found + [entity for kind in rest for entity in entities_of(kind, client.read_list(f"{kind}/list"))]
