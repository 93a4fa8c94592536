"""Reference tables the venue shows to everybody: contracts, products, exchanges, currencies, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from brokers.sandbox.market.catalog import CONTRACT_GROUPS, EXCHANGES, Contract, Product
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.wire import Row, money

_CURRENCIES = {1: ("USD", "$"), 2: ("EUR", "€"), 3: ("AUD", "A$"), 4: ("GBP", "£"), 5: ("CAD", "C$"), 6: ("JPY", "¥")}
_SESSION_HOURS = {"openTime": 17, "startTime": 17, "stopTime": 16, "closeTime": 16, "sundayOpenTime": 17}
_MARGINS_SINCE = "2026-01-02T05:00Z"
# Listed by the official API, and always empty here.
EMPTY_TABLES = (
    "spreadDefinition",
    "property",
    "userProperty",
    "userPlugin",
    "userSession",
    "userSessionStats",
    "tradingPermission",
    "organization",
    "contactInfo",
    "entitlement",
    "currencyRate",
    "alert",
    "alertSignal",
    "adminAlert",
    "adminAlertSignal",
    "chat",
    "chatMessage",
    "marketDataSubscription",
    "marketDataSubscriptionPlan",
    "marketDataSubscriptionExchangeScope",
    "secondMarketDataSubscription",
    "tradovateSubscription",
    "tradovateSubscriptionPlan",
    "userAccountPositionLimit",
    "userAccountRiskParameter",
)
REFERENCE_TABLES = (
    "contract",
    "contractMaturity",
    "product",
    "exchange",
    "currency",
    "contractGroup",
    "orderStrategyType",
    "productMargin",
    "productSession",
    "contractMargin",
    "clearingHouse",
    *EMPTY_TABLES,
)
ORDER_STRATEGY_TYPES: list[Row] = [{"id": 2, "name": "Bracket", "enabled": True}]


def contract_groups() -> list[Row]:
    return [{"id": group_id, "name": name} for name, group_id in CONTRACT_GROUPS.items()]


def exchanges() -> list[Row]:
    return [{"id": exchange_id, "name": name} for name, exchange_id in EXCHANGES.items()]


def currencies() -> list[Row]:
    return [{"id": key, "name": name, "symbol": symbol} for key, (name, symbol) in _CURRENCIES.items()]


def maturities(desk: Desk, contracts: Iterable[Contract]) -> list[Row]:
    return [contract.maturity_row(is_front=desk.catalog.is_front(contract)) for contract in contracts]


def reference_rows(desk: Desk, table: str) -> list[Row]:
    """All rows of a reference table; empty for those the sandbox keeps nothing in."""
    build = _BUILDERS.get(table)
    return [] if build is None else build(desk)


def _margin_row(row_id: int, product: Product) -> Row:
    margin = money(product.full_margin)
    return {"id": row_id, "initialMargin": margin, "maintenanceMargin": margin, "timestamp": _MARGINS_SINCE}


def _session_row(product: Product) -> Row:
    hours = {name: {"hour": hour, "minute": 0} for name, hour in _SESSION_HOURS.items()}
    return {"id": product.id, **hours}


_BUILDERS: dict[str, Callable[[Desk], list[Row]]] = {
    "contract": lambda desk: [c.row() for c in desk.catalog.by_id.values() if not desk.catalog.expired(c)],
    "contractMaturity": lambda desk: maturities(desk, desk.catalog.by_id.values()),
    "product": lambda desk: [product.row() for product in desk.catalog.products.values()],
    "exchange": lambda _desk: exchanges(),
    "currency": lambda _desk: currencies(),
    "contractGroup": lambda _desk: contract_groups(),
    "orderStrategyType": lambda _desk: ORDER_STRATEGY_TYPES,
    "productMargin": lambda desk: [_margin_row(p.id, p) for p in desk.catalog.products.values()],
    "contractMargin": lambda desk: [_margin_row(c.id, c.product) for c in desk.catalog.by_id.values()],
    "productSession": lambda desk: [_session_row(product) for product in desk.catalog.products.values()],
    "clearingHouse": lambda _desk: [{"id": 2, "name": "Sandbox Clearing"}],
}
