"""The matching engine: keeps the orders that work, trades them against quotes, and books what comes of it.

Brackets, OCO, fees, ids and events are its venue's: `on_execution` is called after each booking and may place, cancel
and amend orders itself. Not thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from brokers.matching import pricing
from brokers.matching.types import Account, Contract, Execution, Kind, Order, Policy, Quote, Status

_TERMS = {
    Kind.MARKET: (),
    Kind.LIMIT: ("limit",),
    Kind.STOP: ("stop",),
    Kind.STOP_LIMIT: ("limit", "stop"),
    Kind.TRAILING: ("trail",),
}


class Engine:
    """`quote_of` answers with the current quote, None when there is none: then nothing trades and orders wait."""

    def __init__(
        self,
        quote_of: Callable[[Contract], Quote | None],
        on_execution: Callable[[Execution], None],
        policy: Policy = Policy(),  # noqa: B008 - frozen
    ) -> None:
        self._quote_of = quote_of
        self._on_execution = on_execution
        self._policy = policy
        self._working: dict[str, dict[Order, None]] = {}

    def place(self, order: Order) -> None:
        """Make it work, and trade it if it can. Raises ValueError when its terms are not complete."""
        self.hold(order)
        self.activate(order)

    def hold(self, order: Order) -> None:
        """Take it in as SUSPENDED: known, not working. Raises as `place`."""
        _check(order)
        order.status = Status.SUSPENDED
        order.account.orders[order.id] = order

    def activate(self, order: Order) -> None:
        """A SUSPENDED order begins to work, and trades if it can. Raises ValueError when it is not suspended."""
        if order.status is not Status.SUSPENDED:
            raise ValueError(f"order {order.id} is {order.status.value}, not suspended")
        order.status = Status.WORKING
        self._watch(order)
        self._trade(order)

    def restore(self, order: Order) -> None:
        """Take in an order of saved books as it stands: nothing trades before its next quote."""
        order.account.orders[order.id] = order
        if order.is_working:
            self._watch(order)

    def cancel(self, order: Order) -> bool:
        """False when it is done already."""
        return self._end(order, Status.CANCELED)

    def reject(self, order: Order) -> bool:
        """False when it is done already."""
        return self._end(order, Status.REJECTED)

    def amend(
        self,
        order: Order,
        *,
        qty: int | None = None,
        limit: Decimal | None = None,
        stop: Decimal | None = None,
        trail: Decimal | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Change what is stated and keep the rest; what works trades if it can.

        A new `qty` counts what is filled, and equal to that it ends the order as FILLED. A new `trail` without a
        `stop` starts again from the current price. Raises ValueError, with nothing changed, when the order is done or
        the new terms are not complete.
        """
        new_kind = order.kind if kind is None else kind
        stated = {"limit": limit, "stop": stop, "trail": trail}
        terms = {name: getattr(order, name) if value is None else value for name, value in stated.items()}
        new_qty = order.qty if qty is None else qty
        if order.is_done:
            raise ValueError(f"order {order.id} is {order.status.value}")
        _check_terms(order, new_kind, new_qty, terms)
        if trail is not None and stop is None and new_kind is Kind.TRAILING:
            terms["stop"] = None
        order.kind, order.qty = new_kind, new_qty
        order.limit, order.stop, order.trail = terms["limit"], terms["stop"], terms["trail"]
        order.is_triggered = order.is_triggered and kind is None and stop is None
        order.has_rested, order.rested_at = False, None
        if order.remaining == 0:
            self._end(order, Status.FILLED)
        elif order.is_working:
            self._trade(order)

    def execute(self, order: Order, qty: int, price: Decimal) -> None:
        """Fill `qty` contracts at `price` whatever the market says. Raises ValueError when that is not left to fill."""
        if not order.is_working or not 0 < qty <= order.remaining:
            raise ValueError(f"order {order.id} ({order.status.value}) has {order.remaining} left, not {qty}")
        before = Decimal(0) if order.average is None else order.average * order.filled
        order.filled += qty
        order.average = (before + price * qty) / order.filled
        if order.remaining == 0:
            self._end(order, Status.FILLED)
        closed, realized = order.account.position(order.contract).apply(order.side, qty, price)
        order.account.cash += realized
        self._on_execution(Execution(order, qty, price, realized, closed))

    def on_quote(self, contract: Contract) -> None:
        """Trail stops after the new quote, then trade what it triggers, in the order of placing."""
        orders = tuple(self._working.get(contract.name, ()))
        quote = self._quote_of(contract) if orders else None
        if quote is None:
            return
        for order in orders:
            pricing.trail(order, quote)
        for order in orders:
            self._trade(order)

    def working(self, contract: Contract) -> tuple[Order, ...]:
        """What works in a contract, over all accounts, in the order of placing."""
        return tuple(self._working.get(contract.name, ()))

    def working_contracts(self) -> list[Contract]:
        """Contracts in which anything works."""
        return [next(iter(orders)).contract for orders in self._working.values() if orders]

    def open_profit(self, account: Account) -> Decimal:
        """Dollars by which open positions are up at the last price; what has no quote counts as unchanged."""
        total = Decimal(0)
        for position in account.positions.values():
            quote = self._quote_of(position.contract) if position.net != 0 else None
            if quote is not None:
                total += position.open_profit(quote.last)
        return total

    def _watch(self, order: Order) -> None:
        self._working.setdefault(order.contract.name, {})[order] = None

    def _trade(self, order: Order) -> None:
        if not order.is_working or order.is_held:
            return
        quote = self._quote_of(order.contract)
        if quote is None:
            return
        pricing.trail(order, quote)
        price = pricing.fill_price(order, quote, self._policy)
        if price is not None:
            self.execute(order, order.remaining, price)
        elif not order.has_rested:
            order.has_rested, order.rested_at = True, quote.last

    def _end(self, order: Order, status: Status) -> bool:
        if order.is_done:
            return False
        order.status = status
        self._working.get(order.contract.name, {}).pop(order, None)
        return True


def _check(order: Order) -> None:
    if order.side not in {1, -1}:
        raise ValueError(f"a side is 1 or -1, not {order.side}")
    terms = {"limit": order.limit, "stop": order.stop, "trail": order.trail}
    _check_terms(order, order.kind, order.qty, terms)


def _check_terms(order: Order, kind: Kind, qty: int, terms: dict[str, Decimal | None]) -> None:
    missing = [name for name in _TERMS[kind] if terms[name] is None]
    if missing:
        raise ValueError(f"a {kind.value} order needs its {' and '.join(missing)}")
    if qty <= 0 or qty < order.filled:
        raise ValueError(f"{qty} contracts cannot be ordered, {order.filled} of them filled")
