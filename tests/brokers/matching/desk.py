"""A contract, a market that a test moves by hand, and an engine that tells what it did."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from brokers.matching.engine import Engine
from brokers.matching.types import Account, Contract, Execution, Kind, Order, Policy, TopOfBook

TICK = Decimal("0.25")


@dataclass(frozen=True)
class Future:
    name: str = "MNQZ6"
    tick: Decimal = TICK
    point_value: Decimal = Decimal(2)


MNQ = Future()


class Desk:
    def __init__(self, policy: Policy = Policy()) -> None:  # noqa: B008 - frozen
        self.quotes: dict[str, TopOfBook] = {}
        self.executions: list[Execution] = []
        self.engine = Engine(self._quote_of, self.executions.append, policy)
        self.account = Account(1, "PAPER1", cash=Decimal(1000))
        self._next_id = 1

    def _quote_of(self, contract: Contract) -> TopOfBook | None:
        return self.quotes.get(contract.name)

    def quote(self, last: str, bid: str | None = None, ask: str | None = None, contract: Future = MNQ) -> None:
        """A new quote; the sides are the last price where they are not said."""
        self.quotes[contract.name] = TopOfBook(Decimal(last), Decimal(bid or last), Decimal(ask or last))
        self.engine.on_quote(contract)

    def order(self, side: int, qty: int, kind: Kind = Kind.MARKET, *, contract: Future = MNQ, **terms: str) -> Order:
        prices = {name: Decimal(value) for name, value in terms.items()}
        order = Order(self._next_id, self.account, contract, side, qty, kind, **prices)
        self._next_id += 1
        return order

    def place(self, side: int, qty: int, kind: Kind = Kind.MARKET, *, contract: Future = MNQ, **terms: str) -> Order:
        order = self.order(side, qty, kind, contract=contract, **terms)
        self.engine.place(order)
        return order

    @property
    def prices(self) -> list[Decimal]:
        return [execution.price for execution in self.executions]
