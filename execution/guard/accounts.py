"""The accounts that a lane watches, with what their day is counted by. One query, however many there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Mod

from brokers.models import BrokerAccount
from brokers.quotes.quote import source_of
from brokers.sessions import DEFAULT_ROLL, EXCHANGE_ZONE, SessionDay, session_of

_FIELDS = (
    "id", "owner_id", "login_id", "broker_id", "name", "login__venue", "login__environment", "cash", "cash_at",
    "risk_rules__fee_per_contract", "risk_rules__roll_at", "risk_rules__roll_zone",
    "equity__reset_at", "equity__intraday_high", "equity__end_of_day_high", "login__lane_slot",
)  # fmt: skip
BEFORE_NOON = time(11, 59)
"""A moment that belongs to the session of its own date, whenever that rolls (`brokers.sessions`)."""


@dataclass(frozen=True, slots=True)
class Account:
    """`cash` is dollars as the broker last said, without open positions; `fee` dollars per contract and side.

    `marks` are the high-water marks, intraday and of the end of days, as stored; since `reset_at` they count anew.
    """

    id: UUID
    owner_id: UUID
    login_id: UUID
    broker_id: str
    name: str
    venue: str
    source: str
    cash: Decimal | None
    cash_at: datetime | None
    fee: Decimal = Decimal(0)
    roll_at: time = DEFAULT_ROLL
    roll_zone: str = EXCHANGE_ZONE
    reset_at: datetime | None = None
    marks: tuple[Decimal | None, Decimal | None] = (None, None)
    lane_slot: int = 0

    @property
    def roll(self) -> tuple[time, str]:
        return self.roll_at, self.roll_zone

    def session(self, now: datetime) -> SessionDay:
        return session_of(now, self.roll_at, self.roll_zone)

    def lasting(self, session: SessionDay) -> SessionDay:
        """The same when it began by another rule: it ends no earlier than it was to, and has all of its day."""
        end = session.end
        while (following := self.session(end)).day <= session.day:
            end = following.end
        return replace(session, end=end)

    def week_start(self, session: SessionDay) -> datetime:
        """When the first session of the session's week began; a week's sessions are Monday's to Friday's."""
        monday = session.day - timedelta(days=session.day.weekday())
        return self.session(datetime.combine(monday, BEFORE_NOON, ZoneInfo(self.roll_zone))).start


def load_accounts(lane: int) -> dict[UUID, Account]:
    """Every account of the lane's logins, traded or not: what is opened by hand counts, too."""
    return _load(_watched().annotate(lane=Mod(F("login__lane_slot"), settings.LANES)).filter(lane=lane))


def load_accounts_of(owners: Collection[UUID], *, but: Collection[UUID]) -> dict[UUID, Account]:
    """Every watched account of these owners but for those, whichever lane watches it."""
    return _load(_watched().filter(owner__in=owners).exclude(pk__in=but))


def load_accounts_named(account_ids: Collection[UUID]) -> dict[UUID, Account]:
    """These, whether anybody watches them or not."""
    return _load(BrokerAccount.objects.filter(pk__in=account_ids))


def _watched() -> QuerySet[BrokerAccount]:
    return BrokerAccount.objects.filter(login__is_enabled=True, login__deleted_at=None)


def _load(accounts: QuerySet[BrokerAccount]) -> dict[UUID, Account]:
    return {row[0]: _account(row) for row in accounts.values_list(*_FIELDS)}


def _account(row: tuple[Any, ...]) -> Account:
    (
        account_id, owner_id, login_id, broker_id, name, venue, environment, cash, cash_at,
        fee, roll_at, roll_zone, reset_at, intraday_high, end_of_day_high, lane_slot,
    ) = row  # fmt: skip
    return Account(
        id=account_id,
        owner_id=owner_id,
        login_id=login_id,
        broker_id=broker_id,
        name=name,
        venue=venue,
        source=source_of(venue, environment),
        cash=cash,
        cash_at=cash_at,
        fee=Decimal(0) if fee is None else fee,
        roll_at=DEFAULT_ROLL if roll_at is None else roll_at,
        roll_zone=EXCHANGE_ZONE if roll_zone is None else roll_zone,
        reset_at=reset_at,
        marks=(intraday_high, end_of_day_high),
        lane_slot=lane_slot,
    )
