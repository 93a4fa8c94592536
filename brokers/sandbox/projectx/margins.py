"""Whether an account can carry a further order. Rates are per contract from the product table (ours)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx.books import Account
from brokers.sandbox.projectx.codes import OrderStatus
from brokers.sandbox.projectx.desk import Desk

_COUNTED = frozenset({OrderStatus.OPEN, OrderStatus.PENDING})


def can_carry(desk: Desk, account: Account, contract: Contract, qty: int) -> bool:
    """``qty`` is signed. What asks for no more margin than before is always carried."""
    before, after = _used(desk, account, contract, 0), _used(desk, account, contract, qty)
    return after <= before or after <= account.book.cash + desk.engine.open_profit(account.book)


def _used(desk: Desk, account: Account, contract: Contract, qty: int) -> Decimal:
    """USD for positions and working orders, per contract the worse of both sides."""
    buys: defaultdict[str, int] = defaultdict(int)
    sells: defaultdict[str, int] = defaultdict(int)
    wanted = [
        (t.contract.name, t.order.side * t.order.remaining) for t in account.tickets.values() if _counts(t.status)
    ]
    for name, signed in [*wanted, (contract.name, qty)]:
        if signed > 0:
            buys[name] += signed
        else:
            sells[name] -= signed
    total = Decimal(0)
    for name in {*buys, *sells, *account.book.positions}:
        position = account.book.positions.get(name)
        net = 0 if position is None else position.net
        lots = max(abs(net), abs(net + buys[name]), abs(net - sells[name]))
        total += desk.catalog.by_name[name].product.day_margin * lots
    return total


def _counts(status: OrderStatus) -> bool:
    return status in _COUNTED
