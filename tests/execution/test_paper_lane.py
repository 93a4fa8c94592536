"""A paper account in a real lane: from the cleared intent to the closed position, by quotes that others share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers import instruments
from brokers.models import BrokerAccount, BrokerLogin
from brokers.paper.venue import VENUE
from brokers.quotes import cache, demand
from brokers.quotes.quote import Quote
from brokers.services import access_of
from brokers.services.budgets import shared_budget
from execution.clearing.asking import asking
from execution.lane.runtime import Lane
from execution.models import IntentKind, IntentStatus, Order, OrderIntent, Position
from justtrades import clock
from tests.brokers.paper.trader import let_threads_end
from tests.brokers.scripted import until
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, OrderIntentFactory, TraderFactory

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = Decimal(25_000)


@pytest.fixture
def symbol() -> str:
    return instruments.resolve("MNQ", clock.now().date()).symbol


@pytest.fixture
def account() -> BrokerAccount:
    login = BrokerLoginFactory(
        venue="paper", environment="sandbox", secrets={}, settings={"slippage_ticks": "0", "commission": "1"}
    )
    (listed,) = VENUE.sign_in_check(access_of(login))
    made: BrokerAccount = BrokerAccountFactory(
        login=login, owner=login.owner, broker_id=listed.ref.broker_id, name=listed.ref.name
    )
    return made


@pytest.fixture
def lane(account: BrokerAccount, settings: Any) -> Iterator[Lane]:
    settings.LANES = 1
    cache.client().flushdb()
    made = Lane(0)
    made.start()
    until(lambda: BrokerLogin.objects.get(pk=account.login_id).state == "live")
    yield made
    made.stop()
    let_threads_end()


def quote(symbol: str, last: Decimal) -> None:
    cache.store([Quote(symbol, last, last, last, clock.now(), "tradovate/sandbox")])


def cleared(account: BrokerAccount, symbol: str, **fields: Any) -> OrderIntent:
    trader = TraderFactory(account=account, owner=account.owner)
    usual = {"symbol": symbol, "status": IntentStatus.CLEARED, "cleared_at": clock.now(), "signal__status": "planned"}
    made: OrderIntent = OrderIntentFactory(**{"trader": trader, **usual, **fields})
    return made


def state_of(intent: OrderIntent) -> str:
    return str(OrderIntent.objects.get(pk=intent.pk).status)


def net(symbol: str) -> int:
    return sum(Position.objects.filter(symbol=symbol).values_list("net_qty", flat=True))


def working() -> list[tuple[str, int]]:
    return sorted(Order.objects.filter(status="working").values_list("role", "qty"))


def test_an_entry_waits_for_its_quote_fills_and_its_exit_leg_closes_it(
    lane: Lane, account: BrokerAccount, symbol: str
) -> None:
    entry = cleared(account, symbol, qty=2)
    lane.dispatch()
    until(lambda: symbol in demand.wanted())
    quote(symbol, PRICE)
    until(lambda: net(symbol) == 2)
    until(lambda: working() == [("stop", 2), ("target", 2)])
    target = Order.objects.get(role="target")
    assert target.intent_id == entry.pk
    assert target.price is not None
    until(lambda: BrokerAccount.objects.get(pk=account.pk).cash == 50_000 - 2)
    quote(symbol, target.price + 1)
    until(lambda: net(symbol) == 0)
    until(lambda: working() == [])
    until(lambda: state_of(entry) == IntentStatus.DONE)


def test_an_exit_flattens_and_its_legs_are_gone(lane: Lane, account: BrokerAccount, symbol: str) -> None:
    quote(symbol, PRICE)
    entry = cleared(account, symbol)
    lane.dispatch()
    until(lambda: len(working()) == 2)
    closing = cleared(
        account, symbol, trader=entry.trader, kind=IntentKind.EXIT, leg="exit", side="sell",
        target_distance=None, stop_distance=None, bracket=[],
    )  # fmt: skip
    lane.dispatch()
    until(lambda: state_of(closing) == IntentStatus.DONE)
    until(lambda: (net(symbol), working()) == (0, []))


def test_a_restarted_lane_finds_the_account_as_it_was(lane: Lane, account: BrokerAccount, symbol: str) -> None:
    quote(symbol, PRICE)
    cleared(account, symbol)
    lane.dispatch()
    until(lambda: len(working()) == 2)
    lane.stop()
    BrokerLogin.objects.update(state="down")
    again = Lane(0)
    again.start()
    until(lambda: BrokerLogin.objects.get(pk=account.login_id).state == "live")
    stop = Order.objects.get(role="stop")
    assert stop.stop_price is not None
    quote(symbol, stop.stop_price)
    until(lambda: net(symbol) == 0)
    until(lambda: working() == [])
    again.stop()


def test_a_lane_says_when_its_login_may_ask_again(lane: Lane, account: BrokerAccount) -> None:
    """The broker told another process to be silent: an entry that is too old by then is denied at once."""
    now = clock.now()
    soon, later = now + timedelta(seconds=30), now + timedelta(minutes=10)
    assert asking.silent_past(account.login_id, soon) is None
    shared_budget(account.login).penalise(later)
    assert until(lambda: asking.silent_past(account.login_id, soon)) == later
    assert asking.silent_past(account.login_id, later) is None
