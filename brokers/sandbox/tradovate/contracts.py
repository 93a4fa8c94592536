"""contract/*, product/* endpoints beyond plain reading (Tradovate wire facts, 5.11)."""

from __future__ import annotations

from typing import Any

from brokers.sandbox.tradovate.books import Login
from brokers.sandbox.tradovate.calls import Call, Reply, not_found
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.validation import array, required
from brokers.sandbox.tradovate.wire import Row, money


def find_contract(desk: Desk, call: Call, _login: Login) -> Reply:
    contract = desk.catalog.by_name.get(str(required(call.params, "name")))
    if contract is None or desk.catalog.expired(contract):
        raise not_found()
    return Reply(200, contract.row())


def suggest_contract(desk: Desk, call: Call, _login: Login) -> Reply:
    limit = call.params.get("l", 10)
    found = desk.catalog.suggest(str(required(call.params, "t")), limit if isinstance(limit, int) else 10)
    return Reply(200, [contract.row() for contract in found])


def roll_contract(desk: Desk, call: Call, _login: Login) -> Reply:
    return Reply(200, _roll(desk, call.params))


def roll_contracts(desk: Desk, call: Call, _login: Login) -> Reply:
    rolls = array(call.params, "rollContracts", dict)
    return Reply(200, {"contracts": {str(roll.get("name")): _roll(desk, roll).get("contract") for roll in rolls}})


def product_fee_params(desk: Desk, call: Call, _login: Login) -> Reply:
    wanted = array(call.params, "productIds", int)
    products = [product for product in desk.catalog.products.values() if product.id in wanted]
    params: list[Row] = [
        {
            "productId": product.id,
            "dayMargin": money(product.day_margin),
            "nightMargin": money(product.full_margin),
            "fullMargin": {
                "id": product.id,
                "initialMargin": money(product.full_margin),
                "maintenanceMargin": money(product.full_margin),
                "timestamp": desk.stamp(),
            },
        }
        for product in products
    ]
    return Reply(200, {"params": params})


def _roll(desk: Desk, params: dict[str, Any]) -> Row:
    """The next (or previous) contract; with ``ifExpired`` the contract itself while it still trades."""
    contract = desk.catalog.by_name.get(str(required(params, "name")))
    if contract is None:
        return {"errorText": "Contract is not found"}
    if params.get("ifExpired") is True and not desk.catalog.expired(contract):
        return {"contract": contract.row()}
    following = desk.catalog.next_after(contract, forward=required(params, "forward") is True)
    return {"errorText": "Contract is not found"} if following is None else {"contract": following.row()}
