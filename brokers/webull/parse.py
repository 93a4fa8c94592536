"""Webull's JSON as typed values; pure.

Decimals are strings, times come as milliseconds (number or text) or as ISO text with `Z` or `+0000`; lists are groups
of orders (Webull wire facts, orders). What cannot be read is `OutcomeUnknown`: an answer like that proves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import orjson

from brokers.base import AccountRef, OrderType, Side
from brokers.errors import OutcomeUnknown
from brokers.webull.instruments import occ_of
from brokers.webull.types import (
    MASTER,
    NORMAL,
    STOP_LOSS,
    STOP_PROFIT,
    Account,
    Market,
    OrderState,
    PositionState,
    Status,
    TradeEvent,
)

logger = logging.getLogger(__name__)

Json = Mapping[str, Any]
_T = TypeVar("_T")
_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP,
    "TRAILING_STOP_LOSS": OrderType.TRAILING_STOP,
}
_SCENES = {
    "FILLED": Status.PARTIAL_FILLED,
    "FINAL_FILLED": Status.FILLED,
    "PLACE_FAILED": Status.FAILED,
    "CANCEL_SUCCESS": Status.CANCELLED,
}


def decimal_of(value: Any) -> Decimal | None:
    """None where the venue does not say. Raises ValueError for text that is no number."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


def time_of(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    text = str(value)
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return datetime.fromisoformat(text).astimezone(UTC)


def accounts_of(answer: Any) -> tuple[Account, ...]:
    return _read(answer, lambda: tuple(_account(row) for row in _rows(answer)))


def _account(row: Json) -> Account:
    label = str(row.get("account_label") or row["account_class"])
    digits = str(row.get("account_number") or row["account_id"])[-4:]
    return Account(AccountRef(str(row["account_id"]), f"{label} …{digits}"), str(row["account_class"]))


def orders_of(groups: Any) -> tuple[OrderState, ...]:
    """Every order of a list of groups, or of the one group that a detail is."""
    rows = [groups] if isinstance(groups, Mapping) else groups
    return _read(groups, lambda: tuple(order for group in _rows(rows) for order in _group(group)))


def _group(group: Json) -> Iterator[OrderState]:
    orders = group["orders"]
    if str(group.get("combo_type") or NORMAL) == NORMAL:
        yield from (_order(row, NORMAL, None) for row in orders)
        return
    entry, master = _entry_of(group, orders)
    for row in orders:
        yield _order(row, str(row.get("combo_type") or _place_of(row, is_entry=row is entry)), master)


def _entry_of(group: Json, orders: Sequence[Json]) -> tuple[Json | None, str]:
    """The entry of a combo, where the list shows it at all, and its client order id.

    A combo goes by the client order id that it was placed with, which is its entry's; a stranger's may have another,
    and begins with its entry.
    """
    name = str(group["client_order_id"])
    named = next((row for row in orders if row["client_order_id"] == name), None)
    if named is not None or len({row["side"] for row in orders}) == 1:
        return named, name
    return orders[0], str(orders[0]["client_order_id"])


def _place_of(row: Json, *, is_entry: bool) -> str:
    """The venue does not say within a group which exit is which; their types do."""
    if is_entry:
        return MASTER
    return STOP_PROFIT if row["order_type"] == "LIMIT" else STOP_LOSS


def _order(row: Json, combo_type: str, master: str | None) -> OrderState:
    legs = row.get("legs") or ()
    filled = _whole(row.get("filled_quantity"))
    return OrderState(
        client_order_id=str(row["client_order_id"]),
        order_id=str(row["order_id"]),
        combo_type=combo_type,
        master=master if combo_type in (STOP_PROFIT, STOP_LOSS) else None,
        symbol=_symbol(row, legs),
        market=str(row["instrument_type"]),
        side=Side.BUY if row["side"] == "BUY" else Side.SELL,
        status=_status(str(row["status"])),
        order_type=_TYPES.get(row["order_type"]),
        qty=_whole(row.get("total_quantity")),
        filled=filled,
        average=decimal_of(row.get("filled_price")) if filled else None,
        limit=decimal_of(row.get("limit_price")),
        stop=decimal_of(row.get("stop_price")),
        step=decimal_of(row.get("trailing_stop_step")),
        at=_time_of_order(row),
        leg_ids=tuple(str(leg["id"]) for leg in legs if "id" in leg),
    )


def _status(text: str) -> Status:
    """A status that nobody documented is no end: the order counts as the venue's to work."""
    try:
        return Status(text)
    except ValueError:
        logger.warning("webull has an order with the unknown status %r", text)
        return Status.PENDING


def _time_of_order(row: Json) -> datetime | None:
    names = ("filled_time_at", "filled_time", "place_time_at", "place_time")
    return next((time_of(row[name]) for name in names if row.get(name)), None)


def _symbol(row: Json, legs: Any) -> str:
    """An option by its own name; a spread, which is never ours, by its underlying and strategy."""
    symbol = str(row["symbol"])
    if row["instrument_type"] != Market.OPTION or not legs:
        return symbol
    return occ_of(legs[0], symbol) if len(legs) == 1 else f"{symbol} {row.get('option_strategy') or 'SPREAD'}"


def _whole(value: Any) -> int:
    """Whole contracts or shares; the fraction of a share that somebody holds is not ours to trade."""
    return int(decimal_of(value) or 0)


def positions_of(answer: Any) -> tuple[PositionState, ...]:
    return _read(answer, lambda: tuple(_position(row) for row in _rows(answer)))


def _position(row: Json) -> PositionState:
    return PositionState(
        symbol=_symbol(row, row.get("legs") or ()),
        market=str(row["instrument_type"]),
        net=_whole(row["quantity"]),
        average=decimal_of(row.get("cost_price")),
        last=decimal_of(row.get("last_price")),
    )


def cash_of(answer: Any) -> Decimal | None:
    """Dollars with the realized result, without open positions."""
    return _read(answer, lambda: decimal_of(answer.get("total_cash_balance")))


def day_pnl_of(answer: Any) -> Decimal | None:
    """Dollars of the venue's own trading day, realised and open."""
    return _read(answer, lambda: decimal_of(answer.get("total_day_profit_loss")))


def event_of(payload: str) -> TradeEvent:
    """A business event of the trade stream. Raises `OutcomeUnknown`."""
    try:
        row = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise OutcomeUnknown("an event was not JSON") from None
    return _read(row, lambda: _event(row))


def _event(row: Json) -> TradeEvent:
    qty, filled = decimal_of(row.get("qty")), decimal_of(row.get("filled_qty"))
    return TradeEvent(
        account_id=str(row["account_id"]),
        client_order_id=str(row["client_order_id"]),
        status=_SCENES.get(str(row.get("scene_type"))),
        qty=None if qty is None else int(qty),
        filled=None if filled is None else int(filled),
        average=decimal_of(row.get("filled_price")),
        at=time_of(row.get("filled_time")),
    )


def _rows(answer: Any) -> Iterable[Any]:
    rows = answer.get("data") if isinstance(answer, Mapping) else answer
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return rows


def _read(answer: Any, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise OutcomeUnknown(f"the venue's answer could not be read: {type(error).__name__} {error}") from None
