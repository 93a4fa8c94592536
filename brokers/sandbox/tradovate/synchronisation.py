"""user/syncrequest: the snapshot and what a socket gets afterwards (Tradovate wire facts, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.calls import HttpRefusalError
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.reference import (
    ORDER_STRATEGY_TYPES,
    contract_groups,
    currencies,
    exchanges,
    maturities,
)
from brokers.sandbox.tradovate.switches import Switches
from brokers.sandbox.tradovate.validation import array
from brokers.sandbox.tradovate.wire import Row

# Reply keys in the order the venue sends them, with the entity type each holds.
SYNC_KEYS = {
    "users": "user",
    "userProperties": "userProperty",
    "properties": "property",
    "accounts": "account",
    "accountRiskStatuses": "accountRiskStatus",
    "marginSnapshots": "marginSnapshot",
    "userAccountAutoLiqs": "userAccountAutoLiq",
    "cashBalances": "cashBalance",
    "currencies": "currency",
    "positions": "position",
    "fillPairs": "fillPair",
    "orders": "order",
    "contracts": "contract",
    "contractMaturities": "contractMaturity",
    "products": "product",
    "exchanges": "exchange",
    "spreadDefinitions": "spreadDefinition",
    "commands": "command",
    "commandReports": "commandReport",
    "executionReports": "executionReport",
    "orderVersions": "orderVersion",
    "fills": "fill",
    "fillFees": "fillFee",
    "orderStrategies": "orderStrategy",
    "orderStrategyLinks": "orderStrategyLink",
    "userPlugins": "userPlugin",
    "annualReviews": "annualReview",
    "userReadStatuses": "userReadStatus",
    "userPromoCodes": "userPromoCode",
    "contractGroups": "contractGroup",
    "orderStrategyTypes": "orderStrategyType",
}
_ALWAYS = frozenset({"users", "contractGroups"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one socket asked for. None means everything."""

    entity_types: frozenset[str] | None = None
    account_ids: frozenset[int] | None = None
    divisor: int = 1
    remainder: int = 0

    def wants_type(self, entity_type: str) -> bool:
        return self.entity_types is None or entity_type in self.entity_types

    def wants_account(self, account_id: int) -> bool:
        named = self.account_ids is None or account_id in self.account_ids
        return named and account_id % self.divisor == self.remainder


def parse_subscription(params: dict[str, Any], login: Login, switches: Switches) -> Subscription:
    """Raises 400 for combinations the venue forbids and for users that are not the login's own."""
    users, types, accounts = params.get("users"), params.get("entityTypes"), params.get("accounts")
    sharding = params.get("shardingExpression")
    if users is not None and (sharding is not None or types is not None):
        raise HttpRefusalError(400, "users cannot be combined with entityTypes or shardingExpression")
    if accounts is not None and sharding is not None:
        raise HttpRefusalError(400, "accounts cannot be combined with shardingExpression")
    if users is not None and users != [login.user_id]:
        raise HttpRefusalError(401, "Access is denied")
    if types is None and (users is None or switches.sync_requires_entity_types):
        types = []
    divisor, remainder = _shard(sharding, login)
    return Subscription(
        None if types is None else frozenset(types if types == [] else array(params, "entityTypes", str)),
        None if accounts is None else frozenset(array(params, "accounts", int)),
        divisor,
        remainder,
    )


def snapshot(desk: Desk, login: Login, wanted: Subscription) -> dict[str, list[Row]]:
    """SyncMessage: contracts and products are only those the login's data refers to."""
    accounts = [account for account in login.accounts if wanted.wants_account(account.id)]
    contracts = _contracts_in_use(desk, accounts)
    products = {contract.product.id: contract.product.row() for contract in contracts}
    reference: dict[str, list[Row]] = {
        "user": [login.row()],
        "account": [account.row() for account in accounts],
        "currency": currencies(),
        "contract": [contract.row() for contract in contracts],
        "contractMaturity": maturities(desk, contracts),
        "product": list(products.values()),
        "exchange": exchanges(),
        "contractGroup": contract_groups(),
        "orderStrategyType": ORDER_STRATEGY_TYPES,
    }
    message: dict[str, list[Row]] = {}
    for key, entity_type in SYNC_KEYS.items():
        if not wanted.wants_type(entity_type) and key not in _ALWAYS:
            message[key] = []
        elif entity_type in reference:
            message[key] = reference[entity_type]
        else:
            message[key] = [row for a in accounts for row in a.rows.get(entity_type, {}).values()]
    return message


def _contracts_in_use(desk: Desk, accounts: list[Account]) -> list[Any]:
    ids = {
        row["contractId"]
        for account in accounts
        for table in ("order", "position", "orderStrategy")
        for row in account.rows[table].values()
    }
    return [desk.catalog.by_id[contract_id] for contract_id in sorted(ids)]


def _shard(expression: object, login: Login) -> tuple[int, int]:
    if not isinstance(expression, dict):
        return 1, 0
    divisor, remainder = expression.get("divisor"), expression.get("remainder")
    if type(divisor) is not int or type(remainder) is not int or divisor < 1:
        raise HttpRefusalError(400, "invalid shardingExpression")
    if expression.get("expressionType") == "modUserId":
        return (1, 0) if login.user_id % divisor == remainder else (1, 1)
    return divisor, remainder
