"""The venue's own loss limits at work: liquidation-only mode, and closing all (Tradovate wire facts, entities).

That there are such limits is the venue's; when exactly it looks, and in which order things happen, is ours. The day's
result is realised and open together, before fees. A lock ends with the session.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from brokers.sandbox.tradovate import trading
from brokers.sandbox.tradovate.books import Account
from brokers.sandbox.tradovate.calls import CommandRefusedError
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.margins import open_profit
from brokers.sandbox.tradovate.orders import Sender
from brokers.sandbox.tradovate.wire import Row, decimal

_LIMITS = ("dailyLossLiqOnly", "dailyLossAutoLiq", "dailyProfitAutoLiq")


def watch(desk: Desk, account: Account) -> None:
    """Have the account looked at with every price from now on, if it has a limit that closes."""
    if any(_amount(account, name) is not None for name in _LIMITS):
        desk.limited[account.id] = account
    else:
        desk.limited.pop(account.id, None)


def look(desk: Desk) -> None:
    """After a price: close, once a session, what has reached its limit."""
    for account in tuple(desk.limited.values()):
        if "liquidateOnly" not in _status(account):
            _judge(desk, account)


def unlock(desk: Desk, account: Account) -> None:
    """A new session begins."""
    row = {name: value for name, value in _status(account).items() if name != "liquidateOnly"}
    if row != _status(account):
        _tell(account, row)
    watch(desk, account)


def _judge(desk: Desk, account: Account) -> None:
    day = account.cash.realized + open_profit(desk, account)
    must_close = _is_lost(account, "dailyLossAutoLiq", day) or _is_won(account, day)
    if not must_close and not _is_lost(account, "dailyLossLiqOnly", day):
        return
    if must_close and not _close(desk, account):
        return
    _tell(account, {**_status(account), "liquidateOnly": desk.stamp()})
    desk.step(account, account.end_frame)


def _close(desk: Desk, account: Account) -> bool:
    """Whether the exchange takes orders now: else the next price finds it again."""
    broker = Sender(account.login.user_id, 0)
    try:
        replies = [trading.liquidate(desk, account, held.contract, broker) for held in account.positions.values()]
    except CommandRefusedError:
        return False
    for reply in replies:
        if reply.after is not None:
            desk.step(account, reply.after)
    return True


def _is_lost(account: Account, name: str, day: Decimal) -> bool:
    limit = _amount(account, name)
    return limit is not None and day <= -limit


def _is_won(account: Account, day: Decimal) -> bool:
    limit = _amount(account, "dailyProfitAutoLiq")
    return limit is not None and day >= limit


def _amount(account: Account, name: str) -> Decimal | None:
    value: Any = account.rows["userAccountAutoLiq"].get(account.id, {}).get(name)
    return decimal(value) if isinstance(value, int | float) and value > 0 else None


def _status(account: Account) -> Row:
    return account.rows["accountRiskStatus"][account.id]


def _tell(account: Account, row: Row) -> None:
    account.rows["accountRiskStatus"][account.id] = row
    account.updated("accountRiskStatus", row)
