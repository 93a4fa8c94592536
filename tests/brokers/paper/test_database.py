"""Paper books in the database."""

from __future__ import annotations

import uuid

import pytest

from brokers import paperbooks
from brokers.models import PaperBook
from brokers.paper.house import HOUSE
from brokers.paper.store import BooksAway, BooksTaken
from brokers.paperbooks import DatabaseBooks
from tests.factories import BrokerLoginFactory


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
    login_id = uuid.uuid4()
    assert isinstance(HOUSE.books(login_id), DatabaseBooks)
    assert HOUSE.quotes is paperbooks.read_quotes
    assert HOUSE.want is paperbooks.want_quotes
