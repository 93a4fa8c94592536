"""Every account's books are looked at once a minute, each at a second of its own.

How depends on the venue: all accounts of a login at once where that is cheaper, not at all where the connection does it
by itself, else one by one. A look that the budget has no room for is none, and is made later. What a look finds and
cannot be sure of is looked at again within seconds. Only a live connection is asked: what is held where a stream is
away is `execution.polls`' matter.
"""

from __future__ import annotations

import queue
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Mod

from brokers.base import AccountRef, Connection, ConnectionState, Surveyor
from brokers.errors import BrokerError, OutcomeUnknown, RateLimited
from brokers.models import BrokerAccount
from brokers.registry import VENUES
from brokers.selectors import secrets_of
from execution.models import Break, Order
from execution.reconcile import failures
from execution.reconcile.unheard import Answers
from execution.reports.absence import AT_WORK
from justtrades import clock

log = structlog.get_logger(__name__)
EVERY = timedelta(seconds=settings.RECONCILE_EVERY_S) * 0.95
"""A look takes its time: so no comparison becomes older than the setting says."""
"""A minute, where nobody has set another."""
AGAIN_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2.5, 2.5, 5, 10, 30))
"""The pauses before each further look at what is suspected; from the last one on the minute's look goes on alone."""
RETRY_AFTER = timedelta(seconds=15)
RELOAD_AFTER = timedelta(seconds=10)
HANDS = 6
"""Of the lane's helper threads, which also place orders while a socket is away."""
IN_A_HAND = 5
"""Looks that one of them makes, one after another, before others have their turn."""
OUR_FAULT = "failed inside this program"
NEVER = datetime.min.replace(tzinfo=UTC)


class Desk(Protocol):
    """What a look needs of the lane."""

    index: int
    loop: Any
    inbox: Any

    def connection_of(self, login_id: UUID) -> Connection | None: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at in one go: a login with all its accounts, or one account. `key` is the id of it."""

    key: UUID
    login_id: UUID
    accounts: tuple[BrokerAccount, ...]

    @property
    def compared_at(self) -> datetime:
        """When the one of them was that was compared longest ago."""
        return min((compared_at(account) for account in self.accounts), default=NEVER)


@dataclass(slots=True)
class Course:
    """How the looks at one subject went. `not_before`: the venue, or our budget, has no room until then."""

    asked_at: datetime = NEVER
    not_before: datetime = NEVER
    again: int = 0


@dataclass(slots=True)
class Looks:
    """Belongs to the keeper's thread, which calls `look` once a second; the looks themselves run beside it."""

    desk: Desk
    _began_at: datetime = field(default_factory=clock.now)
    """Every connection tells the whole when it comes up: until its first turn that is enough."""
    _accounts: tuple[BrokerAccount, ...] = ()
    _loaded_at: datetime = NEVER
    _courses: dict[UUID, Course] = field(default_factory=dict)
    _under_way: dict[UUID, Subject] = field(default_factory=dict)
    _answers: Answers = field(default_factory=Answers)
    _ended: queue.SimpleQueue[tuple[UUID, BrokerError | None]] = field(default_factory=queue.SimpleQueue)

    def look(self) -> int:
        """Begin what is due, as far as there are hands for it; how many looks."""
        now = clock.now()
        self._note_ended(now)
        if now - self._loaded_at >= RELOAD_AFTER:
            self._accounts, self._loaded_at = accounts_of(self.desk.index), now
        suspected = accounts_in_question(self.desk.index)
        due = [one for one in self._subjects(suspected) if self._is_due(one[0], suspected, now)]
        due = due[: max(0, HANDS * IN_A_HAND - len(self._under_way))]
        hands = min(HANDS, len(due))
        for subject, _ in due:
            self._courses[subject.key].asked_at = now
            self._under_way[subject.key] = subject
        for number in range(hands):
            self.desk.loop.background(partial(self._ask_all, due[number::hands]))
        return len(due)

    def _is_due(self, subject: Subject, suspected: set[UUID], now: datetime) -> bool:
        course = self._courses.setdefault(subject.key, Course())
        is_again = any(account.pk in suspected for account in subject.accounts)
        course.again = course.again if is_again else 0
        if subject.key in self._under_way or now < course.not_before:
            return False
        if is_again and course.again < len(AGAIN_AFTER) and now - course.asked_at >= AGAIN_AFTER[course.again]:
            course.again += 1
            return True
        return max(course.asked_at, subject.compared_at, self._began_at) < turn_before(subject.key, now)

    def _subjects(self, suspected: set[UUID]) -> list[tuple[Subject, Connection]]:
        by_login: dict[UUID, list[BrokerAccount]] = {}
        for account in self._accounts:
            by_login.setdefault(account.login_id, []).append(account)
        found: list[tuple[Subject, Connection]] = []
        for login_id, accounts in by_login.items():
            connection = self.desk.connection_of(login_id)
            if connection is None or connection.state is not ConnectionState.LIVE:
                continue
            if isinstance(connection, Surveyor):
                found.append((Subject(login_id, login_id, tuple(accounts)), connection))
                continue
            venue = VENUES.get(accounts[0].login.venue)
            is_told = venue is not None and venue.syncs_itself
            asked = [account for account in accounts if not is_told or account.pk in suspected]
            found += [(Subject(account.pk, login_id, (account,)), connection) for account in asked]
        # Whoever had to wait longest comes first when there are not hands enough.
        found.sort(key=lambda one: self._courses[one[0].key].asked_at if one[0].key in self._courses else NEVER)
        return found

    def _ask_all(self, subjects: Sequence[tuple[Subject, Connection]]) -> None:
        try:
            for subject, connection in subjects:
                self._ask(connection, subject)
        finally:
            # A helper thread of the loop: its database connection would stay open for ever.
            if not database.in_atomic_block:
                database.close()

    def _ask(self, connection: Connection, subject: Subject) -> None:
        failure: BrokerError | None = None
        try:
            if isinstance(connection, Surveyor):
                connection.survey()
            else:
                account = subject.accounts[0]
                self.desk.inbox.put(subject.login_id, [connection.query(AccountRef(account.broker_id, account.name))])
        except BrokerError as error:
            failure = error
        except Exception:  # the outermost frame of a look: whatever happened, it has failed, and the others are due
            log.exception("reconcile.look_broke", subject=str(subject.key))
            failure = OutcomeUnknown(OUR_FAULT)
        finally:
            self._ended.put((subject.key, failure))

    def _note_ended(self, now: datetime) -> None:
        failed: dict[BrokerAccount, str] = {}
        while not self._ended.empty():
            key, failure = self._ended.get()
            subject, course = self._under_way.pop(key), self._courses[key]
            if failure is None:
                self._answers.expect(key, subject.accounts, course.asked_at, now)
                continue
            course.asked_at = self._began_at
            course.not_before = failure.until if isinstance(failure, RateLimited) else now + RETRY_AFTER
            if not isinstance(failure, RateLimited):
                log.warning("reconcile.look_failed", subject=str(key), reason=str(failure))
                failed |= dict.fromkeys(subject.accounts, str(failure))
        for key, accounts in self._answers.overdue(now).items():
            self._courses[key].asked_at, self._courses[key].not_before = self._began_at, now + RETRY_AFTER
            log.warning("reconcile.look_unheard", subject=str(key), accounts=len(accounts))
            failed |= dict.fromkeys(accounts, failures.UNHEARD)
        if failed:
            with transaction.atomic():
                failures.note_all(failed, now)


def turn_before(key: UUID, now: datetime) -> datetime:
    """The last moment that was this one's turn of the minute: keys are spread over all of it."""
    offset = timedelta(milliseconds=zlib.crc32(key.bytes) % int(EVERY / timedelta(milliseconds=1)))
    epoch = datetime.fromtimestamp(0, UTC) + offset
    return now - (now - epoch) % EVERY


def accounts_of(lane: int) -> tuple[BrokerAccount, ...]:
    """The lane's accounts, traded or not, with login and what is known of their looks."""
    rows = BrokerAccount.objects.annotate(lane=Mod(F("login__lane_slot"), settings.LANES)).filter(
        lane=lane, login__is_enabled=True, login__deleted_at=None
    )
    return tuple(rows.select_related("login", "reconciliation").defer(*secrets_of("login")).order_by("pk"))


def compared_at(account: BrokerAccount) -> datetime:
    """When its books were compared last, as far as the row was read; `NEVER` if they never were."""
    known = getattr(account, "reconciliation", None)
    return NEVER if known is None or known.compared_at is None else known.compared_at


def accounts_in_question(lane: int) -> set[UUID]:
    """Accounts of which a look has shown something that a second one must confirm."""
    mine = Mod(F("account__login__lane_slot"), settings.LANES)
    doubted = Break.objects.annotate(lane=mine).filter(lane=lane, is_suspected=True)
    missed = Order.objects.annotate(lane=mine).filter(lane=lane, status__in=AT_WORK, queries_without_trace__gt=0)
    return _ids(doubted.values_list("account_id", flat=True)) | _ids(missed.values_list("account_id", flat=True))


def _ids(rows: Iterable[UUID]) -> set[UUID]:
    return set(rows)
