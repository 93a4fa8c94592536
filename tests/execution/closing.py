"""A desk whose broker's books say what a test wants, and wishes to be flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from brokers.base import AccountRef, ConnectionState
from brokers.errors import OutcomeUnknown
from brokers.models import BrokerAccount
from brokers.reports import Event, OrderReport, PositionReport, SyncReport
from execution.flattening import flatten
from execution.flattening.flatten import Wish
from execution.models import Flatten, IntentSource
from justtrades import clock
from tests.execution.desk import WritingDesk

WHY = {"source": IntentSource.RISK_ACTION, "code": "DAILY_LOSS", "text": "daily loss: had -$510.00, limit -$500.00"}


@dataclass
class Books:
    """A connection whose books say what a test wants; None: it gives no answer."""

    login_id: UUID
    positions: list[PositionReport] = field(default_factory=list)
    orders: list[OrderReport] = field(default_factory=list)
    accounts: list[AccountRef] | None = None
    state: ConnectionState = ConnectionState.LIVE
    is_silent: bool = False
    asked: int = 0

    def query(self, account: AccountRef) -> SyncReport:
        self.asked += 1
        if self.is_silent:
            raise OutcomeUnknown("no answer")
        accounts = [account] if self.accounts is None else self.accounts
        return SyncReport(clock.now(), tuple(accounts), tuple(self.orders), (), tuple(self.positions))


class AtOnce:
    """Where a lane has its helper threads."""

    def background(self, action: Callable[[], object]) -> None:
        action()


class FlatDesk(WritingDesk):
    def __init__(self, books: Books) -> None:
        super().__init__()
        self.loop, self.books, self.inbox, self.told = AtOnce(), books, self, []  # type: ignore[var-annotated]

    def connection_of(self, _login_id: UUID) -> Any:
        return self.books

    def put(self, _login_id: UUID, events: list[Event]) -> None:
        self.told += events


def wish_for(account: BrokerAccount, trader_id: UUID | None = None, key: str = "risk_action:1") -> Flatten:
    return flatten.begin(account, Wish(key=key, **WHY), trader_id=trader_id)


def ref(account: BrokerAccount) -> AccountRef:
    return AccountRef(account.broker_id, account.name)


def later(wish: Flatten, seconds: float) -> None:
    """The last round of closing was so long ago."""
    Flatten.objects.filter(pk=wish.pk).update(tried_at=clock.now() - timedelta(seconds=seconds))


def sent_to(desk: WritingDesk) -> list[tuple[str, str]]:
    return [(type(one).__name__, getattr(one, "symbol", "")) for one in desk.sent]
