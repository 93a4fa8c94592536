"""Our own JSON: the canonical template, and the bare `action/ticker/price/contracts` form that is a part of it."""

from __future__ import annotations

from recorders import fields
from recorders.alert import Action, ParsedAlert, Refusal, shown
from recorders.fields import Fields

ACTIONS: dict[str, Action] = {
    "buy": Action.BUY,
    "long": Action.BUY,
    "enter_long": Action.BUY,
    "sell": Action.SELL,
    "short": Action.SELL,
    "enter_short": Action.SELL,
    "close": Action.CLOSE,
    "exit": Action.CLOSE,
    "flat": Action.CLOSE,
    "flatten": Action.CLOSE,
}


def speaks(alert: Fields) -> bool:
    return "action" in alert or "ticker" in alert


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    ticker = fields.text(alert, "ticker", "symbol")
    if not ticker:
        raise Refusal("MISSING_FIELD", "ticker: is required")
    action = _action(alert)
    parsed = ParsedAlert(
        action=action,
        ticker=ticker,
        quantity=fields.quantity(alert, "contracts", "quantity", "qty"),
        price=fields.price(alert, "price", "close"),
        position=fields.signed_position(alert, "position", "position_size"),
        prev_position=fields.signed_position(alert, "prev_position", "prev_position_size"),
        fired_at=fields.moment(alert, "fired_at", "timenow"),
    )
    if action is not Action.CLOSE and parsed.quantity == 0:
        raise Refusal("QUANTITY_ZERO", "contracts: had 0, an entry needs more than 0")
    return parsed


def _action(alert: Fields) -> Action:
    word = fields.text(alert, "action")
    if not word:
        raise Refusal("MISSING_FIELD", "action: is required")
    if word.lower() not in ACTIONS:
        raise Refusal("UNKNOWN_ACTION", f"action: had {shown(word)}, wants one of {', '.join(ACTIONS)}")
    return ACTIONS[word.lower()]
