"""Tradovate's wire text as typed values; pure.

Optional fields are absent on the wire, ids are 64-bit, prices are JSON doubles: `Decimal(str(x))` gives back the
digits that were sent (Tradovate wire facts, entities).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from brokers.errors import OutcomeUnknown
from brokers.tradovate.types import (
    Account,
    CashBalance,
    Command,
    Contract,
    Entity,
    Fill,
    Order,
    OrderVersion,
    Position,
    Refusal,
    Strategy,
    StrategyLink,
)

logger = logging.getLogger(__name__)

DOLLARS = 1
ENTRY_LABEL = "256"

Json = Mapping[str, Any]


def parse_time(text: str) -> datetime:
    """Aware UTC, from any of the venue's precisions: milliseconds, seconds, or minutes only."""
    return datetime.fromisoformat(text).astimezone(UTC)


def decimal_of(value: float | int | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def messages_of(frame: bytes) -> list[Json]:
    """The messages of an `a[…]` frame. Raises `OutcomeUnknown` when it cannot be read."""
    try:
        items = orjson.loads(memoryview(frame)[1:])
        decoded = [orjson.loads(item) if isinstance(item, str) else item for item in items]
    except (orjson.JSONDecodeError, TypeError):
        raise OutcomeUnknown("the venue sent a frame that is not JSON") from None
    if not all(isinstance(item, dict) for item in decoded):
        raise OutcomeUnknown("the venue sent a frame that is not a list of messages")
    return decoded


def close_reason(frame: bytes) -> str:
    """The text of a `c[code,"reason"]` frame; a bare `c` is tolerated."""
    try:
        code, reason = orjson.loads(frame[1:])
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return "closed by the venue"
    return f"closed by the venue: {code} {reason}"


def entities_of(entity_type: str, value: Any) -> list[Entity]:
    """The typed entities of one change; types that we do not follow give none. `value` may be an object or a list."""
    reader = _READERS.get(entity_type)
    if reader is None:
        return []
    found: list[Entity] = []
    for item in value if isinstance(value, list) else [value]:
        try:
            entity = reader(item)
        except (KeyError, TypeError, ValueError) as error:
            # One unreadable entity must not blind us to the rest of the login.
            logger.warning("tradovate sent an unreadable %s: %r", entity_type, error)
            continue
        if entity is not None:
            found.append(entity)
    return found


def snapshot_entities(sync: Json) -> list[Entity]:
    """Every followed entity of a sync reply, in an order in which joins exist before they are needed."""
    return [entity for key, entity_type in SYNC_KEYS for entity in entities_of(entity_type, sync.get(key) or [])]


def _account(item: Json) -> Account:
    closed = bool(item.get("closed")) or bool(item.get("archived")) or item.get("active") is False
    return Account(item["id"], item["name"], open=not closed)


def _order(item: Json) -> Order:
    return Order(
        item["id"], item["accountId"], item.get("contractId"), item["action"], item["ordStatus"], item.get("parentId")
    )


def _order_version(item: Json) -> OrderVersion:
    return OrderVersion(
        item["id"],
        item["orderId"],
        item["orderQty"],
        item["orderType"],
        decimal_of(item.get("price")),
        decimal_of(item.get("stopPrice")),
    )


def _command(item: Json) -> Command:
    return Command(item["id"], item["orderId"], item.get("clOrdId"), item["commandType"])


def _command_report(item: Json) -> Refusal | None:
    if item["commandStatus"] not in ("RiskRejected", "ExecutionRejected"):
        return None
    return Refusal(item["id"], item["commandId"], *_reason(item))


def _execution_report(item: Json) -> Refusal | None:
    if item["execType"] != "Rejected":
        return None
    return Refusal(item["id"], item["commandId"], *_reason(item))


def _reason(item: Json) -> tuple[str, str]:
    return item.get("rejectReason") or "Rejected", item.get("text") or ""


def _fill(item: Json) -> Fill:
    price = decimal_of(item.get("price"))
    return Fill(
        item["id"],
        item["orderId"],
        item["contractId"],
        item["action"],
        item["qty"],
        None if price is None or price == 0 else price,
        parse_time(item["timestamp"]),
    )


def _position(item: Json) -> Position:
    return Position(
        item["id"],
        item["accountId"],
        item["contractId"],
        item["netPos"],
        decimal_of(item.get("netPrice")),
        parse_time(item["timestamp"]),
    )


def _cash_balance(item: Json) -> CashBalance | None:
    """An account has one for each currency it holds."""
    amount = decimal_of(item["amount"])
    if amount is None or item["currencyId"] != DOLLARS:
        return None
    return CashBalance(item["accountId"], amount, parse_time(item["timestamp"]))


def _strategy(item: Json) -> Strategy:
    return Strategy(
        item["id"],
        item["accountId"],
        item.get("contractId"),
        item["action"],
        item.get("uuid"),
        item["status"],
        item.get("failureMessage") or "",
    )


def _strategy_link(item: Json) -> StrategyLink:
    label = str(item.get("label"))
    index = int(label) if label.isdecimal() and label != ENTRY_LABEL else None
    return StrategyLink(item["id"], item["orderStrategyId"], item["orderId"], index)


_READERS: dict[str, Callable[[Json], Entity | None]] = {
    "account": _account,
    "contract": lambda item: Contract(item["id"], item["name"]),
    "order": _order,
    "orderVersion": _order_version,
    "command": _command,
    "commandReport": _command_report,
    "executionReport": _execution_report,
    "fill": _fill,
    "position": _position,
    "cashBalance": _cash_balance,
    "orderStrategy": _strategy,
    "orderStrategyLink": _strategy_link,
}

SYNC_KEYS = (
    ("accounts", "account"),
    ("contracts", "contract"),
    ("orderStrategies", "orderStrategy"),
    ("orderStrategyLinks", "orderStrategyLink"),
    ("commands", "command"),
    ("orders", "order"),
    ("orderVersions", "orderVersion"),
    ("commandReports", "commandReport"),
    ("executionReports", "executionReport"),
    ("fills", "fill"),
    ("positions", "position"),
    ("cashBalances", "cashBalance"),
)
