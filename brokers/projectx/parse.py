"""The Gateway's JSON as typed values; pure.

Null members are left out on the hub, and an event's argument is the record or `{"action", "data"}` around it
(ProjectX wire facts, hubs). Prices are JSON doubles: `Decimal(str(x))` gives back the digits that were sent.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, TypeVar

import orjson

from brokers.errors import OutcomeUnknown
from brokers.projectx.types import (
    Account,
    Contract,
    Order,
    OrderKind,
    OrderSide,
    OrderState,
    Position,
    PositionKind,
    Record,
    Trade,
)

logger = logging.getLogger(__name__)

Json = Mapping[str, Any]
_R = TypeVar("_R")
_K = TypeVar("_K", bound=IntEnum)
_UNREADABLE = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)


def parse_time(text: str) -> datetime:
    """Aware UTC; the venue's fractions have none to seven digits, and a time without an offset is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def decimal_of(value: float | int | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def token_expiry(token: str) -> datetime | None:
    """When a JWT says that it ends; None for what cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
        return None


def unwrapped(argument: Any) -> Any:
    """The record of a hub event's argument, in an envelope or bare."""
    return argument.get("data", argument) if isinstance(argument, dict) else argument


def account_of(row: Json) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        balance=Decimal(str(row.get("balance", 0))),
        can_trade=row.get("canTrade") is True,
        is_visible=row.get("isVisible") is not False,
        is_simulated=row.get("simulated") is True,
    )


def contract_of(row: Json) -> Contract:
    return Contract(
        id=row["id"],
        name=row["name"],
        symbol_id=row.get("symbolId") or "",
        tick=Decimal(str(row["tickSize"])),
        tick_value=Decimal(str(row["tickValue"])),
        is_front=row.get("activeContract") is True,
    )


def order_of(row: Json) -> Order:
    created = parse_time(row["creationTimestamp"])
    updated = row.get("updateTimestamp")
    return Order(
        id=row["id"],
        account_id=row["accountId"],
        contract_id=row["contractId"],
        state=_member(OrderState, row["status"], OrderState.NONE),
        kind=_member(OrderKind, row["type"], OrderKind.UNKNOWN),
        side=OrderSide(row["side"]),
        size=row["size"],
        filled=row.get("fillVolume") or 0,
        created_at=created,
        updated_at=created if updated is None else parse_time(updated),
        limit_price=decimal_of(row.get("limitPrice")),
        stop_price=decimal_of(row.get("stopPrice")),
        average=decimal_of(row.get("filledPrice")),
        tag=row.get("customTag") or "",
        parent_id=row.get("parentOrderId") or None,
    )


def position_of(row: Json) -> Position:
    """A closed one is of the undefined kind with a size of 0."""
    signs = {PositionKind.LONG: 1, PositionKind.SHORT: -1, PositionKind.UNDEFINED: 0}
    net = signs[PositionKind(row["type"])] * row["size"]
    average = decimal_of(row.get("averagePrice")) if net != 0 else None
    return Position(row["accountId"], row["contractId"], net, average)


def trade_of(row: Json) -> Trade:
    return Trade(
        id=row["id"],
        account_id=row["accountId"],
        contract_id=row["contractId"],
        order_id=row["orderId"],
        side=OrderSide(row["side"]),
        size=row["size"],
        price=Decimal(str(row["price"])),
        at=parse_time(row["creationTimestamp"]),
        pnl=decimal_of(row.get("profitAndLoss")),
        fees=Decimal(str(row.get("fees") or 0)),
        commissions=Decimal(str(row.get("commissions") or 0)),
        is_voided=row.get("voided") is True,
    )


_USER_EVENTS: dict[str, Callable[[Json], Record]] = {
    "gatewayuseraccount": account_of,
    "gatewayuserorder": order_of,
    "gatewayuserposition": position_of,
    "gatewayusertrade": trade_of,
}


def records_of(target: str, arguments: Any) -> list[Record]:
    """The records of a user hub event, whose name may come in any case; events that we do not follow give none."""
    reader = _USER_EVENTS.get(target.lower())
    return [] if reader is None else rows_of(reader, (unwrapped(argument) for argument in arguments))


def rows_of(reader: Callable[[Json], _R], rows: Iterable[Any]) -> list[_R]:
    """Each row read. One that cannot be read must not blind us to the rest: it is left out and logged."""
    found = []
    for row in rows:
        try:
            found.append(reader(row))
        except _UNREADABLE as error:
            logger.warning("projectx sent an unreadable row for %s: %r", reader.__name__, error)
    return found


def all_rows_of(reader: Callable[[Json], _R], rows: Iterable[Any]) -> list[_R]:
    """Each row read, where what is missing counts as not there. Raises `OutcomeUnknown` when one cannot be read."""
    try:
        return [reader(row) for row in rows]
    except _UNREADABLE as error:
        raise OutcomeUnknown(f"the venue sent an unreadable row for {reader.__name__}: {error!r}") from None


def _member(kinds: type[_K], value: int, unknown: _K) -> _K:
    """A value that is newer than this code is not an error."""
    try:
        return kinds(value)
    except ValueError:
        return unknown
