"""The paper venue's books in the database, and its quotes from the shared cache."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, connection
from redis.exceptions import RedisError

from brokers.models import PaperBook
from brokers.paper.house import HOUSE
from brokers.paper.store import BooksAway, BooksTaken
from brokers.quotes import cache, demand
from brokers.quotes.quote import Quote
from justtrades import clock

log = structlog.get_logger(__name__)


class DatabaseBooks:
    """`brokers.paper.store.PaperStore` on `PaperBook`; runs in threads that outlive a database restart."""

    def __init__(self, login_id: uuid.UUID) -> None:
        self._login_id = login_id
        self._revision = 0

    def load(self) -> str | None:
        try:
            connection.close_if_unusable_or_obsolete()
            found = PaperBook.objects.filter(pk=self._login_id).values_list("document", "revision").first()
        except (DatabaseError, InterfaceError) as error:
            raise _away(error) from None
        if found is None:
            self._revision = 0
            return None
        document, self._revision = found
        return document

    def save(self, document: str) -> None:
        try:
            connection.close_if_unusable_or_obsolete()
            is_ours = self._write(document)
        except (DatabaseError, InterfaceError) as error:
            raise _away(error) from None
        if not is_ours:
            raise BooksTaken(f"revision {self._revision} of the books is not the newest")
        self._revision += 1

    def _write(self, document: str) -> bool:
        newer = self._revision + 1
        if self._revision == 0:
            _, is_new = PaperBook.objects.get_or_create(
                login_id=self._login_id, defaults={"document": document, "revision": newer}
            )
            return is_new
        mine = PaperBook.objects.filter(pk=self._login_id, revision=self._revision)
        return mine.update(document=document, revision=newer, updated_at=clock.now()) == 1


def _away(error: Exception) -> BooksAway:
    connection.close()
    return BooksAway(f"the database does not answer: {type(error).__name__}")


class SharedQuotes:
    """The cache and the register of wishes, as the paper venue asks them: what is out of reach is empty."""

    def __init__(self) -> None:
        self._is_away = False

    def read(self, symbols: Iterable[str], source: str) -> Mapping[str, Quote]:
        found: dict[str, Quote] = {}
        with self._noticing():
            found.update(cache.latest(symbols, source))
        return found

    def want(self, symbols: Iterable[str]) -> None:
        with self._noticing():
            demand.want(symbols)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """An outage is logged once: the cache is asked five times a second."""
        try:
            yield
            self._is_away = False
        except RedisError as error:
            if not self._is_away:
                log.warning("paper.quotes_away", reason=type(error).__name__)
            self._is_away = True


def lend() -> None:
    """Give the paper venue its books and quotes; once, when the process starts."""
    shared = SharedQuotes()
    HOUSE.lend(books=DatabaseBooks, quotes=shared.read, want=shared.want)
