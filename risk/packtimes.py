"""When a prop firm wants its accounts flat, and around which news. Pure and cached: the order path asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from brokers import calendars
from brokers.sessions import trade_date
from risk import news
from risk.news import Event, Release
from risk.packfile import FlatBy, Pack

MAIN_CALENDAR = "equity"
"""The hours that count where no product is named, and for what never closes: its firm does."""
_BACK, _AHEAD = 7, 15
_DAY = timedelta(days=1)
Period = tuple[datetime, datetime]


def flat_by(pack: Pack, now: datetime, calendar: str = MAIN_CALENDAR) -> Period | None:
    """The period, from its first moment to just before its second, in which the firm wants no position; None now.

    It begins at the firm's wall clock or at the exchange's close, whichever comes first, and ends as the exchange opens
    again: on a Friday that is Sunday evening. There is one on each date on which the exchange trades, a holiday with a
    halt at noon included. `calendar` is a product's. Raises KeyError for an unknown one.
    """
    return next((period for period in _periods(pack, now, calendar) if period[0] <= now < period[1]), None)


def next_flat_by(pack: Pack, now: datetime, calendar: str = MAIN_CALENDAR) -> datetime | None:
    """The next moment after `now` by which the account has to be flat; None where the firm has no such rule."""
    return next((start for start, _ in _periods(pack, now, calendar) if start > now), None)


def in_news(pack: Pack, now: datetime) -> Event | None:
    """The release whose window `now` is in, the earliest of several; None when there is none that is known."""
    window = pack.news
    if window is None:
        return None
    earliest, latest = now - timedelta(minutes=window.minutes_after), now + timedelta(minutes=window.minutes_before)
    return next((event for event in _events(window.releases) if earliest <= event.at <= latest), None)


def next_news(pack: Pack, now: datetime) -> Event | None:
    """The next release after `now` that the firm keeps a window for; None when none is known."""
    if pack.news is None:
        return None
    return next((event for event in _events(pack.news.releases) if event.at > now), None)


def unknown_news(pack: Pack, now: datetime) -> tuple[Release, ...]:
    """The releases that the firm keeps a window for and whose dates are not known for `now`: nothing guards them."""
    if pack.news is None:
        return ()
    return tuple(release for release in pack.news.releases if not news.is_known(release, now))


def _events(releases: tuple[Release, ...]) -> Iterator[Event]:
    return (event for event in news.events() if event.release in releases)


def _periods(pack: Pack, now: datetime, calendar: str) -> tuple[Period, ...]:
    if now.tzinfo is None:
        raise ValueError(f"{now.isoformat()} says no time zone")
    if pack.flat_by is None:
        return ()
    hours = MAIN_CALENDAR if calendars.windows(calendar) is None else calendar
    return _closed(pack.flat_by, hours, now.astimezone(UTC).date())


@lru_cache(maxsize=1024)
def _closed(rule: FlatBy, calendar: str, around: date) -> tuple[Period, ...]:
    """The closed periods from a week before `around` to two after it, in order."""
    days = [around + timedelta(days=number) for number in range(-_BACK, _AHEAD)]
    open_days = [(day, hours) for day in days if (hours := trade_date(calendar, day)) is not None]
    return tuple(
        (min(_after(opens, rule.at, rule.zone), closes), reopens)
        for (day, (opens, closes)), (next_day, (reopens, _)) in pairwise(open_days)
        if _is_due(rule, day, next_day)
    )


def _is_due(rule: FlatBy, day: date, next_day: date) -> bool:
    """Whether the rule names `day`, or a day up to the next one on which the exchange trades: a weekend, a holiday."""
    named = {weekday.number for weekday in rule.days}
    return any((day + timedelta(days=number)).weekday() in named for number in range((next_day - day).days))


def _after(moment: datetime, wall_clock: time, zone: str) -> datetime:
    """The first moment after `moment` at which it is so late in `zone`."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    found = datetime.combine(day, wall_clock, ZoneInfo(zone)).astimezone(UTC)
    return found if found > moment else datetime.combine(day + _DAY, wall_clock, ZoneInfo(zone)).astimezone(UTC)
