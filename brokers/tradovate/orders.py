"""Our requests as Tradovate calls, and its answers as outcomes; pure.

An entry with exits is `orderStrategy/startorderstrategy`: distances count from the fill, the venue links the legs and
cancels the sibling, and one request means that no crash leaves the entry without its stop. Offsets are price points,
signed by direction; `isAutomated` is an exchange rule (Tradovate wire facts, trading calls). What protects a position
is GTC: it must outlive the session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from brokers.access import Priority
from brokers.base import (
    BracketLeg,
    CancelOrder,
    FlattenPosition,
    ModifyOrder,
    OrderRole,
    OrderType,
    Request,
    Side,
    SubmitOco,
    SubmitOrder,
    Trail,
    client_ids,
    role_of,
)
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

    def with_ticket(self, ticket: str) -> Call:
        """The identical call, and the penalty ticket that lets it pass."""
        return Call(self.endpoint, b'%b,"p-ticket":%b}' % (self.body[:-1], orjson.dumps(ticket)))


def call_for(request: Request, contract_id: int | None = None) -> Call:
    """The call that does it. `contract_id` is needed for a flatten; raises `ValueError` for what cannot be said."""
    match request:
        case SubmitOrder(bracket=()):
            return Call("order/placeorder", _dumps({**_target(request), **_entry(request), **_own_id(request)}))
        case SubmitOrder():
            return Call("orderStrategy/startorderstrategy", _dumps(_strategy(request)))
        case SubmitOco():
            return Call("order/placeoco", _dumps(_oco(request)))
        case ModifyOrder():
            body = {"orderId": int(request.broker_order_id), **_changed(request), **_own_id(request)}
            return Call("order/modifyorder", _dumps(body))
        case FlattenPosition():
            if contract_id is None:
                raise ValueError(f"no contract id for {request.symbol}")
            body = {"accountId": int(request.account.broker_id), "contractId": contract_id, "admin": False}
            return Call("order/liquidateposition", _dumps({**body, "isAutomated": True}))
        case CancelOrder():
            body = {"orderId": int(request.broker_order_id), "isAutomated": True}
            return Call("order/cancelorder", _dumps({**body, **_own_id(request)}))


def priority_of(request: Request) -> Priority:
    """Whose turn it is when requests are short: an order that opens a position comes after all that close one."""
    match request:
        case FlattenPosition():
            return Priority.FLATTEN
        case SubmitOco():
            return Priority.STOP
        case SubmitOrder(is_protective=True, order_type=OrderType.STOP | OrderType.TRAILING_STOP):
            return Priority.STOP
        case SubmitOrder(is_protective=False) if role_of(request.client_order_id) is OrderRole.ENTRY:
            return Priority.ENTRY
        case _:
            return Priority.EXIT


def outcome_of(request: Request, payload: Any, at: datetime) -> Outcome:
    """What a 2xx answer means. An answer that is neither an acceptance nor a refusal is `Unknown`."""
    if not isinstance(payload, dict):
        return Unknown(request.client_order_id, "the venue's answer could not be read", at)
    refusal = refusal_of(payload)
    if refusal is not None:
        return Rejected(request.client_order_id, refusal.code, refusal.text, at)
    accepted = _acceptance(request, payload, at)
    return accepted or Unknown(request.client_order_id, "the venue's answer names no order", at)


def outcome_of_each(request: Request, outcome: Outcome, payload: Any) -> tuple[Outcome, ...]:
    """A request's outcome for each of its client ids: what it does, it does to all of its orders.

    `outcome` is that of the first; `payload` is the answer that made it, if there was one.
    """
    others = [replace(outcome, client_order_id=name) for name in client_ids(request)[1:]]
    if isinstance(outcome, Accepted):
        others = [_accepted_stop(other.client_order_id, payload, outcome.at) for other in others]
    return outcome, *others


def _accepted_stop(client_order_id: str, payload: Json, at: datetime) -> Outcome:
    if "ocoId" not in payload:
        return Unknown(client_order_id, "the venue's answer does not name the stop", at)
    return Accepted(client_order_id, str(payload["ocoId"]), at)


def _acceptance(request: Request, payload: Json, at: datetime) -> Accepted | None:
    strategy = payload.get("orderStrategy")
    if isinstance(strategy, dict) and "id" in strategy:
        return Accepted(request.client_order_id, None, at, broker_strategy_id=str(strategy["id"]))
    if "orderId" in payload:
        return Accepted(request.client_order_id, str(payload["orderId"]), at)
    if isinstance(request, CancelOrder | ModifyOrder) and "commandId" in payload:
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
    params = {"entryVersion": _entry(order), "brackets": [_bracket(order.side, leg) for leg in order.bracket]}
    return {
        **_target(order),
        "orderStrategyTypeId": BRACKET_STRATEGY_TYPE,
        "params": _dumps(params).decode(),
        "uuid": order.client_order_id,
        "isAutomated": True,
    }


def _oco(pair: SubmitOco) -> dict[str, Any]:
    lasting = {"action": _ACTIONS[pair.side], "orderQty": pair.qty, "timeInForce": "GTC", "isAutomated": True}
    target = {**lasting, "orderType": "Limit", "price": _number(pair.target_price)}
    stop = {**lasting, "orderType": "Stop", "stopPrice": _number(pair.stop_price)}
    return {**_target(pair), **target, **_own_id(pair), "other": {**stop, "clOrdId": pair.stop_client_order_id}}


def _target(order: SubmitOrder | SubmitOco) -> dict[str, Any]:
    return {
        "accountSpec": order.account.name,
        "accountId": int(order.account.broker_id),
        "symbol": order.symbol,
        "action": _ACTIONS[order.side],
    }


def _entry(order: SubmitOrder) -> dict[str, Any]:
    # Legs inherit it from their entry.
    lasting = order.is_protective or bool(order.bracket)
    return {**_terms(order), **_prices(order), "timeInForce": "GTC" if lasting else "Day"}


def _changed(change: ModifyOrder) -> dict[str, Any]:
    """A trailing stop keeps its prices, which the venue has moved since: stating none leaves them alone."""
    trailing = change.order_type is OrderType.TRAILING_STOP and change.stop_price is None
    return {**_terms(change), **({} if trailing else _prices(change)), "timeInForce": "GTC"}


def _terms(order: SubmitOrder | ModifyOrder) -> dict[str, Any]:
    return {"orderQty": order.qty, "orderType": _TYPES[order.order_type]}


def _prices(order: SubmitOrder | ModifyOrder) -> dict[str, Any]:
    """The prices that the order's type has. Raises `ValueError` when one is missing."""
    if order.order_type is OrderType.LIMIT:
        return {"price": _number(order.price, "a limit order needs a price")}
    if order.order_type in (OrderType.STOP, OrderType.TRAILING_STOP):
        return {"stopPrice": _number(order.stop_price, "a stop order needs a stop price")}
    return {}


def _own_id(request: Request) -> dict[str, Any]:
    return {"clOrdId": request.client_order_id, "isAutomated": True}


def _bracket(side: Side, leg: BracketLeg) -> dict[str, Any]:
    """A missing leg is left out: 0 would mean a leg at the entry's price.

    A stop that trails from the start is the venue's own TrailingStop, which keeps its distance and knows no steps.
    """
    trails_at_once = leg.trail is not None and leg.trail.trigger == 0
    bracket: dict[str, Any] = {"qty": leg.qty, "trailingStop": trails_at_once}
    stop_distance = leg.trail.distance if leg.trail is not None and trails_at_once else leg.stop_distance
    if leg.target_distance is not None:
        bracket["profitTarget"] = _number(leg.target_distance * side.sign)
    if stop_distance is not None:
        bracket["stopLoss"] = _number(-stop_distance * side.sign)
    if leg.trail is not None and not trails_at_once:
        bracket["autoTrail"] = _auto_trail(leg, leg.trail)
    return bracket


def _auto_trail(leg: BracketLeg, trail: Trail) -> dict[str, Any]:
    """Its distances are positive on either side. Without `freq` the stop moves with every tick."""
    if leg.stop_distance is None:
        raise ValueError("a stop that trails from a trigger on needs a distance until then")
    auto = {"stopLoss": _number(trail.distance), "trigger": _number(trail.trigger)}
    return {**auto, "freq": _number(trail.step)} if trail.step else auto


def _number(value: Decimal | None, missing: str = "") -> orjson.Fragment:
    """The exact digits as a JSON number: a price never passes through a float."""
    if value is None:
        raise ValueError(missing)
    return orjson.Fragment(format(value, "f"))


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value)
