"""The venue as plain data and back: books, live orders with their groups and strategies, prices, sessions, counters."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.sandbox.tradovate import autoliq
from brokers.sandbox.tradovate.books import ACCOUNT_TABLES, Account, Cash, Login, connected_orders
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import BracketPlan, ExitGroup, Order, Sender, Strategy, Terms
from brokers.sandbox.tradovate.positions import Lot, Position

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

FORMAT = 1
Saved = dict[str, Any]
_PLAIN_ORDER_FIELDS = ("id", "action", "filled", "admin", "parent_id", "oco_id", "role", "part_interval")
_ORDER_FLAGS = ("held", "rested", "triggered", "is_fixed")


def dump_venue(venue: Venue) -> Saved:
    """Everything a second start needs. Decimals are left to the writer, which turns them to text."""
    return {
        "format": FORMAT,
        "nextId": venue.desk.ids.following,
        "prices": venue.desk.board.dump(),
        "sessions": venue.sessions.dump(),
        "refreshTokens": {token: session.id for token, session in venue.oauth.refresh_tokens.items()},
        "logins": [_dump_login(login) for login in venue.logins.values()],
    }


def load_venue(venue: Venue, saved: Saved) -> None:
    """Fill an empty venue. Raises KeyError or TypeError when ``saved`` is not what dump_venue made."""
    if saved["format"] != FORMAT:
        raise KeyError("format")
    venue.desk.ids.following = saved["nextId"]
    for row in saved["logins"]:
        login = Login(row["username"], row["password"], row["user_id"], row["created"])
        venue.logins[login.username] = login
        for account_row in row["accounts"]:
            account = _load_account(venue.desk, login, account_row)
            login.accounts.append(account)
            venue.accounts[account.id] = account
            autoliq.watch(venue.desk, account)
    venue.desk.board.load(saved["prices"], venue.desk.catalog)
    venue.sessions.load(saved["sessions"], venue.logins)
    for token, session_id in saved.get("refreshTokens", {}).items():
        session = venue.sessions.with_id(session_id)
        if session is not None:
            venue.oauth.refresh_tokens[token] = session


def _dump_login(login: Login) -> Saved:
    return {
        "username": login.username,
        "password": login.password,
        "user_id": login.user_id,
        "created": login.created,
        "accounts": [_dump_account(account) for account in login.accounts],
    }


def _dump_account(account: Account) -> Saved:
    orders, groups = connected_orders(account)
    numbers = {id(group): number for number, group in enumerate(groups)}
    return {
        "id": account.id,
        "name": account.name,
        "opening_balance": account.opening_balance,
        "cash": asdict(account.cash),
        "created": account.created,
        "rows": {table: list(rows.values()) for table, rows in account.rows.items()},
        "entries": account.entries,
        "retired": account.retired,
        "positions": [_dump_position(position) for position in account.positions.values()],
        "orders": [_dump_order(order, numbers) for order in orders.values()],
        "live": list(account.orders),
        "groups": [_dump_group(group) for group in groups],
        "strategies": [{"id": s.id, "entry": s.entry.id} for s in account.strategies.values() if s.entry.id in orders],
    }


def _dump_order(order: Order, group_numbers: dict[int, int]) -> Saved:
    return {
        **{name: getattr(order, name) for name in (*_PLAIN_ORDER_FIELDS, *_ORDER_FLAGS)},
        "contract": order.contract.id,
        "terms": asdict(order.terms),
        "sender": asdict(order.sender),
        "command": order.command["id"],
        "version": order.version["id"],
        "value": order.value,
        "parts": None if order.parts is None else list(order.parts),
        "group": None if order.group is None else group_numbers[id(order.group)],
        "brackets": [group_numbers[id(group)] for group in order.brackets],
        "strategy": None if order.strategy is None else order.strategy.id,
    }


def _dump_group(group: ExitGroup) -> Saved:
    return {
        "qty": group.qty,
        "label": group.label,
        "entry": None if group.entry is None else group.entry.id,
        "exits": [order.id for order in group.exits],
        "plan": None if group.plan is None else asdict(group.plan),
    }


def _dump_position(position: Position) -> Saved:
    return {
        "contract": position.contract.id,
        "row": position.row["id"],
        "net": position.net,
        "lots": [asdict(lot) for lot in position.lots],
        "bought": position.bought,
        "bought_value": position.bought_value,
        "sold": position.sold,
        "sold_value": position.sold_value,
    }


def _load_account(desk: Desk, login: Login, saved: Saved) -> Account:
    cash = Cash(**{name: Decimal(value) for name, value in saved["cash"].items()})
    account = Account(saved["id"], saved["name"], login, Decimal(saved["opening_balance"]), cash, saved["created"])
    for table in ACCOUNT_TABLES:
        account.rows[table] = {row["id"]: row for row in saved["rows"][table]}
    account.entries = saved["entries"]
    account.retired = saved["retired"]
    for row in saved["positions"]:
        position = _load_position(desk, account, row)
        account.positions[position.contract.id] = position
    _load_orders(desk, account, saved)
    return account


def _load_position(desk: Desk, account: Account, saved: Saved) -> Position:
    return Position(
        desk.catalog.by_id[saved["contract"]],
        account.rows["position"][saved["row"]],
        net=saved["net"],
        lots=deque(Lot(lot["fill_id"], lot["qty"], Decimal(lot["price"])) for lot in saved["lots"]),
        bought=saved["bought"],
        bought_value=Decimal(saved["bought_value"]),
        sold=saved["sold"],
        sold_value=Decimal(saved["sold_value"]),
    )


def _load_orders(desk: Desk, account: Account, saved: Saved) -> None:
    orders = {row["id"]: _load_order(desk, account, row) for row in saved["orders"]}
    groups = [_load_group(row, orders) for row in saved["groups"]]
    for row in saved["strategies"]:
        strategy_row = account.rows["orderStrategy"][row["id"]]
        account.strategies[row["id"]] = Strategy(row["id"], account, strategy_row, orders[row["entry"]])
    for row in saved["orders"]:
        order = orders[row["id"]]
        order.group = None if row["group"] is None else groups[row["group"]]
        order.brackets = [groups[number] for number in row["brackets"]]
        order.strategy = account.strategies.get(row["strategy"])
    for order_id in saved["live"]:
        order = account.orders[order_id] = orders[order_id]
        if order.is_working:
            desk.working[order.contract.id][order_id] = order


def _load_order(desk: Desk, account: Account, saved: Saved) -> Order:
    rows = account.rows
    order = Order(
        id=saved["id"],
        account=account,
        contract=desk.catalog.by_id[saved["contract"]],
        action=saved["action"],
        terms=Terms(**_with_decimals(saved["terms"], {"price", "stop_price", "touch_price", "peg"})),
        sender=Sender(**saved["sender"]),
        row=rows["order"][saved["id"]],
        command=rows["command"][saved["command"]],
        version=rows["orderVersion"][saved["version"]],
        value=Decimal(saved["value"]),
        parts=None if saved["parts"] is None else deque(saved["parts"]),
    )
    for name in (*_PLAIN_ORDER_FIELDS, *_ORDER_FLAGS):
        setattr(order, name, saved[name])
    return order


def _load_group(saved: Saved, orders: dict[int, Order]) -> ExitGroup:
    numbers = {field.name for field in fields(BracketPlan)} - {"trailing", "absolute"}
    plan = None if saved["plan"] is None else BracketPlan(**_with_decimals(saved["plan"], numbers))
    entry = None if saved["entry"] is None else orders[saved["entry"]]
    return ExitGroup(saved["qty"], entry, [orders[number] for number in saved["exits"]], plan, saved["label"])


def _with_decimals(saved: Saved, names: set[str]) -> Saved:
    return {name: Decimal(value) if name in names and value is not None else value for name, value in saved.items()}
