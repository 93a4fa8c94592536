"""Connections that a test makes live and dead, and whose quotes it speaks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from brokers.base import AccountRef, ConnectionState, OnQuote, Request
from brokers.errors import BrokerError
from brokers.reports import SyncReport
from justtrades import clock


class ScriptedSource:
    def __init__(self, on_quote: OnQuote) -> None:
        self.on_quote = on_quote
        self.symbols: set[str] = set()
        self.asked: list[str] = []
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def stop(self) -> None:
        self.is_running = False

    def subscribe(self, symbols: Iterable[str]) -> None:
        asked = list(symbols)
        self.asked += asked
        self.symbols.update(asked)

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        self.symbols.difference_update(symbols)

    def say(self, symbol: str, last: str, at: datetime | None = None) -> None:
        self.on_quote(symbol, None, None, Decimal(last), at or clock.now())


class ScriptedConnection:
    def __init__(self, login_id: uuid.UUID | None = None) -> None:
        self.login_id = login_id or uuid.uuid4()
        self.state = ConnectionState.LIVE
        self.books_at: datetime | None = None
        self.sources: list[ScriptedSource] = []
        self.refusal: BrokerError | None = None
        self.has_market = True

    @property
    def source(self) -> ScriptedSource:
        return self.sources[-1]

    def quotes(self, on_quote: OnQuote) -> ScriptedSource | None:
        if self.refusal is not None:
            raise self.refusal
        if not self.has_market:
            return None
        self.sources.append(ScriptedSource(on_quote))
        return self.source

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def submit(self, requests: Iterable[Request]) -> None:
        raise AssertionError(f"nothing is traded here: {requests}")

    def query(self, account: AccountRef) -> SyncReport:
        raise AssertionError(f"nobody asks for {account}")

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        raise AssertionError(f"nobody asks what {account} made")

    def front_month(self, root: str) -> str | None:
        raise AssertionError(f"nobody asks for {root}")
