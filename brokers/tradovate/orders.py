"""Our requests as Tradovate calls, and its answers as outcomes; pure.

An entry with exits is `orderStrategy/startorderstrategy`: distances count from the fill, the venue links the legs and
cancels the sibling, and one request means that no crash leaves the entry without its stop. Offsets are price points,
signed by direction; `isAutomated` is an exchange rule (Tradovate wire facts, trading calls).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from brokers.base import BracketLeg, CancelOrder, FlattenPosition, OrderType, Request, Side, SubmitOrder
from brokers.errors import Refused
from brokers.reports import Accepted, Outcome, Rejected, Unknown
from brokers.tradovate.parse import Json

BRACKET_STRATEGY_TYPE = 2
_ACTIONS = {Side.BUY: "Buy", Side.SELL: "Sell"}
_TYPES = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop",
    OrderType.TRAILING_STOP: "TrailingStop",
}


@dataclass(frozen=True, slots=True)
class Call:
    """An endpoint and its JSON body, the same over socket and REST."""

    endpoint: str
    body: bytes


def call_for(request: Request, contract_id: int | None = None) -> Call:
    """The call that does it. `contract_id` is needed for a flatten; raises `ValueError` for what cannot be said."""
    match request:
        case SubmitOrder(bracket=()):
            return Call("order/placeorder", _dumps({**_target(request), **_terms(request), **_own_id(request)}))
        case SubmitOrder():
            return Call("orderStrategy/startorderstrategy", _dumps(_strategy(request)))
        case FlattenPosition():
            if contract_id is None:
                raise ValueError(f"no contract id for {request.symbol}")
            body = {"accountId": int(request.account.broker_id), "contractId": contract_id, "admin": False}
            return Call("order/liquidateposition", _dumps({**body, "isAutomated": True}))
        case CancelOrder():
            body = {"orderId": int(request.broker_order_id), "isAutomated": True}
            return Call("order/cancelorder", _dumps({**body, **_own_id(request)}))


def outcome_of(request: Request, payload: Any, at: datetime) -> Outcome:
    """What a 2xx answer means. An answer that is neither an acceptance nor a refusal is `Unknown`."""
    if not isinstance(payload, dict):
        return Unknown(request.client_order_id, "the venue's answer could not be read", at)
    refusal = refusal_of(payload)
    if refusal is not None:
        return Rejected(request.client_order_id, refusal.code, refusal.text, at)
    accepted = _acceptance(request, payload, at)
    return accepted or Unknown(request.client_order_id, "the venue's answer names no order", at)


def _acceptance(request: Request, payload: Json, at: datetime) -> Accepted | None:
    strategy = payload.get("orderStrategy")
    if isinstance(strategy, dict) and "id" in strategy:
        return Accepted(request.client_order_id, None, at, broker_strategy_id=str(strategy["id"]))
    if "orderId" in payload:
        return Accepted(request.client_order_id, str(payload["orderId"]), at)
    if isinstance(request, CancelOrder) and "commandId" in payload:
        return Accepted(request.client_order_id, request.broker_order_id, at)
    # Nothing to close: every field of the answer is optional, and without a reason it is not a refusal.
    return Accepted(request.client_order_id, None, at) if isinstance(request, FlattenPosition) else None


def refusal_of(payload: Json) -> Refused | None:
    """The refusal inside a 200 answer: `failureReason`, `errorText` or `violations`."""
    reason = payload.get("failureReason")
    error_text = payload.get("errorText")
    violations = payload.get("violations")
    if violations:
        texts = [f"{item.get('constraint', '')}: {item.get('description', '')}" for item in violations]
        return Refused("Violation", "; ".join(texts))
    if reason not in (None, "Success"):
        return Refused(str(reason), str(payload.get("failureText") or error_text or ""))
    if error_text:
        return Refused("Refused", str(error_text))
    return None


def _strategy(order: SubmitOrder) -> dict[str, Any]:
    if sum(leg.qty for leg in order.bracket) != order.qty:
        raise ValueError("the bracket's quantities do not sum to the entry's")
    params = {"entryVersion": _terms(order), "brackets": [_bracket(order.side, leg) for leg in order.bracket]}
    return {
        **_target(order),
        "orderStrategyTypeId": BRACKET_STRATEGY_TYPE,
        "params": _dumps(params).decode(),
        "uuid": order.client_order_id,
        "isAutomated": True,
    }


def _target(order: SubmitOrder) -> dict[str, Any]:
    return {
        "accountSpec": order.account.name,
        "accountId": int(order.account.broker_id),
        "symbol": order.symbol,
        "action": _ACTIONS[order.side],
    }


def _terms(order: SubmitOrder) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "orderQty": order.qty,
        "orderType": _TYPES[order.order_type],
        # Legs inherit it: a position held over the session's end must keep its stop.
        "timeInForce": "GTC" if order.bracket else "Day",
    }
    if order.order_type is OrderType.LIMIT:
        terms["price"] = _number(order.price, "a limit order needs a price")
    if order.order_type in (OrderType.STOP, OrderType.TRAILING_STOP):
        terms["stopPrice"] = _number(order.stop_price, "a stop order needs a stop price")
    return terms


def _own_id(request: Request) -> dict[str, Any]:
    return {"clOrdId": request.client_order_id, "isAutomated": True}


def _bracket(side: Side, leg: BracketLeg) -> dict[str, Any]:
    """A missing leg is left out: 0 would mean a leg at the entry's price."""
    bracket: dict[str, Any] = {"qty": leg.qty, "trailingStop": False}
    if leg.target_distance is not None:
        bracket["profitTarget"] = _number(leg.target_distance * side.sign)
    if leg.stop_distance is not None:
        bracket["stopLoss"] = _number(-leg.stop_distance * side.sign)
    return bracket


def _number(value: Decimal | None, missing: str = "") -> orjson.Fragment:
    """The exact digits as a JSON number: a price never passes through a float."""
    if value is None:
        raise ValueError(missing)
    return orjson.Fragment(format(value, "f"))


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value)
