"""What the installation lends the paper venue: a place for its books, and the quotes of other venues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from brokers.paper.store import MemoryStore, PaperStore
from brokers.quotes.quote import Quote

ReadQuotes = Callable[[Iterable[str], str], Mapping[str, Quote]]
"""The quotes to go by for these contracts, the named source's first. Answers with what it has, and never raises."""
WantQuotes = Callable[[Iterable[str]], None]
"""Ask whoever has a feed for these contracts, for the next half minute. Never raises."""


@dataclass(slots=True)
class House:
    """Lends nothing until `lend` is called: books end with the process, and there are no quotes."""

    books: Callable[[UUID], PaperStore] = lambda _login_id: MemoryStore()
    quotes: ReadQuotes = lambda _symbols, _source: {}
    want: WantQuotes = lambda _symbols: None

    def lend(self, *, books: Callable[[UUID], PaperStore], quotes: ReadQuotes, want: WantQuotes) -> None:
        """Once, when the process starts."""
        self.books, self.quotes, self.want = books, quotes, want


HOUSE = House()
