"""Entity endpoints: list, item, items, find, deps, ldeps, suggest, for every table (Tradovate wire facts, 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from brokers.sandbox.tradovate.books import ACCOUNT_TABLES, Login
from brokers.sandbox.tradovate.calls import Call, HttpRefusalError, Reply, not_found
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.reference import REFERENCE_TABLES, reference_rows
from brokers.sandbox.tradovate.wire import Row

MOST_IDS = 10
LISTED_AT_MOST = 2048
# The field by which each type hangs on its master; the master of executionReport is the command, not the order.
MASTER_FIELDS = {
    "account": "userId",
    "order": "accountId",
    "position": "accountId",
    "cashbalance": "accountId",
    "cashbalancelog": "accountId",
    "marginsnapshot": "id",
    "accountriskstatus": "id",
    "useraccountautoliq": "id",
    "orderstrategy": "accountId",
    "orderversion": "orderId",
    "fill": "orderId",
    "command": "orderId",
    "commandreport": "commandId",
    "executionreport": "commandId",
    "fillpair": "positionId",
    "fillfee": "id",
    "orderstrategylink": "orderStrategyId",
    "contractmaturity": "productId",
    "contract": "contractMaturityId",
    "product": "exchangeId",
    "productmargin": "id",
    "productsession": "id",
    "contractmargin": "id",
}
_TABLE_NAMES = {name.lower(): name for name in (*ACCOUNT_TABLES, *REFERENCE_TABLES, "user", "account")}
_UNLISTED = frozenset({"contract", "contractmaturity", "cashbalancelog", "productsession"})
Operation = Callable[[list[Row], str, dict[str, Any]], Row | list[Row]]


def read_entity(desk: Desk, call: Call, login: Login) -> Reply:
    """Answer ``<type>/<operation>``. Raises 404 for an unknown type, operation or id."""
    entity, _, operation = call.endpoint.partition("/")
    handler = _OPERATIONS.get(operation)
    if entity not in _TABLE_NAMES or handler is None or (operation == "list" and entity in _UNLISTED):
        raise not_found()
    rows = _rows(desk, _TABLE_NAMES[entity], login)
    return Reply(200, handler(rows, entity, call.params))


def _rows(desk: Desk, table: str, login: Login) -> list[Row]:
    if table == "user":
        return [login.row()]
    if table == "account":
        return [account.row() for account in login.accounts]
    if table in REFERENCE_TABLES:
        return reference_rows(desk, table)
    return [row for account in login.accounts for row in account.rows[table].values()]


def _list(rows: list[Row], _entity: str, _params: dict[str, Any]) -> list[Row]:
    return rows[-LISTED_AT_MOST:]


def _item(rows: list[Row], _entity: str, params: dict[str, Any]) -> Row:
    wanted = _one_id(params, "id")
    for row in rows:
        if row["id"] == wanted:
            return row
    raise not_found()


def _items(rows: list[Row], _entity: str, params: dict[str, Any]) -> list[Row]:
    """Only the found ones; more than ten ids gave 404 on the live venue."""
    wanted = _ids(params, "ids")
    if len(wanted) > MOST_IDS:
        raise not_found()
    return [row for row in rows if row["id"] in wanted]


def _find(rows: list[Row], _entity: str, params: dict[str, Any]) -> Row:
    name = str(params.get("name", ""))
    for row in rows:
        if row.get("name") == name:
            return row
    raise not_found()


def _suggest(rows: list[Row], entity: str, params: dict[str, Any]) -> list[Row]:
    text = str(params.get("t", "")).upper()
    limit = params.get("l", 10)
    matching = (row for row in rows if str(row.get("name", "")).upper().startswith(text))
    if entity not in {"contract", "product", "account", "exchange", "executionreport"}:
        raise not_found()
    return list(matching)[: limit if isinstance(limit, int) else 10]


def _deps(rows: list[Row], entity: str, params: dict[str, Any]) -> list[Row]:
    return _dependents(rows, entity, {_one_id(params, "masterid")})


def _ldeps(rows: list[Row], entity: str, params: dict[str, Any]) -> list[Row]:
    return _dependents(rows, entity, set(_ids(params, "masterids")))


def _dependents(rows: Iterable[Row], entity: str, masters: set[int]) -> list[Row]:
    master_field = MASTER_FIELDS.get(entity)
    if master_field is None:
        raise not_found()
    return [row for row in rows if row.get(master_field) in masters]


def _one_id(params: dict[str, Any], name: str) -> int:
    value = params.get(name)
    if type(value) is not int:
        raise HttpRefusalError(400, f"missing required field {name}")
    return value


def _ids(params: dict[str, Any], name: str) -> list[int]:
    """A comma list, repeated keys or a JSON array."""
    value = params.get(name)
    parts = value if isinstance(value, list) else str(value if value is not None else "").split(",")
    try:
        return [int(part) for part in parts]
    except (ValueError, TypeError) as broken:
        raise HttpRefusalError(400, f"missing required field {name}") from broken


_OPERATIONS: dict[str, Operation] = {
    "list": _list,
    "item": _item,
    "items": _items,
    "find": _find,
    "suggest": _suggest,
    "deps": _deps,
    "ldeps": _ldeps,
}
