"""Placing, previewing, replacing and canceling orders."""

from __future__ import annotations

from functools import partial
from typing import Any

from brokers.matching.types import Order
from brokers.sandbox.webull import acceptance, execution, rows, terms
from brokers.sandbox.webull.books import MASTER, NORMAL, Account, Group, Ticket
from brokers.sandbox.webull.calls import Call, Reply, account_of
from brokers.sandbox.webull.desk import Desk, order_id
from brokers.sandbox.webull.terms import Terms
from brokers.sandbox.webull.wire import RefusalError, Row, figure, iso_z, now_ms, parameter_error, refusal

MOST_BATCH_ORDERS = 50
REPLACED_FIELDS = ("time_in_force", "trailing_type", "trailing_stop_step")


def preview(desk: Desk, call: Call) -> Reply:
    """Cost at the limit or the market. Checks the fields only: not the hours, the account's class or its money."""
    account = account_of(call)
    parsed = [terms.parse_order(desk, _any_class(account, sent), sent) for sent in _sent_orders(call, "new_orders")]
    first = parsed[0]
    cost = acceptance.worth(desk, first)
    fee = rows.fees_of(first.contract, first.qty)
    body = {"estimated_cost": figure(cost), "estimated_transaction_fee": figure(fee), "currency": "USD"}
    return Reply(200, body)


def place(desk: Desk, call: Call) -> Reply:
    account = account_of(call)
    parsed = [terms.parse_order(desk, account, sent) for sent in _sent_orders(call, "new_orders")]
    acceptance.check_combo(parsed)
    combo = None
    if parsed[0].combo_type != NORMAL:
        combo = terms.client_order_id(call.params, "client_combo_order_id")
    acceptance.check(desk, account, parsed)
    group = _accept(desk, account, parsed, combo)
    first = group.tickets[0]
    body = {"client_order_id": first.client_order_id, "order_id": first.order_id}
    if combo is not None:
        body = {"combo_order_id": group.combo_order_id, "client_combo_order_id": combo}
    return Reply(200, body, partial(execution.launch, desk, group))


def batch_place(desk: Desk, call: Call) -> Reply:
    """Up to 50 equity orders, each accepted or refused for itself; a row for each, in their order."""
    account = account_of(call)
    sent_orders = _sent_orders(call, "batch_orders")
    if len(sent_orders) > MOST_BATCH_ORDERS:
        raise parameter_error(f"batch_orders must not hold more than {MOST_BATCH_ORDERS} orders")
    answers: list[Row] = []
    groups: list[Group] = []
    for sent in sent_orders:
        try:
            parsed = [terms.parse_order(desk, account, sent)]
            acceptance.check_batch(parsed[0])
            acceptance.check(desk, account, parsed)
        except RefusalError as refused:
            name = sent.get("client_order_id") if isinstance(sent, dict) else None
            answers.append({"client_order_id": name, **refused.body})
            continue
        groups.append(_accept(desk, account, parsed, None))
        first = groups[-1].tickets[0]
        answers.append({"client_order_id": first.client_order_id, "order_id": first.order_id})

    def launch() -> None:
        for group in groups:
            execution.launch(desk, group)

    return Reply(200, answers, launch)


def replace(desk: Desk, call: Call) -> Reply:
    """New terms under the same client_order_id; all orders of the request are changed, or none."""
    account = account_of(call)
    changes = [_change(desk, account, sent) for sent in _sent_orders(call, "modify_orders")]

    def apply() -> None:
        for ticket, wanted, fields in changes:
            execution.amend(desk, ticket, wanted, fields)

    first = changes[0][0]
    return Reply(200, {"client_order_id": first.client_order_id, "order_id": first.order_id}, apply)


def cancel(desk: Desk, call: Call) -> Reply:
    ticket = find_ticket(account_of(call), call.params)
    if ticket.order.is_done:
        raise refusal("OPENAPI_ORDER_CAN_NOT_BE_CANCEL", "The order can not be cancelled")
    body = {"client_order_id": ticket.client_order_id, "order_id": ticket.order_id}
    return Reply(200, body, partial(execution.cancel, desk, ticket))


def find_ticket(account: Account, params: Row) -> Ticket:
    ticket = account.tickets.get(str(params.get("client_order_id")))
    if ticket is None or ticket.is_forgotten:
        raise refusal("OPENAPI_ORDER_NOT_FOUND", "The order was not found")
    return ticket


def _sent_orders(call: Call, name: str) -> list[Any]:
    sent = call.params.get(name)
    if not isinstance(sent, list) or not sent:
        raise parameter_error(f"{name} is required")
    return sent


def _any_class(account: Account, sent: object) -> Account:
    """The login's account that may trade this, as previews do not look at the class."""
    wants_futures = isinstance(sent, dict) and sent.get("instrument_type") == "FUTURES"
    return next((other for other in account.login.accounts if other.is_futures == wants_futures), account)


def _accept(desk: Desk, account: Account, parsed: list[Terms], combo: str | None) -> Group:
    number = desk.take_number()
    group = Group(order_id(number), combo or parsed[0].client_order_id)
    for wanted in sorted(parsed, key=lambda one: one.combo_type != MASTER):
        if combo is not None:
            number = desk.take_number()
        ticket = _ticket(account, group, wanted, number)
        execution.take_in(desk, ticket)
        account.entries.append(_entry(ticket))
    return group


def _ticket(account: Account, group: Group, wanted: Terms, number: int) -> Ticket:
    order = Order(
        number,
        account.book,
        wanted.contract,
        wanted.side,
        wanted.qty,
        wanted.kind,
        limit=wanted.limit,
        stop=wanted.stop,
        trail=wanted.trail,
    )
    return Ticket(
        account=account,
        group=group,
        client_order_id=wanted.client_order_id,
        order_id=order_id(number),
        combo_type=wanted.combo_type,
        terms=wanted.fields,
        contract=wanted.contract,
        order=order,
        placed_at=now_ms(),
    )


def _entry(ticket: Ticket) -> Row:
    """What a checker needs to prove that nothing was doubled."""
    order = ticket.order
    return {
        "time": iso_z(ticket.placed_at),
        "kind": ticket.combo_type,
        "id": order.id,
        "clOrdId": ticket.client_order_id,
        "uuid": None,
        "symbol": order.contract.name,
        "action": "Buy" if order.side > 0 else "Sell",
        "qty": order.qty,
        "orderType": rows.ORDER_TYPES[order.kind],
    }


def _change(desk: Desk, account: Account, sent: object) -> tuple[Ticket, Order, Row]:
    """The order, a copy of it with the new terms, and the new fields of what queries repeat."""
    if not isinstance(sent, dict):
        raise parameter_error("modify_orders must hold orders")
    body: Row = {name: value for name, value in sent.items() if value is not None}
    ticket = find_ticket(account, body)
    order = ticket.order
    if order.is_done:
        raise refusal("OPENAPI_ORDER_CAN_NOT_BE_MODIFY", "The order can not be modified")
    acceptance.check_replace(ticket, body)
    contract = ticket.contract
    kind = order.kind if "order_type" not in body else terms.KINDS[terms.choice(body, "order_type", tuple(terms.KINDS))]
    wanted = Order(order.id, order.account, contract, order.side, order.qty, kind, order.limit, order.stop, order.trail)
    if "quantity" in body:
        wanted.qty = terms.quantity(body)
    if kind in terms.WITH_LIMIT and ("limit_price" in body or wanted.limit is None):
        wanted.limit = terms.price(body, "limit_price", contract)
    if kind in terms.WITH_STOP and ("stop_price" in body or wanted.stop is None):
        wanted.stop = terms.price(body, "stop_price", contract)
    if "trailing_stop_step" in body:
        wanted.trail = terms.trail(desk, {"trailing_type": ticket.terms.get("trailing_type"), **body}, contract)
    if wanted.qty < order.filled:
        raise parameter_error("quantity is below what is filled")
    if "time_in_force" in body:
        terms.choice(body, "time_in_force", ("DAY", "GTC"))
    return ticket, wanted, {name: body[name] for name in REPLACED_FIELDS if name in body}
