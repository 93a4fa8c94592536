"""When the day rolls is changed: no fill is counted twice or left out, whoever watches, and no lock ends early."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from brokers.models import BrokerAccount
from execution.guard.accounts import load_accounts
from execution.guard.days import Day
from execution.guard.opening import open_days
from execution.guard.watching import Watching
from risk import services
from risk.models import AccountDay, LimitKind, RiskAction
from tests.execution.desk import MNQ
from tests.execution.watchers import THURSDAY, fill, limit, reached, source, watched_account, watching
from tests.risk_factories import RiskActionFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ROLLS = [
    # What the roll is changed to, and how much later than it was to the session of Thursday ends.
    (time(14), "America/Chicago", 0 * HOUR),
    (time(18), "America/Chicago", HOUR),
    (time(0), "UTC", HOUR),
    (time(11, 59), "UTC", timedelta(hours=12, minutes=59)),
    # Where it is still Wednesday's session when Thursday's was to end: after that comes the rest of Thursday's.
    (time(11, 59), "Etc/GMT+12", timedelta(hours=24, minutes=59)),
]


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


def change(account: BrokerAccount, roll_at: time, roll_zone: str) -> None:
    services.set_rules(account=account, actor=account.owner, roll_at=roll_at, roll_zone=roll_zone)


def counted(day: Day) -> tuple[int, int, Decimal]:
    held = day.book.held.get(MNQ)
    return 0 if held is None else held.net_qty, day.book.contracts, day.book.realized


@pytest.mark.parametrize(("roll_at", "roll_zone", "later"), ROLLS)
def test_a_changed_roll_counts_each_fill_once(
    account: BrokerAccount, roll_at: time, roll_zone: str, later: timedelta
) -> None:
    limit(account)
    watched = watching(account, None, THURSDAY)
    was = watched.days[account.pk].session
    change(account, roll_at, roll_zone)
    watched.reload(THURSDAY)
    session = watched.days[account.pk].session
    assert (session.day, session.start) == (was.day, was.start)
    assert session.end == was.end + later
    assert AccountDay.objects.get().ends_at == session.end
    for hours in (3, 2, 1):
        fill(account, "buy", 25_000, filled_at=session.end - hours * HOUR)
    fill(account, "sell", 24_990, filled_at=session.end - HOUR / 2)
    watched.take_fills(session.end - HOUR / 3)
    watched._market.seed((MNQ, source(account)), Decimal(24_985), session.end)
    assert counted(watched.days[account.pk]) == (2, 4, -20)
    assert watched.roll(session.end - HOUR / 3) == []
    watched.roll(session.end)
    watched.take_fills(session.end)
    watched.assess_all()
    after = watched.days[account.pk]
    assert (after.session.start, after.session.day > session.day) == (session.end, True)
    assert (counted(after), after.week_before) == ((2, 0, 0), -20)
    assert reached(watched) == []
    assert len(set(AccountDay.objects.values_list("session", "starts_at", "ends_at"))) == 2
    assert same_after_a_restart(account, watched, session.end + HOUR)


@pytest.mark.parametrize(("roll_at", "roll_zone", "later"), ROLLS)
def test_a_roll_that_was_changed_while_nobody_watched_counts_each_fill_once(
    account: BrokerAccount, roll_at: time, roll_zone: str, later: timedelta
) -> None:
    was = watching(account, None, THURSDAY).days[account.pk].session
    change(account, roll_at, roll_zone)
    end = was.end + later
    for at in (THURSDAY, end - 2 * HOUR, end - HOUR / 2):
        fill(account, "buy", 25_000, filled_at=at)
    before = opened(account, end - HOUR / 3)
    assert (before.session.day, before.session.end, counted(before)) == (was.day, end, (3, 3, 0))
    assert before.week_before == 0, "its own day is not one before it"
    fill(account, "sell", 24_990, filled_at=end)
    after = opened(account, end + HOUR)
    assert (after.session.start, counted(after), after.week_before) == (end, (2, 1, -20), 0)


def test_a_lock_lasts_as_long_as_its_session(account: BrokerAccount) -> None:
    """Also one that was decided while its owner changed when the session rolls."""
    row = limit(account, LimitKind.DAILY_LOSS)
    watched = watching(account, None, THURSDAY)
    was = watched.days[account.pk].session
    change(account, time(18), "America/Chicago")
    RiskActionFactory(limit=row, session=was.day, locks_until=was.end)
    RiskActionFactory(limit=row, session=was.day - timedelta(days=1), locks_until=was.end - 24 * HOUR)
    steps = watched.reloading(THURSDAY)
    next(steps), next(steps)
    assert watched.ledger.sessions[account.pk] == (was.day, was.end + HOUR)
    list(steps)
    assert set(RiskAction.objects.values_list("locks_until", flat=True)) == {was.end + HOUR, was.end - 24 * HOUR}


def test_who_goes_back_to_the_old_roll_gets_no_shorter_day(account: BrokerAccount) -> None:
    watched = watching(account, None, THURSDAY)
    was = watched.days[account.pk].session
    for hour in (18, 17, 14):
        change(account, time(hour), "America/Chicago")
        watched.reload(THURSDAY)
    assert watched.days[account.pk].session.end == was.end + HOUR
    watched.roll(was.end + HOUR)
    after = watched.days[account.pk].session
    assert (after.start, after.end) == (was.end + HOUR, datetime(2026, 11, 13, 20, tzinfo=UTC))


def opened(account: BrokerAccount, now: datetime) -> Day:
    return open_days(load_accounts(0).values(), now)[account.pk]


def same_after_a_restart(account: BrokerAccount, watched: Watching, now: datetime) -> bool:
    day, again = watched.days[account.pk], opened(account, now)
    return (again.session, again.book.held, again.realized) == (day.session, day.book.held, day.realized)


def test_what_was_filled_while_a_monitor_slept_over_sessions_is_counted(account: BrokerAccount) -> None:
    fill(account, "buy", 25_000, qty=2, filled_at=THURSDAY)
    watched = watching(account, 25_100, THURSDAY)
    monday = THURSDAY + timedelta(days=4)
    fill(account, "sell", 25_010, filled_at=THURSDAY + timedelta(days=1))
    fill(account, "sell", 25_010, filled_at=monday)
    watched.take_fills(monday)
    watched.roll(monday)
    watched.take_fills(monday)
    day = watched.days[account.pk]
    assert (counted(day), {name: one.net_qty for name, one in day.start.items()}) == ((0, 1, 20), {MNQ: 1})
    assert day.end_of_day_high == 50_400
    assert same_after_a_restart(account, watched, monday)
