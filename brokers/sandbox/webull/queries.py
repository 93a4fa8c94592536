"""Asking for accounts and orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brokers.sandbox.webull import rows
from brokers.sandbox.webull.books import LABELS, Account, Group, Ticket
from brokers.sandbox.webull.calls import Call, Reply, account_of
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.trading import find_ticket
from brokers.sandbox.webull.wire import Row, count, now_ms, parameter_error

DEFAULT_HISTORY_DAYS = 7
DEFAULT_V2_PAGE, LONGEST_V2_PAGE = 10, 100


def accounts(_desk: Desk, call: Call) -> Reply:
    return Reply(200, [_account_row(account) for account in call.login.accounts])


def detail(_desk: Desk, call: Call) -> Reply:
    """One order with what belongs to its combo; always up to date."""
    group = find_ticket(account_of(call), call.params).group
    return Reply(200, rows.group_row(group, [rows.order_row(ticket) for ticket in group.tickets]))


def open_orders(desk: Desk, call: Call) -> Reply:
    account = account_of(call)
    groups = {id(ticket.group): ticket.group for ticket in account.live}.values()
    shown = [(group, [rows.order_row(t) for t in group.tickets if not t.order.is_done]) for group in groups]
    return _page(desk, call, shown)


def history(desk: Desk, call: Call) -> Reply:
    """Orders of a time, newest first, as they were a little while ago."""
    account = account_of(call)
    since, until = _span(call)
    groups = [g for g in account.groups() if since <= g.tickets[0].placed_at <= until]
    shown = [(group, [_as_it_was(desk, ticket) for ticket in group.tickets]) for group in reversed(groups)]
    return _page(desk, call, shown)


def cash_activities(_desk: Desk, call: Call) -> Reply:
    """Deposits and withdrawals: there are none."""
    account_of(call)
    return Reply(200, [])


def _account_row(account: Account) -> Row:
    return {
        "user_id": account.login.user_id,
        "account_id": account.account_id,
        "account_number": f"TEST{account.id}",
        "account_type": "MARGIN",
        "account_label": LABELS[account.account_class],
        "account_class": account.account_class,
    }


def _as_it_was(desk: Desk, ticket: Ticket) -> Row:
    settled = now_ms() - desk.switches.history_lag_seconds * 1000
    known = [row for when, row in ticket.versions if when <= settled]
    return known[-1] if known else ticket.versions[0][1]


def _page(desk: Desk, call: Call, shown: list[tuple[Group, list[Row]]]) -> Reply:
    """v3: ``{"data", "pagination_key"}``, the key absent on the last page. v2: the bare array."""
    is_v3 = call.version == "v3"
    size = (
        desk.switches.page_size
        if is_v3
        else max(count(call.params, "page_size", DEFAULT_V2_PAGE, LONGEST_V2_PAGE), DEFAULT_V2_PAGE)
    )
    after = call.params.get("pagination_key" if is_v3 else "last_client_order_id")
    start = 0
    if after is not None:
        names = [group.tickets[0].client_order_id for group, _ in shown]
        if after not in names:
            raise parameter_error(f"no page begins after {after}")
        start = names.index(after) + 1
    page = shown[start : start + size]
    data = [rows.group_row(group, orders) for group, orders in page]
    if not is_v3:
        return Reply(200, data)
    body: Row = {"data": data}
    if start + size < len(shown):
        body["pagination_key"] = page[-1][0].tickets[0].client_order_id
    return Reply(200, body)


def _span(call: Call) -> tuple[int, int]:
    """Epoch ms of ``start_time`` and ``end_time`` (v3, moments) or ``start_date`` and ``end_date`` (v2, days)."""
    params, now = call.params, datetime.now(UTC)
    since = _moment(params.get("start_time") or params.get("start_date")) or now - timedelta(days=DEFAULT_HISTORY_DAYS)
    until = _moment(params.get("end_time") or params.get("end_date"), is_end=True) or now + timedelta(days=1)
    return int(since.timestamp() * 1000), int(until.timestamp() * 1000)


def _moment(text: object, *, is_end: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise parameter_error(f"not a time: {text}") from None
    is_day = len(str(text)) == len("2026-01-01")
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) if is_day and is_end else moment
