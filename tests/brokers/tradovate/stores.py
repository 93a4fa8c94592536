"""A token store for tests that lives in memory."""

from __future__ import annotations

from brokers.access import Token


class MemoryStore:
    def __init__(self, token: Token | None = None) -> None:
        self.token = token

    def load(self) -> Token | None:
        return self.token

    def save(self, token: Token) -> None:
        self.token = token
