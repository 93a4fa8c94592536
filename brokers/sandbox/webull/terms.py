"""What an order may ask for: the fields of an order request, checked and turned into terms (wire facts, 6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from brokers.matching.types import Kind
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull.books import EXITS, MASTER, NORMAL, Account
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import EQUITY, FUTURES, OPTION
from brokers.sandbox.webull.wire import Row, parameter_error, refusal

KINDS = {
    "MARKET": Kind.MARKET,
    "LIMIT": Kind.LIMIT,
    "STOP_LOSS": Kind.STOP,
    "STOP_LOSS_LIMIT": Kind.STOP_LIMIT,
    "TRAILING_STOP_LOSS": Kind.TRAILING,
}
WITH_LIMIT, WITH_STOP = (Kind.LIMIT, Kind.STOP_LIMIT), (Kind.STOP, Kind.STOP_LIMIT)
SESSIONS = ("CORE", "ALL", "NIGHT")
UNSUPPORTED_COMBOS = ("OTO", "OCO", "OTOCO")
CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{10,40}")
HIGHEST_QUANTITY = 1_000_000
HIGHEST_PRICE = Decimal(10) ** 9
CHEAP = (Decimal("0.099"), Decimal("0.999"))
INTENTS = {"BUY": ("BUY_TO_OPEN", "BUY_TO_CLOSE"), "SELL": ("SELL_TO_OPEN", "SELL_TO_CLOSE")}
KEPT_FIELDS = ("side", "time_in_force", "support_trading_session")
KEPT_OF_OPTIONS, KEPT_OF_TRAILING = ("position_intent", "option_strategy"), ("trailing_type", "trailing_stop_step")


@dataclass(frozen=True, slots=True)
class Terms:
    """A checked order. Prices and ``trail`` are points, ``side`` +1 buys and -1 sells; ``fields`` are kept as sent."""

    client_order_id: str
    combo_type: str
    contract: Contract
    side: int
    qty: int
    kind: Kind
    limit: Decimal | None
    stop: Decimal | None
    trail: Decimal | None
    fields: Row


def parse_order(desk: Desk, account: Account, sent: object) -> Terms:
    """Raises RefusalError naming what cannot be accepted."""
    if not isinstance(sent, dict):
        raise parameter_error("new_orders must hold orders")
    body: Row = {name: value for name, value in sent.items() if value is not None}
    combo_type = _combo_type(body)
    kind_of_thing = choice(body, "instrument_type", (EQUITY, OPTION, FUTURES, "CRYPTO", "EVENT"))
    choice(body, "market", ("US",))
    _check_class(account, kind_of_thing)
    if combo_type != NORMAL and kind_of_thing == FUTURES:
        raise refusal("INVALID_PARAMETER", "Inconsistent instrument type of the combo order")
    contract = _contract(desk, kind_of_thing, body)
    side = choice(body, "side", ("BUY", "SELL", "SHORT") if kind_of_thing == EQUITY else ("BUY", "SELL"))
    kind = _kind(desk, kind_of_thing, body)
    choice(body, "time_in_force", ("DAY", "GTC"))
    _check_session(kind_of_thing, body)
    if choice(body, "entrust_type", ("QTY", "AMOUNT")) == "AMOUNT":
        raise refusal("OPENAPI_FRACT_TICKER_DONT_SUPPORT_TRADE", "Fractional shares are not supported")
    return Terms(
        client_order_id=client_order_id(body),
        combo_type=combo_type,
        contract=contract,
        side=1 if side == "BUY" else -1,
        qty=quantity(body),
        kind=kind,
        limit=price(body, "limit_price", contract) if kind in WITH_LIMIT else None,
        stop=price(body, "stop_price", contract) if kind in WITH_STOP else None,
        trail=trail(desk, body, contract) if kind is Kind.TRAILING else None,
        fields=_kept(body, kind_of_thing, kind),
    )


def client_order_id(body: Row, name: str = "client_order_id") -> str:
    given = body.get(name)
    if not isinstance(given, str) or CLIENT_ORDER_ID.fullmatch(given) is None:
        raise parameter_error(f"{name} must have 10 to 40 characters of A-Z, a-z, 0-9, - and _")
    return given


def choice(body: Row, name: str, choices: tuple[str, ...]) -> str:
    given = body.get(name)
    if given not in choices:
        raise parameter_error(f"{name} is invalid: {given}")
    return str(given)


def quantity(body: Row) -> int:
    """Whole numbers only; the venue deals in fractions of shares, this one does not."""
    number = decimal(body, "quantity")
    if not 0 < number <= HIGHEST_QUANTITY:
        raise parameter_error(f"quantity must be greater than 0 and not above {HIGHEST_QUANTITY}")
    if number != int(number):
        raise refusal("OPENAPI_FRACT_TICKER_DONT_SUPPORT_TRADE", "Fractional quantities are not supported")
    return int(number)


def price(body: Row, name: str, contract: Contract) -> Decimal:
    number = decimal(body, name)
    if not 0 < number < HIGHEST_PRICE or not contract.product.on_tick(number):
        raise parameter_error(f"{name} must be above 0 and a multiple of {contract.product.tick}")
    if contract.product.point_value == 1 and CHEAP[0] < number < CHEAP[1]:
        raise refusal("OPENAPI_CANT_TRADE_FOR_PRICE_BETWEEN_0099_AND_0999", "Price is not tradable")
    return number


def decimal(body: Row, name: str) -> Decimal:
    given: Any = body.get(name)
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise parameter_error(f"{name} is required")
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        raise parameter_error(f"{name} is not a number: {given}") from None
    if not number.is_finite():
        raise parameter_error(f"{name} is not a number: {given}")
    return number


def trail(desk: Desk, body: Row, contract: Contract) -> Decimal:
    """Distance in points; a percentage (0.01 is 1 %) is of the price now, to the next tick."""
    step = decimal(body, "trailing_stop_step")
    is_share = choice(body, "trailing_type", ("AMOUNT", "PERCENTAGE")) == "PERCENTAGE"
    if step <= 0 or (is_share and step > 1):
        raise parameter_error("trailing_stop_step is out of range")
    if is_share:
        tick = contract.product.tick
        return max((desk.board.quote(contract).last * step / tick).to_integral_value(), Decimal(1)) * tick
    if not contract.product.on_tick(step):
        raise parameter_error(f"trailing_stop_step must be a multiple of {contract.product.tick}")
    return step


def _kept(body: Row, kind_of_thing: str, kind: Kind) -> Row:
    """What queries will repeat of the request."""
    names = [*KEPT_FIELDS]
    names += KEPT_OF_OPTIONS if kind_of_thing == OPTION else ()
    names += KEPT_OF_TRAILING if kind is Kind.TRAILING else ()
    return {name: str(body[name]) for name in names if name in body}


def _combo_type(body: Row) -> str:
    if body.get("combo_type") in UNSUPPORTED_COMBOS:
        raise parameter_error("invalid combo_type")
    return choice(body, "combo_type", (NORMAL, MASTER, *EXITS))


def _check_class(account: Account, kind_of_thing: str) -> None:
    if kind_of_thing in ("CRYPTO", "EVENT") or (kind_of_thing == FUTURES and not account.is_futures):
        raise refusal("OPENAPI_TRADE_ORDER_NO_PERMISSION", f"The account has no permission to trade {kind_of_thing}")
    if kind_of_thing != FUTURES and account.is_futures:
        raise refusal(
            "OPENAPI_TRADE_WEBULL_FUTURES_ACCOUNT_STOCK_ERROR", "A futures account cannot trade stocks and options"
        )


def _kind(desk: Desk, kind_of_thing: str, body: Row) -> Kind:
    kind = KINDS[choice(body, "order_type", tuple(KINDS))]
    if kind_of_thing == OPTION:
        if kind is Kind.TRAILING:
            raise parameter_error("order_type is invalid for options: TRAILING_STOP_LOSS")
        if kind is Kind.MARKET and not desk.switches.option_market_orders:
            raise parameter_error("order_type is invalid for options: MARKET")
    return kind


def _check_session(kind_of_thing: str, body: Row) -> None:
    if kind_of_thing == EQUITY or "support_trading_session" in body:
        choice(body, "support_trading_session", SESSIONS)
    else:
        body["support_trading_session"] = "CORE"


def _contract(desk: Desk, kind_of_thing: str, body: Row) -> Contract:
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        raise parameter_error("symbol is required")
    if kind_of_thing == OPTION:
        return _option(desk, symbol, body)
    contract = desk.listings.orderable(symbol)
    if contract is None or (symbol in desk.listings.stocks) != (kind_of_thing == EQUITY):
        raise refusal("INVALID_PARAMETER", f"symbol {symbol} is not a tradable {kind_of_thing}")
    return contract


def _option(desk: Desk, symbol: str, body: Row) -> Contract:
    legs = body.get("legs")
    if body.get("option_strategy") != "SINGLE" or not isinstance(legs, list) or len(legs) != 1:
        raise refusal("INVALID_PARAMETER", "option_strategy must be SINGLE, with one leg")
    leg = legs[0] if isinstance(legs[0], dict) else {}
    side = choice(body, "side", ("BUY", "SELL"))
    if leg.get("side") != side or leg.get("instrument_type") != OPTION or decimal(leg, "quantity") != quantity(body):
        raise parameter_error("the leg's side, quantity or instrument_type does not match the order")
    if "position_intent" in body:
        choice(body, "position_intent", INTENTS[side])
    expires = leg.get("option_expire_date", leg.get("init_exp_date"))
    right = choice(leg, "option_type", ("CALL", "PUT"))
    option = desk.listings.option(symbol, str(expires), decimal(leg, "strike_price"), right)
    if option is None:
        raise refusal("INVALID_PARAMETER", f"no such option of {symbol}")
    return option
