"""One alert, read field by field under the names that a dialect gives the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from recorders import fields
from recorders.alert import ENTRIES, Action, Flag, ParsedAlert, Refusal, shown
from recorders.dialects import positions
from recorders.dialects.overrides import Overrides, Stated
from recorders.dialects.words import ACTIONS, action_of
from recorders.fields import Fields
from recorders.setting_types import EntryType

Aliases = tuple[str, ...]
_POSITIONS = positions.Names()
_DELAYED = ("_DL", "_DLY")


@dataclass(frozen=True, slots=True)
class Names:
    """What each field is called; the first that the alert has counts. The defaults are ours and our predecessor's.

    `fired_at` must be a time, `noticed_at` may be anything. `weak_action` counts where nothing else names an action.
    """

    ticker: Aliases = ("ticker", "symbol", "instrument")
    exchange: Aliases = ("exchange",)
    action: Aliases = ("action", "order_action", "side", "signal", "direction")
    weak_action: Aliases = ("order_type", "type")
    quantity: Aliases = ("contracts", "quantity", "qty", "size")
    price: Aliases = ("price", "close", "last")
    order_type: Aliases = ("order_type",)
    limit_price: Aliases = ("limit_price",)
    fired_at: Aliases = ("fired_at",)
    noticed_at: Aliases = ("timenow", "time_now", "timestamp")
    strategy: Aliases = ("strategy",)
    premium: Aliases = ("premium", "option_premium")
    positions: positions.Names = _POSITIONS


def read(
    alert: Fields,
    names: Names,
    dialect: str,
    overrides: Callable[[], Mapping[str, Stated]],
    actions: Mapping[str, Action] = ACTIONS,
) -> ParsedAlert:
    """Raises `Refusal` naming the field.

    `overrides` are read where a position may be entered, nowhere else: a bad stop must not keep an exit from exiting.
    """
    action = _action(alert, names, actions)
    if action is Action.HEARTBEAT:
        return ParsedAlert(action, "", dialect, fired_at=_fired_at(alert, names))
    quantity = fields.quantity(alert, *names.quantity)
    stand = positions.read(alert, names.positions, action, quantity)
    action = action or positions.action_of(stand)
    if action is None:
        raise Refusal("MISSING_FIELD", f"{names.action[0]}: is required")
    parsed = ParsedAlert(
        action=action,
        ticker=_ticker(alert, names, action),
        dialect=dialect,
        quantity=quantity,
        price=fields.price_if_any(alert, *names.price),
        position=stand.after,
        prev_position=stand.before,
        position_side=stand.side,
        fired_at=_fired_at(alert, names),
        strategy=fields.label(alert, *names.strategy),
        premium=_premium(alert, names),
        flags=_flags(alert, names),
    )
    if action in ENTRIES and stand.after == 0 and stand.before is None:
        # A buy or sell that leaves nothing open is an exit. Where a chain of positions is told, its direction counts.
        parsed = replace(parsed, action=Action.CLOSE)
    if parsed.action in ENTRIES and quantity == 0:
        name = fields.first_present(alert, names.quantity)[0]
        raise Refusal("QUANTITY_ZERO", f"{name}: had 0, an entry needs more than 0")
    if parsed.action in ENTRIES and stand.after != 0:
        parsed = replace(parsed, settings=overrides())
    return _with_order_type(alert, names, parsed)


def _action(alert: Fields, names: Names, actions: Mapping[str, Action]) -> Action | None:
    name, value = fields.first_present(alert, names.action)
    if value is not None:
        word = fields.text(alert, name)
        return action_of(name, word, actions) if word else None
    for name in names.weak_action:
        value = alert.get(name)
        if isinstance(value, str) and value.strip().lower() in actions:
            return actions[value.strip().lower()]
    return None


def _ticker(alert: Fields, names: Names, action: Action) -> str:
    ticker = fields.text(alert, *names.ticker)
    if not ticker and action is not Action.CANCEL:
        raise Refusal("MISSING_FIELD", f"{names.ticker[0]}: is required")
    return ticker or ""


def _fired_at(alert: Fields, names: Names) -> datetime | None:
    strict = fields.moment(alert, *names.fired_at) if names.fired_at else None
    return strict or fields.moment_if_any(alert, *names.noticed_at)


def _premium(alert: Fields, names: Names) -> Decimal | None:
    premium = fields.price_if_any(alert, *names.premium)
    if premium is not None and premium < 0:
        raise Refusal("BAD_OVERRIDE", f"{names.premium[0]}: had {premium}, limit 0")
    return premium


def _flags(alert: Fields, names: Names) -> tuple[Flag, ...]:
    """TradingView marks the exchange of a chart without real-time data (integration facts §1.2)."""
    exchange = fields.label(alert, *names.exchange)
    prefix = fields.label(alert, *names.ticker).rpartition(":")[0]
    is_delayed = any(name.upper().endswith(_DELAYED) for name in (exchange, prefix))
    return (Flag.DELAYED_DATA,) if is_delayed else ()


def _with_order_type(alert: Fields, names: Names, parsed: ParsedAlert) -> ParsedAlert:
    """At the market, or an entry at a limit. A resting stop is nothing that we could do as it is meant.

    An exit at a limit goes at the market: templates say `limit` in every message, and what is to end must end.
    """
    if parsed.action is Action.CANCEL:
        return parsed
    name, value = fields.first_stated(alert, names.order_type)
    kind = _order_type(name, value)
    if parsed.action not in ENTRIES or parsed.position == 0 or kind is EntryType.MARKET:
        return parsed
    limit = fields.price_if_any(alert, *names.limit_price)
    if limit is None or limit == 0:
        if kind is None:
            return parsed
        limit = parsed.price
    if limit is None:
        raise Refusal("MISSING_FIELD", f"{names.limit_price[0]}: is required for a limit entry")
    settings: Overrides = {**parsed.settings, "entry_type": Stated(EntryType.LIMIT, name)}
    return replace(parsed, limit_price=limit, settings=settings)


def _order_type(name: str, value: object) -> EntryType | None:
    """None where the alert does not say. Raises `Refusal` for what is neither market nor limit."""
    if value is None:
        return None
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in ACTIONS:
        return None
    if word in {"market", "mkt"}:
        return EntryType.MARKET
    if word in {"limit", "lmt"}:
        return EntryType.LIMIT
    if isinstance(value, str):
        fields.refuse_bad_text(name, value)
    raise Refusal("NOT_SERVED", f"{name}: had {shown(value)}, wants market or limit")
