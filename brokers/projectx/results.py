"""What an account made in its trading day, asked over REST: half-turns, positions and the newest price of each."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from brokers.base import AccountRef
from brokers.errors import OutcomeUnknown, Refused
from brokers.projectx.client import Client
from brokers.projectx.contracts import ContractBook
from brokers.projectx.day_pnl import DayPnl, day_pnl
from brokers.projectx.evidence import LOOK_BACK, positions_of, trades_of
from brokers.projectx.parse import decimal_of
from brokers.sessions import session_of

MINUTE = 2
"""The venue's number for bars of minutes."""


def read_day_pnl(client: Client, contracts: ContractBook, account: AccountRef) -> DayPnl:
    """The account's day by the venue's own books. Raises a `BrokerError`."""
    now, account_id = datetime.now(UTC), int(account.broker_id)
    held = [position for position in positions_of(client, account_id) if position.net != 0]
    trades = trades_of(client, account_id, session_of(now).start)
    contracts.ensure(client, {position.contract_id for position in held})
    prices = {contract_id: last_price(client, contract_id, now) for contract_id in {p.contract_id for p in held}}
    last = {contract_id: price for contract_id, price in prices.items() if price is not None}
    return day_pnl(trades, held, contracts.specs(), last, now)


def last_price(client: Client, contract_id: str, now: datetime) -> Decimal | None:
    """Where the contract last traded, also over a weekend: the close of its newest minute. Raises a `BrokerError`."""
    asked = {
        "contractId": contract_id,
        "live": False,
        "startTime": (now - LOOK_BACK).isoformat(),
        "endTime": now.isoformat(),
        "unit": MINUTE,
        "unitNumber": 1,
        "limit": 1,
        "includePartialBar": True,
    }
    try:
        bars = client.rows("History/retrieveBars", asked, "bars")
    except Refused:
        return None
    try:
        return decimal_of(bars[0]["c"]) if bars else None
    except (KeyError, TypeError, ArithmeticError):
        raise OutcomeUnknown("History/retrieveBars: the answer could not be read") from None
