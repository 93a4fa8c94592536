"""Trading endpoints: validate, accept, answer; the engine executes after the reply (Tradovate wire facts, 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate import brackets, execution, lifecycle, validation
from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.calls import (
    Call,
    CommandRefusedError,
    HttpRefusalError,
    Reply,
    access_denied,
)
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import STOPPED, TRAILING, ExitGroup, Order, Sender, Terms
from brokers.sandbox.tradovate.wire import Row, money


def place_order(desk: Desk, call: Call, login: Login) -> Reply:
    order = _new_order(desk, call, login)
    record_entry(desk, order, "order")
    return Reply(200, {"orderId": order.id}, lambda: execution.submit(desk, order), order.account)


def place_oso(desk: Desk, call: Call, login: Login) -> Reply:
    """Entry with one or two absolute-price exits that wait Suspended; two exits cancel each other."""
    order = _new_order(desk, call, login)
    group = ExitGroup(order.terms.qty, order)
    body: Row = {"orderId": order.id}
    for number in (1, 2):
        fields = call.params.get(f"bracket{number}")
        if fields is None:
            continue
        leg = _leg(desk, order, fields, call)
        leg.sender = lifecycle.held_sender(leg.sender)
        leg.group = group
        leg.role = "stop" if leg.terms.order_type in STOPPED else "target"
        group.exits.append(leg)
        body[f"oso{number}Id"] = leg.id
    if not group.exits:
        raise HttpRefusalError(400, "missing required field bracket1")
    for leg, partner in zip(group.exits, reversed(group.exits), strict=True):
        leg.oco_id = None if partner is leg else partner.id
    order.brackets = [group]
    record_entry(desk, order, "oso")
    return Reply(200, body, lambda: execution.submit(desk, order), order.account)


def place_oco(desk: Desk, call: Call, login: Login) -> Reply:
    first = _new_order(desk, call, login)
    other = _leg(desk, first, validation.required(call.params, "other"), call)
    other.parent_id = None
    first.oco_id, other.oco_id = other.id, first.id
    group = ExitGroup(first.terms.qty, exits=[first, other])
    first.group = other.group = group
    record_entry(desk, first, "oco")

    def submit() -> None:
        execution.submit(desk, first)
        execution.submit(desk, other)

    return Reply(200, {"orderId": first.id, "ocoId": other.id}, submit, first.account)


def modify_order(desk: Desk, call: Call, login: Login) -> Reply:
    """Full replacement of the order's terms."""
    order = live_order(login, validation.integer(call.params, "orderId"))
    terms = _new_terms(desk, order, call.params)
    command_id = desk.ids.take()
    sender = sender_of(call)

    def modify() -> None:
        if order.is_done:
            return
        fault = desk.faults.take("reject", order.account, call.endpoint, by_default=False, mode="async")
        if fault is not None:
            why = fault.params["reason"], fault.params["text"]
            lifecycle.refuse_modify(desk, order, terms, sender, command_id, why)
            return
        order.is_fixed = True
        if order.status == "Suspended":
            _modify_held(desk, order, terms, sender, command_id)
            return
        lifecycle.modify(desk, order, terms, sender, command_id)
        if order.role == "entry" and len(order.brackets) == 1:
            order.brackets[0].qty = terms.qty

    return Reply(200, {"commandId": command_id}, modify, order.account)


def cancel_order(desk: Desk, call: Call, login: Login) -> Reply:
    order = live_order(login, validation.integer(call.params, "orderId"))
    command_id = desk.ids.take()
    sender = sender_of(call)

    def cancel() -> None:
        if not order.is_done:
            brackets.cancel_order(desk, order, sender, command_id)

    return Reply(200, {"commandId": command_id}, cancel, order.account)


def liquidate_position(desk: Desk, call: Call, login: Login) -> Reply:
    """Cancel the contract's live orders, then close the net position at market.

    With nothing to close the reply has no orderId (ours; what the venue answers then is not known).
    """
    account = validation.account_of(login, call.params)
    contract = desk.catalog.by_id.get(validation.integer(call.params, "contractId"))
    if contract is None:
        raise HttpRefusalError(404)
    _refuse_tag(call.params)
    if validation.flag(call.params, "admin"):
        raise access_denied()
    return liquidate(desk, account, contract, sender_of(call))


def liquidate(desk: Desk, account: Account, contract: Contract, sender: Sender) -> Reply:
    position = account.positions.get(contract.id)
    order = None
    if position is not None and position.net != 0:
        validation.check_session(desk, "Market")
        action = "Sell" if position.net > 0 else "Buy"
        order = Order(desk.ids.take(), account, contract, action, Terms(abs(position.net), "Market"), sender)
        record_entry(desk, order, "liquidation")

    def run() -> None:
        for resting in [o for o in account.orders.values() if o.contract is contract]:
            if not resting.is_done:
                brackets.cancel_order(desk, resting, sender)
        if order is not None:
            execution.submit(desk, order)

    return Reply(200, {} if order is None else {"orderId": order.id}, run, account)


def liquidate_positions(desk: Desk, call: Call, login: Login) -> Reply:
    wanted = validation.array(call.params, "positions", int)
    sender = sender_of(call)
    positions = [(account, position) for account in login.accounts for position in account.positions.values()]
    replies = [
        liquidate(desk, account, position.contract, sender)
        for account, position in positions
        if position.row["id"] in wanted
    ]
    if not replies:
        return Reply(200, {"ok": False, "errorText": "No such positions"})

    def run_each() -> None:
        for reply in replies:
            if reply.account is not None and reply.after is not None:
                desk.step(reply.account, reply.after)

    return Reply(200, {"ok": True}, run_each, replies[0].account)


def live_order(login: Login, order_id: int) -> Order:
    """Raises TooLate for a finished order, access denied for one that does not exist for this login."""
    for account in login.accounts:
        order = account.orders.get(order_id)
        if order is not None:
            return order
        if order_id in account.rows["order"]:
            raise CommandRefusedError("TooLate", "Order is already completed")
    raise access_denied()


def _new_order(desk: Desk, call: Call, login: Login) -> Order:
    params = call.params
    action = validation.choice(params, "action", validation.ACTIONS)
    validation.choice(params, "orderType", validation.ORDER_TYPES)
    validation.required(params, "symbol")
    qty = validation.quantity(params)
    account = validation.account_of(login, params)
    contract = validation.contract_of(desk, params)
    _refuse_tag(params)
    terms = validation.order_terms(desk, contract, params, qty)
    validation.check_session(desk, terms.order_type)
    return Order(desk.ids.take(), account, contract, action, terms, sender_of(call))


def _leg(desk: Desk, entry: Order, fields: object, call: Call) -> Order:
    if not isinstance(fields, dict):
        raise HttpRefusalError(400, "bracket must be an object")
    action = validation.choice(fields, "action", validation.ACTIONS)
    terms = validation.order_terms(desk, entry.contract, fields, entry.terms.qty)
    sender = replace(sender_of(call), cl_ord_id=validation.text(fields, "clOrdId"))
    leg = Order(desk.ids.take(), entry.account, entry.contract, action, terms, sender)
    leg.parent_id = entry.id
    return leg


def sender_of(call: Call) -> Sender:
    session = call.session
    if session is None:
        raise HttpRefusalError(401, "Access is denied")
    return Sender(
        session.login.user_id,
        session.id,
        validation.text(call.params, "clOrdId"),
        validation.flag(call.params, "isAutomated"),
    )


def _refuse_tag(params: dict[str, Any]) -> None:
    if params.get("customTag50") is not None:
        raise CommandRefusedError("UnknownReason", "customTag50 is not enabled")


def _new_terms(desk: Desk, order: Order, params: dict[str, Any]) -> Terms:
    """What modifyorder asks for. A trailing stop keeps its prices, so they need not be stated."""
    old = order.terms
    is_trailing = old.order_type in TRAILING
    if is_trailing and old.stop_price is not None and params.get("stopPrice") is None:
        params = {**params, "stopPrice": money(old.stop_price)}
    terms = validation.order_terms(desk, order.contract, params, validation.quantity(params))
    if is_trailing:
        _only_quantity(old, terms)
        terms = replace(old, qty=terms.qty)
    if terms.qty <= order.filled:
        raise CommandRefusedError("TooLate", "Order quantity is already filled")
    return terms


def _only_quantity(old: Terms, new: Terms) -> None:
    changed_stop = new.stop_price is not None and new.stop_price != old.stop_price
    if new.order_type != old.order_type or changed_stop:
        raise CommandRefusedError("TrailingStopNonOrderQtyModify", "Only quantity of a trailing stop may be modified")


def _modify_held(desk: Desk, leg: Order, terms: Terms, sender: Sender, command_id: int) -> None:
    """A suspended leg changes in the middle of a no-op Modify of its strategy's working entry."""
    entry = None if leg.group is None or leg.strategy is None else leg.group.entry
    if entry is None or not entry.is_working:
        lifecycle.modify_held(desk, leg, terms, sender, command_id)
        return
    touch = lifecycle.begin_modify(desk, entry, entry.terms, replace(sender, cl_ord_id=None), desk.ids.take())
    lifecycle.modify_held(desk, leg, terms, sender, command_id)
    lifecycle.finish_modify(desk, entry, entry.terms, touch)


def record_entry(desk: Desk, order: Order, kind: str, uuid: str | None = None) -> None:
    """Remember an accepted entry, so that a checker can prove that nothing was doubled."""
    order.account.entries.append(
        {
            "time": desk.stamp(),
            "kind": kind,
            "id": order.id,
            "clOrdId": order.sender.cl_ord_id,
            "uuid": uuid,
            "symbol": order.contract.name,
            "action": order.action,
            "qty": order.terms.qty,
            "orderType": order.terms.order_type,
        }
    )
