"""Compares what an account made today by our books with what its broker says, about once a minute.

The streamed cash carries no open profit, so the broker's own figure is asked for. It only accuses: nothing is traded
or limited by it.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import connection as database
from django.db.models import Q

from brokers import sessions
from brokers.base import AccountRef, Connection, ConnectionState
from brokers.errors import AuthExpired, BrokerError, RateLimited, Refused
from brokers.instruments import product_of
from brokers.models import Environment
from brokers.sessions import DEFAULT_ROLL, EXCHANGE_ZONE
from execution import alarms
from execution.lane.runtime import Lane
from execution.models import BrokerPosition
from execution.valuation import known_contract
from justtrades import clock
from risk.models import AccountDay
from risk.monitors import money

log = structlog.get_logger(__name__)
PNL_DIFFERS = "PNL_DIFFERS"
ROUND = timedelta(seconds=5)
EVERY = timedelta(minutes=1)
FLAT_EVERY = timedelta(minutes=5)
REFUSED_FOR = timedelta(hours=6)
"""A login that may not see the figure is not asked again soon: a refusal can cost it a renewal of its token."""
NEVER = datetime.min.replace(tzinfo=UTC)
HANDS = 4
"""Of the lane's helper threads, which orders may need, too."""
PATIENCE = 2
LEAST_GAP, GAP_SHARE = Decimal(5), Decimal("0.01")
TICKS_BETWEEN = 8
"""The market moves between our look and theirs: so many ticks of what is open are no difference."""
FINE = Decimal("0.0001")
USUAL_PRODUCT = "ES"
"""Its hours are those of a broker's day."""
USUAL_DAY = Q(account__risk_rules=None) | Q(
    account__risk_rules__roll_at=DEFAULT_ROLL, account__risk_rules__roll_zone=EXCHANGE_ZONE
)
_COLUMNS = (
    "account__login_id", "pk", "account_id", "account__owner_id", "account__broker_id", "account__name",
    "account__login__environment", "open_positions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """An account that is in a trading day, and who can be asked about it."""

    day_id: int
    account_id: UUID
    owner_id: UUID
    login_id: UUID
    ref: AccountRef
    is_flat: bool
    is_sandbox: bool
    connection: Connection


class CrossCheck:
    """`look` is called once a second by the lane's keeper. At most one account of a login is asked about in a round."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._looked_at = NEVER
        self._asked_at: dict[UUID, datetime] = {}
        self._rests_until: dict[UUID, datetime] = {}
        self._asking: set[UUID] = set()
        self._apart: Counter[UUID] = Counter()
        self._settled: set[UUID] = set()
        self._hands = threading.BoundedSemaphore(HANDS)

    def look(self) -> int:
        """Ask, in helper threads, about a twelfth of the accounts every five seconds; how many were asked about."""
        now = clock.now()
        if now - self._looked_at < ROUND:
            return 0
        self._looked_at = now
        watched = _watched(self._lane.connections())
        due = self._due(watched, now)
        most = math.ceil(len(watched) * (ROUND / EVERY))
        return sum(self._send(part, now) for part in _parts(due[:most]))

    def _due(self, watched: Iterable[Watched], now: datetime) -> list[Watched]:
        """One of each login, the one that was not asked about for longest."""
        chosen: dict[UUID, Watched] = {}
        for one in sorted(watched, key=lambda one: self._asked_at.get(one.account_id, NEVER)):
            is_due = now - self._asked_at.get(one.account_id, NEVER) >= (FLAT_EVERY if one.is_flat else EVERY)
            is_free = one.login_id not in self._asking and now >= self._rests_until.get(one.login_id, now)
            if is_due and is_free:
                chosen.setdefault(one.login_id, one)
        return list(chosen.values())

    def _send(self, part: Sequence[Watched], now: datetime) -> int:
        if not self._hands.acquire(blocking=False):
            return 0
        for one in part:
            self._asked_at[one.account_id] = now
            self._asking.add(one.login_id)
        self._lane.loop.background(partial(self._ask_all, part))
        return len(part)

    def _ask_all(self, part: Sequence[Watched]) -> None:
        try:
            for one in part:
                self._ask(one)
        finally:
            self._asking.difference_update(one.login_id for one in part)
            self._hands.release()
            database.close()

    def _ask(self, one: Watched) -> None:
        try:
            theirs = one.connection.day_pnl(one.ref)
        except (Refused, AuthExpired) as error:
            self._rests_until[one.login_id] = clock.now() + REFUSED_FOR
            log.warning("crosscheck.refused", account=one.ref.name, reason=str(error))
        except RateLimited as error:
            self._rests_until[one.login_id] = max(error.until, clock.now() + EVERY)
        except BrokerError as error:
            log.info("crosscheck.no_answer", account=one.ref.name, reason=str(error))
        else:
            if theirs is not None:
                self.compare(one, theirs)

    def compare(self, one: Watched, theirs: Decimal) -> None:
        """Keep the broker's figure beside ours; the third look in a row that differs is an alarm until they agree."""
        AccountDay.objects.filter(pk=one.day_id).update(venue_pnl=theirs.quantize(FINE))
        day = AccountDay.objects.filter(pk=one.day_id).first()
        allowed = _allowed(one)
        if day is None or day.open_pnl is None or day.warning or allowed is None:
            return
        before_fees = day.realized + day.open_pnl
        gap = gap_between(before_fees, day.fees, theirs)
        if gap <= max(LEAST_GAP, GAP_SHARE * max(abs(theirs), abs(before_fees))) + allowed:
            self._agree(one)
            return
        self._apart[one.account_id] += 1
        if self._apart[one.account_id] > PATIENCE:
            self._settled.discard(one.account_id)
            text = (
                f"{one.ref.name}: the broker says {money(theirs)} for today, our books say {money(before_fees)} before "
                "fees. A fill may be missing: compare the positions before you rely on a limit."
            )
            alarms.raise_alarm(
                owner_id=one.owner_id, account_id=one.account_id, code=PNL_DIFFERS, ref=one.account_id, text=text
            )

    def _agree(self, one: Watched) -> None:
        self._apart[one.account_id] = 0
        if one.account_id not in self._settled:
            # One may be open from before a restart.
            self._settled.add(one.account_id)
            alarms.end_alarm(owner_id=one.owner_id, code=PNL_DIFFERS, ref=one.account_id)


def gap_between(before_fees: Decimal, fees: Decimal, theirs: Decimal) -> Decimal:
    """Dollars by which the broker's figure is outside of ours before and after fees: not all say which theirs is."""
    low, high = before_fees - fees, before_fees
    return max(low - theirs, theirs - high, Decimal(0))


def _allowed(one: Watched) -> Decimal | None:
    """Dollars that what is open may move by between two looks; None while that cannot be told."""
    total, now = Decimal(0), clock.now()
    held = BrokerPosition.objects.filter(account=one.account_id).exclude(net_qty=0).values_list("symbol", "net_qty")
    for symbol, net_qty in held:
        contract = known_contract(symbol)
        if contract is None or not (one.is_sandbox or sessions.is_open(contract.product, now)):
            return None
        total += abs(net_qty) * contract.tick * contract.point_value * TICKS_BETWEEN
    return total


def _watched(connections: Iterable[Connection]) -> list[Watched]:
    """The accounts of live logins, where their day is the broker's: one that rolls elsewhere counts other trades.

    Out of hours a broker may still show the day before, or value by the settlement; a sandbox has no such hours.
    """
    live = {one.login_id: one for one in connections if one.state is ConnectionState.LIVE}
    now = clock.now()
    rows = AccountDay.objects.filter(USUAL_DAY, starts_at__lte=now, ends_at__gt=now, account__login__in=live)
    if not sessions.is_open(product_of(USUAL_PRODUCT), now):
        rows = rows.filter(account__login__environment=Environment.SANDBOX)
    return [_one(live[login_id], login_id, *row) for login_id, *row in rows.values_list(*_COLUMNS)]


def _one(connection: Connection, login_id: UUID, *row: Any) -> Watched:
    day_id, account_id, owner_id, broker_id, name, environment, open_positions = row
    return Watched(
        day_id,
        account_id,
        owner_id,
        login_id,
        AccountRef(broker_id, name),
        is_flat=open_positions == 0,
        is_sandbox=environment == Environment.SANDBOX,
        connection=connection,
    )


def _parts(due: Sequence[Watched]) -> list[Sequence[Watched]]:
    size = math.ceil(len(due) / HANDS)
    return [due[start : start + size] for start in range(0, len(due), size)] if due else []
