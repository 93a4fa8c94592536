"""The ``params`` text of startorderstrategy: an entry version and its brackets (Tradovate wire facts, 5.8)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate.calls import CommandRefusedError, HttpRefusalError, ViolationError
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.orders import SIGN, BracketPlan, Terms
from brokers.sandbox.tradovate.validation import check_price, flag, order_terms, price, quantity

INVALID = "Invalid or missed parameters"
LONGEST_PARAMS = 8192
_BREAKEVEN_FIELDS = frozenset({"breakeven", "breakevenPlus"})


class StrategyRefusedError(Exception):
    """Answered with ``errorText`` (and a failureReason when one fits)."""

    def __init__(self, text: str, reason: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StrategyParams:
    entry: Terms
    brackets: list[tuple[int, BracketPlan]]


def parse_strategy_params(desk: Desk, contract: Contract, action: str, raw: object) -> StrategyParams:
    """Raises StrategyRefusedError for anything the venue would not start."""
    document = _document(raw)
    entry = document.get("entryVersion")
    brackets = document.get("brackets", [])
    if not isinstance(entry, dict) or not isinstance(brackets, list):
        raise StrategyRefusedError(INVALID)
    try:
        terms = order_terms(desk, contract, entry, quantity(entry))
        plans = [_bracket(desk, contract, action, terms, bracket) for bracket in brackets]
    except CommandRefusedError as refused:
        raise StrategyRefusedError(refused.text, refused.reason) from refused
    except (HttpRefusalError, ViolationError) as refused:
        raise StrategyRefusedError(f"{INVALID}: {refused}") from refused
    return StrategyParams(terms, plans)


def _document(raw: object) -> dict[str, Any]:
    if not isinstance(raw, str) or len(raw) > LONGEST_PARAMS:
        raise StrategyRefusedError(INVALID)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise StrategyRefusedError(INVALID) from broken
    if not isinstance(document, dict):
        raise StrategyRefusedError(INVALID)
    return document


def _bracket(desk: Desk, contract: Contract, action: str, entry: Terms, raw: object) -> tuple[int, BracketPlan]:
    if not isinstance(raw, dict):
        raise StrategyRefusedError(INVALID)
    if _BREAKEVEN_FIELDS & set(raw):
        raise StrategyRefusedError("Stop and Stop/Limit breakeven supported only")
    qty = quantity(raw, "qty") if raw.get("qty") is not None else entry.qty
    plan = BracketPlan(
        target=price(raw, "profitTarget"),
        stop=price(raw, "stopLoss"),
        trailing=flag(raw, "trailingStop"),
        absolute=flag(raw, "absPrice"),
    )
    _read_auto_trail(plan, raw.get("autoTrail"))
    _check_offsets(desk, contract, action, plan)
    return qty, plan


def _read_auto_trail(plan: BracketPlan, raw: object) -> None:
    if raw is None:
        return
    if not isinstance(raw, dict):
        raise StrategyRefusedError(INVALID)
    plan.trail_distance = price(raw, "stopLoss")
    plan.trail_trigger = price(raw, "trigger")
    plan.trail_step = price(raw, "freq")
    if plan.trail_distance is None or plan.trail_trigger is None:
        raise StrategyRefusedError(INVALID)


def _check_offsets(desk: Desk, contract: Contract, action: str, plan: BracketPlan) -> None:
    for value, towards in ((plan.target, 1), (plan.stop, -1)):
        if value is None:
            continue
        if plan.absolute:
            check_price(desk, contract, value)
            continue
        if not contract.product.on_tick(value):
            raise StrategyRefusedError("Bracket offsets must be multiples of the tick size", "InvalidPrice")
        if value * SIGN[action] * towards <= Decimal(0):
            raise StrategyRefusedError(INVALID)
