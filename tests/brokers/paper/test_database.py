"""Paper books in the database."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers import instruments
from brokers.access import Access, Credentials, Endpoints
from brokers.base import ConnectionState, Side, SubmitOrder
from brokers.models import PaperBook
from brokers.paper.house import HOUSE
from brokers.paper.store import BooksAway, BooksTaken
from brokers.paper.venue import VENUE
from brokers.paperbooks import DatabaseBooks, SharedQuotes
from brokers.quotes import cache, demand
from brokers.quotes.quote import Quote
from brokers.reports import Event, FillReport
from brokers.streams import StreamLoop
from justtrades import clock
from tests.brokers.paper.trader import let_threads_end
from tests.brokers.scripted import until
from tests.factories import BrokerLoginFactory


@pytest.fixture(autouse=True)
def nothing_shared() -> None:
    cache.client().flushdb()


@pytest.mark.django_db(transaction=True)
def test_books_are_found_as_they_were_left() -> None:
    login = BrokerLoginFactory(venue="paper")
    books = DatabaseBooks(login.id)
    assert books.load() is None
    for document in ('{"cash": "1"}', '{"cash": "2"}', '{"cash": "3"}'):
        books.save(document)
    assert DatabaseBooks(login.id).load() == '{"cash": "3"}'
    assert PaperBook.objects.get().revision == 3


@pytest.mark.django_db(transaction=True)
def test_who_read_older_books_cannot_write() -> None:
    login = BrokerLoginFactory(venue="paper")
    first, second = DatabaseBooks(login.id), DatabaseBooks(login.id)
    first.save("one")
    with pytest.raises(BooksTaken):
        second.save("two")
    assert second.load() == "one"
    second.save("two")
    with pytest.raises(BooksTaken):
        first.save("three")
    assert PaperBook.objects.get().document == "two"


@pytest.mark.django_db(transaction=True)
def test_books_go_with_their_login() -> None:
    login = BrokerLoginFactory(venue="paper")
    DatabaseBooks(login.id).save("one")
    login.delete()
    assert not PaperBook.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_is_not_saved() -> None:
    with pytest.raises(BooksAway):
        DatabaseBooks(uuid.uuid4()).save("nobody's")
    assert not PaperBook.objects.exists()


def test_the_process_lends_the_paper_venue_its_books_and_quotes() -> None:
    assert isinstance(HOUSE.books(uuid.uuid4()), DatabaseBooks)
    quote = Quote("MNQZ6", Decimal(25_000), None, None, clock.now(), "tradovate/live")
    late = replace(quote, symbol="MESZ6", delay_s=600)
    cache.store([quote, late])
    assert HOUSE.quotes(["MNQZ6", "MESZ6"], "paper/demo") == {"MNQZ6": quote}
    assert HOUSE.quotes(["MNQZ6"], "paper/sandbox") == {}
    HOUSE.want(["MGCZ6"])
    assert "MGCZ6" in demand.wanted()


@pytest.mark.django_db(transaction=True)
def test_a_login_trades_by_shared_quotes_and_a_restart_finds_what_it_did() -> None:
    login = BrokerLoginFactory(venue="paper", environment="sandbox")
    access = Access(Credentials("paper", "sandbox", "Mine", login.device_id, {}), Endpoints("paper:", "paper:"))
    (listed,) = VENUE.sign_in_check(access)
    symbol = instruments.resolve("MNQ", clock.now().date()).symbol
    heard: list[Event] = []
    loop = StreamLoop(name="paper")
    first = VENUE.connect(login.id, access, lambda _, events: heard.extend(events), loop)
    first.start()
    until(lambda: first.state is ConnectionState.LIVE)
    order = SubmitOrder("test-0000000000000000000000", listed.ref, symbol, Side.BUY, 1)
    first.submit([order])
    until(lambda: symbol in demand.wanted())
    cache.store([Quote(symbol, Decimal(25_000), Decimal(25_000), Decimal(25_000), clock.now(), "tradovate/sandbox")])
    (fill,) = until(lambda: [event for event in heard if isinstance(event, FillReport)])
    assert fill.price == Decimal("25000.25")
    first.stop()
    until(lambda: first.state is ConnectionState.DOWN)
    second = VENUE.connect(login.id, access, lambda *_: None, loop)
    second.start()
    until(lambda: second.state is ConnectionState.LIVE)
    (position,) = second.query(listed.ref).positions
    assert (position.symbol, position.net_qty) == (symbol, 1)
    second.stop()
    until(lambda: second.state is ConnectionState.DOWN)
    let_threads_end()


def test_quotes_out_of_reach_are_none(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    cache.client.cache_clear()
    shared = SharedQuotes()
    shared.want(["MNQZ6"])
    assert shared.read(["MNQZ6"], "paper/demo") == {}
    cache.client.cache_clear()
