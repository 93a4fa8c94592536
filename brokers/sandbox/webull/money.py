"""Balances and positions (wire facts, 5)."""

from __future__ import annotations

from decimal import Decimal

from brokers.matching.types import Position
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull.books import Account
from brokers.sandbox.webull.calls import Call, Reply, account_of
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import StockOption, instrument_type, wire_symbol
from brokers.sandbox.webull.wire import Row, figure, money

NOTHING = Decimal(0)
DAY_FACTOR, OVERNIGHT_FACTOR = 4, 2


def balance(desk: Desk, call: Call) -> Reply:
    account = account_of(call)
    open_profit = desk.engine.open_profit(account.book)
    equity = account.book.cash + open_profit
    day, value = equity - account.opening_equity, market_value(desk, account)
    margin = used_margin(account)
    currency: Row = {
        "currency": "USD",
        "net_liquidation_value": money(equity),
        "market_value": money(value),
        "cash_balance": money(equity - value),
        "unrealized_profit_loss": money(open_profit),
        "day_profit_loss": money(day),
        **_buying_power(desk, account, equity, margin),
    }
    body = {
        "total_asset_currency": "USD",
        "total_net_liquidation_value": money(equity),
        "total_market_value": money(value),
        "total_cash_balance": money(equity - value),
        "total_unrealized_profit_loss": money(open_profit),
        "total_day_profit_loss": money(day),
        "day_trades_left": "UNLIMITED",
        "maintenance_margin": money(margin),
        "open_margin_calls": [],
        "account_currency_assets": [currency],
    }
    return Reply(200, body)


def positions(desk: Desk, call: Call) -> Reply:
    return Reply(200, [_position_row(desk, held) for held in open_positions(account_of(call))])


def open_positions(account: Account) -> list[Position]:
    return [position for position in account.book.positions.values() if position.net != 0]


def used_margin(account: Account) -> Decimal:
    """USD in use for futures, at the rates of the product table (ours, not the venue's)."""
    lots = [(position.contract, abs(position.net)) for position in open_positions(account)]
    margins = (contract.product.day_margin * count for contract, count in lots if isinstance(contract, Contract))
    return sum(margins, NOTHING)


def exposure(desk: Desk, account: Account) -> Decimal:
    """USD of everything held, long or short."""
    return sum((abs(_value(desk, position)) for position in open_positions(account)), NOTHING)


def market_value(desk: Desk, account: Account) -> Decimal:
    """USD of stocks and options held; futures are worth only what they have gained."""
    if account.is_futures:
        return NOTHING
    return sum((_value(desk, position) for position in open_positions(account)), NOTHING)


def _value(desk: Desk, position: Position) -> Decimal:
    contract = desk.listings.by_name[position.contract.name]
    return position.net * desk.board.quote(contract).last * contract.point_value


def _buying_power(desk: Desk, account: Account, equity: Decimal, margin: Decimal) -> Row:
    """Which figures there are depends on the class; plain buying_power is a cash account's."""
    if account.is_futures:
        free = money(equity - margin)
        return {
            "futures_buying_power": free,
            "init_margin": money(margin),
            "intraday_margin": money(margin),
            "used_margin": money(margin),
            "margin_excess": free,
        }
    free_equity = max(equity - exposure(desk, account) / DAY_FACTOR, NOTHING)
    return {
        "option_buying_power": money(free_equity),
        "day_buying_power": money(free_equity * DAY_FACTOR),
        "overnight_buying_power": money(free_equity * OVERNIGHT_FACTOR),
        "night_trading_buying_power": money(free_equity),
    }


def _position_row(desk: Desk, position: Position) -> Row:
    contract = desk.listings.by_name[position.contract.name]
    last, average = desk.board.quote(contract).last, position.average or NOTHING
    qty = position.net if desk.switches.short_sign == "negative" else abs(position.net)
    row: Row = {
        "position_id": f"P{contract.id}",
        "currency": "USD",
        "symbol": wire_symbol(contract),
        "quantity": str(qty),
        "instrument_type": instrument_type(contract),
        "instrument_id": str(contract.id),
        "last_price": figure(last),
        "cost_price": figure(average),
        "unrealized_profit_loss": money(position.open_profit(last)),
    }
    if isinstance(contract, StockOption):
        row |= {"option_strategy": "SINGLE", "legs": [_leg_row(contract, qty)]}
    return row


def _leg_row(option: StockOption, qty: int) -> Row:
    return {
        "leg_id": f"P{option.id}-1",
        "symbol": option.underlying.name,
        "quantity": str(qty),
        "option_type": option.right,
        "option_expire_date": option.expires.isoformat(),
        "option_exercise_price": money(option.strike),
        "option_contract_multiplier": "100",
        "option_contract_deliverable": "100",
        "expiration_type": "PM",
    }
