"""A long stream of adds, partial exits and reversals earns what an independent book of averages says, to the cent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.streams.case import fill
from tests.streams.strategy import PRODUCTS, Book, Round, rounds

if TYPE_CHECKING:
    from tests.e2e.plant import Plant

BALANCE = 10_000_000
MULTIPLIERS = (1, 3)
HALF_A_CENT = Fraction(1, 200)
PATIENCE_S = 20.0
POLL_S = 0.03
_numbers = itertools.count(1)


class Desk:
    """One recorder that follows the alert's position, and a trader of each multiplier on its own account."""

    def __init__(self, plant: Plant) -> None:
        from accounts.models import User
        from brokers.models import BrokerAccount
        from brokers.services import connect_login
        from recorders.services import create_recorder
        from traders.services import create_trader

        self.plant = plant
        self.owner = User.objects.create(email=f"books{next(_numbers)}@example.com", is_approved=True)
        who = {"username": f"books{next(_numbers)}", "password": "a-password"}
        names = [f"BOOKS{next(_numbers)}" for _ in MULTIPLIERS]
        plant.sandbox.post("/accounts", logins=[{**who, "accounts": names, "balance": BALANCE}])
        connect_login(owner=self.owner, venue="tradovate", environment="sandbox", **who)
        follow = {"initial_position_size": 0, "add_position_size": 0, "targets": [], "stop_distance": 0}
        recorder, token = create_recorder(owner=self.owner, name="Books", settings=follow)
        self.address = f"{plant.web_url}/webhook/{token}/"
        accounts = BrokerAccount.objects.filter(owner=self.owner).order_by("broker_id")
        self.traders = [
            create_trader(owner=self.owner, recorder=recorder, account=account, multiplier=Decimal(multiplier))
            for account, multiplier in zip(accounts, MULTIPLIERS, strict=True)
        ]
        self.http = requests.Session()
        self.sent = 0

    def play(self, now: list[Round]) -> None:
        """The market first, then the alerts, then all of it in the books."""
        from justtrades import clock
        from tests.streams.stage import symbol_of

        for one in now:
            self.plant.sandbox.price(symbol_of(one.product.root), float(one.price))
        second = clock.now().replace(microsecond=0)
        for one in now:
            for before, after in itertools.pairwise(one.positions):
                self._send(one, before, after, second)
        self._await({symbol_of(one.product.root): one.positions[-1] for one in now})

    def _send(self, one: Round, before: int, after: int, second: datetime) -> None:
        self.sent += 1
        alert = fill(f"{before}>{after}", price=str(one.price), order_id=f"O{self.sent}")
        body = alert.body(f"{one.product.root}1!", second, self.sent)
        reply = self.http.post(self.address, data=body, timeout=10)
        assert reply.status_code == requests.codes.ok, reply.text

    def _await(self, wanted: dict[str, int]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_at(wanted):
            assert time.monotonic() < deadline, f"after {self.sent} alerts: wanted {wanted}, has {self._held()}"
            time.sleep(POLL_S)

    def _is_at(self, wanted: dict[str, int]) -> bool:
        from execution.models import OrderIntent
        from execution.models.intent import LIVE
        from recorders.models import Signal, SignalStatus

        held = self._held()
        are_there = all(
            held.get((trader.id, symbol), 0) == net * int(trader.multiplier)
            for trader in self.traders
            for symbol, net in wanted.items()
        )
        if not are_there or Signal.objects.filter(owner=self.owner, status=SignalStatus.RECEIVED).exists():
            return False
        return not OrderIntent.objects.filter(owner=self.owner, status__in=LIVE).exists()

    def _held(self) -> dict[tuple[Any, str], int]:
        from execution.models import Position

        rows = Position.objects.filter(owner=self.owner).values_list("trader_id", "symbol", "net_qty")
        return {(trader, symbol): net for trader, symbol, net in rows}

    def realized(self, trader: Any, root: str) -> Decimal:
        from execution.models import Position
        from tests.streams.stage import symbol_of

        return Position.objects.get(trader=trader, symbol=symbol_of(root)).realized_pnl

    def venue(self, trader: Any) -> dict[str, Any]:
        return self.plant.sandbox.account_state(int(trader.account.broker_id))


@pytest.fixture
def desk(plant: Plant) -> Iterator[Desk]:
    plant.sandbox.switches(fees=False)
    made = Desk(plant)
    yield made
    plant.sandbox.switches(fees=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("alerts", [100, pytest.param(1500, marks=pytest.mark.streams)])
def test_the_stream_earns_what_an_independent_book_says(desk: Desk, alerts: int) -> None:
    books = {(n, product.root): Book(product) for n in MULTIPLIERS for product in PRODUCTS}
    for now in rounds(20261125, alerts):
        for one, multiplier in itertools.product(now, MULTIPLIERS):
            for before, after in itertools.pairwise(one.positions):
                books[multiplier, one.product.root].trade((after - before) * multiplier, one.price)
        desk.play(now)
    assert desk.sent >= alerts
    for trader, multiplier in zip(desk.traders, MULTIPLIERS, strict=True):
        expected = {product.root: books[multiplier, product.root].realized for product in PRODUCTS}
        ours = {root: Fraction(desk.realized(trader, root)) for root in expected}
        wrong = {root: float(ours[root] - amount) for root, amount in expected.items() if _differ(ours[root], amount)}
        assert wrong == {}, "dollars by product that our books have too much"
        venue, total = desk.venue(trader), sum(expected.values())
        # The venue matches first in, first out; once all is flat that is the same money.
        assert venue["positions"] == venue["workingOrders"] == []
        assert not _differ(Fraction(str(venue["balance"])) - BALANCE, total)
        assert not _differ(Fraction(str(venue["realizedPnL"])), total)


def _differ(ours: Fraction, exact: Fraction) -> bool:
    return abs(ours - exact) > HALF_A_CENT


def test_the_stream_is_what_it_claims_to_be() -> None:
    found = [one for now in rounds(20261125, 1500) for one in now]
    moves = [pair for one in found for pair in itertools.pairwise(one.positions)]
    assert len(moves) >= 1500
    assert sum(1 for a, b in moves if a * b < 0 and abs(a) + abs(b) > 2) > 100, "reversals of several contracts"
    assert sum(1 for a, b in moves if 0 < abs(b) < abs(a) and a * b > 0) > 100, "partial exits"
    assert sum(1 for a, b in moves if abs(b) > abs(a) > 0 and a * b > 0) > 100, "adds"
    assert sum(1 for one in found if len(one.positions) > 2) > 100, "several orders at once"
