"""Quotes from the venues to everybody who needs them, and the stops that move by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.instruments import contract_of
from brokers.models import BrokerLogin
from brokers.quotes import cache, demand
from brokers.quotes.quote import TRADINGVIEW, Quote
from brokers.quotes.tradingview import OnLateQuote, TradingViewQuotes
from execution.lane.quotes import QuoteKeeper
from execution.models import Position
from justtrades import clock
from recorders.settings import read_settings
from tests.brokers.scripted import until
from tests.execution.desk import MNQ
from tests.execution.feed import ScriptedConnection
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory
from traders.exits import template_of

pytestmark = [pytest.mark.django_db(transaction=True)]
EXITS = {"stop_distance": 20, "break_even_ticks": 16, "targets": [{"distance": 80}]}


class FakeLane:
    """As much of a lane as quotes need."""

    index = 0

    def __init__(self) -> None:
        self.live: list[ScriptedConnection] = []
        self.dispatched = 0

    def connections(self) -> list[ScriptedConnection]:
        return self.live

    def dispatch(self) -> None:
        self.dispatched += 1


@pytest.fixture
def lane(settings: Any) -> FakeLane:
    settings.LANES = 1
    cache.client().flushdb()
    return FakeLane()


@pytest.fixture
def keeper(lane: FakeLane) -> Iterator[QuoteKeeper]:
    made = QuoteKeeper(lane)  # type: ignore[arg-type]
    yield made
    made.stop()


@pytest.fixture
def connect(lane: FakeLane) -> Callable[[BrokerLogin], ScriptedConnection]:
    def connected(login: BrokerLogin) -> ScriptedConnection:
        lane.live.append(ScriptedConnection(login.id))
        return lane.live[-1]

    return connected


Connect = Callable[[BrokerLogin], ScriptedConnection]


def held(venue: str = "tradovate", environment: str = "live") -> Position:
    """Two contracts long at 25,000, whose stop moves to the entry at 25,004."""
    login = BrokerLoginFactory(venue=venue, environment=environment)
    trader = TraderFactory(account=BrokerAccountFactory(login=login, owner=login.owner), owner=login.owner)
    exits = template_of(read_settings(EXITS), contract_of(MNQ), Decimal(1)).text
    made: Position = PositionFactory(trader=trader, symbol=MNQ, net_qty=2, avg_price=Decimal(25_000), exits=exits)
    return made


def is_at_break_even(position: Position) -> bool:
    return Position.objects.get(pk=position.pk).is_at_break_even


def test_what_a_venue_says_is_shared_under_its_name(keeper: QuoteKeeper, connect: Connect) -> None:
    position = held()
    source = connect(position.account.login)
    keeper.refresh()
    assert source.source.symbols == {MNQ}
    source.source.say(MNQ, "25001.25")
    until(lambda: cache.latest([MNQ]))
    shared = cache.latest([MNQ], "tradovate/live")[MNQ]
    assert (shared.last, shared.source, shared.delay_s) == (Decimal("25001.25"), "tradovate/live", 0)


def test_what_another_process_asks_for_is_subscribed_and_dropped_again(keeper: QuoteKeeper, connect: Connect) -> None:
    connection = connect(BrokerLoginFactory())
    keeper.refresh()
    demand.want(["MESZ6"], seconds=1)
    until(lambda: connection.sources and connection.source.symbols == {"MESZ6"})
    until(lambda: connection.source.symbols == set())


def test_what_no_stream_of_the_lane_tells_is_asked_of_others(keeper: QuoteKeeper, connect: Connect) -> None:
    held("paper", "demo")
    keeper.refresh()
    until(lambda: demand.wanted() == {MNQ})


def test_a_stop_moves_when_a_fresh_trade_reaches_its_trigger(
    keeper: QuoteKeeper, connect: Connect, lane: FakeLane
) -> None:
    position = held()
    source = connect(position.account.login)
    keeper.refresh()
    source.source.say(MNQ, "25004", clock.now() - timedelta(seconds=11))
    source.source.say(MNQ, "25003.75")
    until(lambda: cache.latest([MNQ])[MNQ].last == Decimal("25003.75") if cache.latest([MNQ]) else False)
    assert not is_at_break_even(position)
    source.source.say(MNQ, "25004")
    source.source.say(MNQ, "25000")
    until(lambda: is_at_break_even(position))
    until(lambda: lane.dispatched == 1)


def test_a_made_up_price_moves_no_stop_of_a_real_account(keeper: QuoteKeeper, connect: Connect) -> None:
    real, made_up = held(), held("tradovate", "sandbox")
    sandbox = connect(made_up.account.login)
    keeper.refresh()
    sandbox.source.say(MNQ, "25010")
    until(lambda: is_at_break_even(made_up))
    assert not is_at_break_even(real)


@pytest.mark.parametrize(("delay_s", "moves"), [(0, True), (600, False)])
def test_a_paper_accounts_stop_moves_by_anybodys_fresh_price(
    keeper: QuoteKeeper, connect: Connect, delay_s: int, *, moves: bool
) -> None:
    position = held("paper", "demo")
    witness = held("paper", "sandbox")
    keeper.refresh()
    at = clock.now()
    cache.store([
        Quote(MNQ, Decimal(25_010), None, None, at, "projectx/live", delay_s),
        Quote(MNQ, Decimal(25_010), None, None, at, "webull/sandbox"),
    ])  # fmt: skip
    until(lambda: is_at_break_even(witness))
    if moves:
        until(lambda: is_at_break_even(position))
    assert is_at_break_even(position) is moves


class Charts(TradingViewQuotes):
    """Without the network."""

    def __init__(self, on_quote: OnLateQuote) -> None:
        super().__init__(on_quote)
        self.say = on_quote

    def start(self) -> None: ...


def test_charts_are_for_screens_alone(lane: FakeLane) -> None:
    position = held("paper", "demo")
    made: list[Charts] = []

    def make(on_quote: OnLateQuote) -> Charts:
        made.append(Charts(on_quote))
        return made[0]

    keeper = QuoteKeeper(lane, make)  # type: ignore[arg-type]
    keeper.refresh()
    assert list(made[0].wanted().values()) == [MNQ]
    made[0].say(Quote(MNQ, Decimal(25_010), None, None, clock.now(), TRADINGVIEW, 0))
    until(lambda: cache.latest([MNQ], indicative=True))
    assert cache.latest([MNQ]) == {}
    keeper.stop()
    assert not is_at_break_even(position)
