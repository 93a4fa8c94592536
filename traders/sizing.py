"""How many contracts. Pure; `Decimal` in, whole contracts out, always rounded down: never more risk than asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from traders.settings import EffectiveSettings

WHOLE = Decimal(100)


class SizeRefused(ValueError):
    """No size can be made of these settings and this alert; `code` for machines, the message with had and limit."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Worth:
    """What sizing needs to know of the contract and the account, in dollars and price points; None: not known.

    `ratio` turns contracts of the signal's product into contracts of the traded one; `stop` is the stop's distance.
    """

    point_value: Decimal
    stop: Decimal | None = None
    price: Decimal | None = None
    cash: Decimal | None = None
    ratio: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Size:
    """`asked` is what the settings come to; `contracts` what the limits leave of it, and `limit` names the one hit."""

    contracts: int
    asked: int
    limit: str = ""


def entry_size(effective: EffectiveSettings, stated: Decimal | None, worth: Worth) -> int:
    """A fresh entry's contracts before limits. `stated` is the alert's own quantity.

    Raises `SizeRefused` when a needed figure is missing or no whole contract comes out.
    """
    settings = effective.settings
    budget = _budget(effective, worth)
    if budget is not None:
        return _whole(budget, effective, "risk")
    fixed = settings.initial_position_size
    return _scaled(Decimal(fixed) if fixed else stated, effective, worth, "initial_position_size")


def add_size(effective: EffectiveSettings, stated: Decimal | None, worth: Worth) -> int:
    """An add's contracts before limits. `stated` is what the alert adds. Raises `SizeRefused`."""
    fixed = effective.settings.add_position_size
    return _scaled(Decimal(fixed) if fixed else stated, effective, worth, "add_position_size")


def follows_alert(effective: EffectiveSettings) -> bool:
    """Whether the position is the alert's own, scaled: then every alert states the whole of it."""
    settings = effective.settings
    is_budgeted = settings.risk_dollars or settings.risk_percent or settings.equity_percent
    return settings.initial_position_size == 0 and settings.add_position_size == 0 and not is_budgeted


def scaled_position(effective: EffectiveSettings, stated: Decimal, worth: Worth) -> int:
    """Contracts of a position of which the strategy holds `stated`, unsigned, before limits; may be 0."""
    exact = stated * effective.route.multiplier * worth.ratio
    size = int(exact.to_integral_value(ROUND_FLOOR))
    return 1 if size == 0 and exact > 0 and effective.settings.at_least_one else size


def left_of_share(own: int, before: Decimal, after: Decimal) -> int:
    """Of `own` contracts, what stays when the strategy goes from `before` to `after` (same side, unsigned).

    At least one: the strategy is still in, and its last exit takes the rest.
    """
    return min(own, max(1, int((own * after / before).to_integral_value(ROUND_HALF_UP))))


def limited(effective: EffectiveSettings, asked: int, held: int) -> Size:
    """`asked` more contracts on top of `held` (unsigned), cut to the limits."""
    settings, route = effective.settings, effective.route
    room = {
        "max_contracts_per_trade": settings.max_contracts_per_trade or asked,
        "max_contracts_per_position": max(0, settings.max_contracts_per_position - held)
        if settings.max_contracts_per_position
        else asked,
        "max_contracts": asked if route.max_contracts is None else max(0, route.max_contracts - held),
    }
    name = min(room, key=lambda limit: room[limit])
    return Size(room[name], asked, name) if room[name] < asked else Size(asked, asked)


def _budget(effective: EffectiveSettings, worth: Worth) -> Decimal | None:
    """Contracts, not yet whole, of the risk or equity setting; None when neither is on."""
    settings = effective.settings
    if settings.risk_dollars > 0:
        return settings.risk_dollars / _loss_per_contract(worth)
    if settings.risk_percent > 0:
        return _cash(worth, "risk_percent") * settings.risk_percent / WHOLE / _loss_per_contract(worth)
    if settings.equity_percent > 0:
        if worth.price is None or worth.price <= 0:
            raise SizeRefused("PRICE_MISSING", "equity_percent: needs the alert's price to value a contract")
        value = worth.price * worth.point_value
        return _cash(worth, "equity_percent") * settings.equity_percent / WHOLE / value
    return None


def _loss_per_contract(worth: Worth) -> Decimal:
    if worth.stop is None or worth.stop <= 0:
        raise SizeRefused("STOP_MISSING", "risk: the size follows from the stop's distance, and there is no stop")
    return worth.stop * worth.point_value


def _cash(worth: Worth, name: str) -> Decimal:
    if worth.cash is None:
        raise SizeRefused("BALANCE_UNKNOWN", f"{name}: the broker has not said what the account holds")
    return worth.cash


def _scaled(base: Decimal | None, effective: EffectiveSettings, worth: Worth, name: str) -> int:
    if base is None:
        raise SizeRefused("QUANTITY_MISSING", f"{name}: is 0 and the alert states no quantity")
    return _whole(base * worth.ratio, effective, str(base))


def _whole(base: Decimal, effective: EffectiveSettings, name: str) -> int:
    exact = base * effective.route.multiplier
    size = int(exact.to_integral_value(ROUND_FLOOR))
    if size >= 1:
        return size
    if effective.settings.at_least_one and exact > 0:
        return 1
    text = f"size: had {name} x {effective.route.multiplier} = {exact.normalize():f}, limit 1 whole contract"
    raise SizeRefused("SIZE_BELOW_ONE", text)
