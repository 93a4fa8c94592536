"""Whether checked terms are accepted from this account now: combos, hours, holdings, money, repeated ids."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from brokers.matching.types import Kind
from brokers.sandbox.webull import money
from brokers.sandbox.webull.books import EXITS, MASTER, NORMAL, STOP_LOSS, STOP_PROFIT, Account, Ticket
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import EQUITY, FUTURES, OPTION, instrument_type
from brokers.sandbox.webull.rows import leg_id
from brokers.sandbox.webull.terms import Terms
from brokers.sandbox.webull.wire import Row, parameter_error, refusal

DAY_LEVERAGE = 4
_EXIT_KINDS = {STOP_PROFIT: Kind.LIMIT, STOP_LOSS: Kind.STOP}
# What a replacement may turn the type of a futures order into.
_FUTURES_CHANGES = {
    Kind.MARKET: {"MARKET"},
    Kind.LIMIT: {"LIMIT", "MARKET"},
    Kind.STOP: {"STOP_LOSS", "MARKET"},
    Kind.STOP_LIMIT: {"STOP_LOSS_LIMIT", "LIMIT"},
    Kind.TRAILING: {"TRAILING_STOP_LOSS"},
}
_PRICES = {"limit_price", "stop_price", "trailing_stop_step", "trailing_type", "quantity"}
_FUTURES_FIELDS = {
    Kind.MARKET: {"quantity"},
    Kind.LIMIT: {"quantity", "limit_price"},
    Kind.STOP: {"quantity", "stop_price"},
    Kind.STOP_LIMIT: {"quantity", "limit_price", "stop_price"},
    Kind.TRAILING: {"trailing_type", "trailing_stop_step"},
}


def check_combo(parsed: list[Terms]) -> None:
    """One plain order; or a master (MARKET or LIMIT) with a target (LIMIT) and a stop; or those two alone."""
    counts: defaultdict[str, int] = defaultdict(int)
    for one in parsed:
        counts[one.combo_type] += 1
    if NORMAL in counts:
        if len(parsed) > 1:
            raise parameter_error("a request places one order, or the orders of one combo")
        return
    if max(counts.values()) > 1 or not EXITS & counts.keys() or (MASTER not in counts and len(counts) == 1):
        raise parameter_error("invalid combo: MASTER, STOP_PROFIT and STOP_LOSS do not make one")
    if len({(one.contract, one.qty) for one in parsed}) > 1:
        raise parameter_error("invalid combo: orders differ in symbol or quantity")
    for one in parsed:
        if one.combo_type in EXITS and one.kind is not _EXIT_KINDS[one.combo_type]:
            raise parameter_error(f"invalid order_type of {one.combo_type}")
        if one.combo_type == MASTER and one.kind not in (Kind.MARKET, Kind.LIMIT):
            raise parameter_error("invalid order_type of MASTER")
    sides = {one.side for one in parsed if one.combo_type in EXITS}
    masters = {one.side for one in parsed if one.combo_type == MASTER}
    if len(sides) > 1 or sides & masters:
        raise parameter_error("invalid combo: the exits must be on the other side")


def check_batch(wanted: Terms) -> None:
    if wanted.combo_type != NORMAL or instrument_type(wanted.contract) != EQUITY:
        raise parameter_error("batch orders are plain equity orders")


def check(desk: Desk, account: Account, parsed: list[Terms]) -> None:
    """Raises RefusalError: the ids of a refused request may be used again."""
    names = [one.client_order_id for one in parsed]
    if len(set(names)) < len(names) or any(name in account.tickets for name in names):
        raise refusal("OPENAPI_TRADE_PLACE_ORDER_REPEAT", "Please do not place an order repeatedly")
    if not desk.is_open:
        for one in parsed:
            _check_closed(one)
    opening = [one for one in parsed if one.combo_type not in EXITS]
    for one in opening or parsed[:1]:
        _check_holding(account, one)
    for one in opening:
        _check_money(desk, account, one)


def check_replace(ticket: Ticket, body: Row) -> None:
    """Which terms of a futures order may change depends on its type; an option names its leg by the detail's id."""
    if instrument_type(ticket.contract) == OPTION:
        legs = body.get("legs")
        if not isinstance(legs, list) or [leg.get("id") for leg in legs if isinstance(leg, dict)] != [leg_id(ticket)]:
            raise parameter_error("legs must name the legs of the order")
    if not ticket.account.is_futures:
        return
    kind = ticket.order.kind
    if "order_type" in body and str(body["order_type"]) not in _FUTURES_CHANGES[kind]:
        raise refusal("INVALID_PARAMETER", f"order_type can not be changed to {body['order_type']}")
    if body.keys() & _PRICES - _FUTURES_FIELDS[kind]:
        raise refusal("INVALID_PARAMETER", "a term that the order's type does not have can not be changed")


def worth(desk: Desk, wanted: Terms) -> Decimal:
    """USD that the order's quantity is worth at its own price, or the market's."""
    price = wanted.limit if wanted.limit is not None else desk.board.quote(wanted.contract).last
    return price * wanted.qty * wanted.contract.product.point_value


def _check_closed(wanted: Terms) -> None:
    """Out of hours only orders that may wait are taken."""
    if instrument_type(wanted.contract) == FUTURES:
        raise refusal("OPENAPI_FUTURES_CAN_NOT_TRADING_FOR_NON_TRADING_HOURS", "Futures can not be traded now")
    session, tif = wanted.fields["support_trading_session"], wanted.fields["time_in_force"]
    if session == "NIGHT":
        raise refusal("OPENAPI_NO_NIGHT_TRADING_TIME", "It is not night trading time")
    if wanted.kind is Kind.MARKET:
        raise refusal("OPENAPI_CAN_NOT_TRADING_FOR_NON_TRADING_HOURS", "The market is closed")
    if session == "CORE" and tif == "DAY":
        raise refusal(
            "OPENAPI_DAY_ORDER_NOT_ALLOWED_AFT_CORE_TIME_LIMIT", "Day orders are not accepted after core hours"
        )


def _check_holding(account: Account, wanted: Terms) -> None:
    """Shares must be there to be sold, and are sold short by SHORT only; options are closed by what says so."""
    held = account.book.position(wanted.contract).net
    intent = wanted.fields.get("position_intent", "")
    if instrument_type(wanted.contract) == EQUITY:
        must_hold = wanted.fields["side"] == "SELL"
        if wanted.fields["side"] == "SHORT" and held > 0:
            raise parameter_error("SHORT is not possible while the stock is held")
    else:
        must_hold = intent.endswith("_TO_CLOSE")
    if must_hold:
        promised = _promised(account, wanted)
        if held * -wanted.side - promised < wanted.qty:
            raise refusal("OPENAPI_SELL_QTY_EXCEED_AVAILABLE_QTY", "The quantity exceeds what is available")


def _promised(account: Account, wanted: Terms) -> int:
    """What working orders already take of the position; the exits of one combo take it once."""
    by_group: defaultdict[str, int] = defaultdict(int)
    for ticket in account.live:
        order = ticket.order
        if order.contract.name == wanted.contract.name and order.side == wanted.side:
            name = ticket.group.combo_order_id
            by_group[name] = max(by_group[name], order.remaining)
    return sum(by_group.values())


def _check_money(desk: Desk, account: Account, wanted: Terms) -> None:
    equity = account.book.cash + desk.engine.open_profit(account.book)
    if instrument_type(wanted.contract) == FUTURES:
        free = equity - money.used_margin(account)
        held = account.book.position(wanted.contract).net
        more = max(abs(held + wanted.side * wanted.qty) - abs(held), 0)
        needed = wanted.contract.product.day_margin * more
    else:
        free = equity * DAY_LEVERAGE - money.exposure(desk, account)
        opens = account.book.position(wanted.contract).net * wanted.side >= 0
        needed = worth(desk, wanted) if opens else Decimal(0)
    if needed > free:
        raise refusal("OPENAPI_DAY_BUYING_POWER_INSUFFICIENT", "The day buying power is insufficient")
