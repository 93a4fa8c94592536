"""Where a paper login's books are kept, so that a restart finds them as they were."""

from __future__ import annotations

from typing import Protocol

from brokers.errors import BrokerError


class BooksAway(BrokerError):
    """The books can be neither read nor written at this moment; nothing of them has changed."""


class BooksTaken(BrokerError):
    """Somebody else has written the books since they were read: what is in memory is no longer true."""


class PaperStore(Protocol):
    """One login's books, as one JSON document. Each call may block."""

    def load(self) -> str | None:
        """None before the first save. Raises `BooksAway`."""

    def save(self, document: str) -> None:
        """Raises `BooksAway`, or `BooksTaken` when the document is not the one that was last loaded or saved here."""


class MemoryStore:
    """Books that end with the process."""

    def __init__(self, document: str | None = None) -> None:
        self.document = document

    def load(self) -> str | None:
        return self.document

    def save(self, document: str) -> None:
        self.document = document
