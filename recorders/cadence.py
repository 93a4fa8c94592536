"""Whether a recorder is too quiet or too loud. Pure: times in, a sentence out.

Only the market's weekend is left out of a silence, because no strategy on a future speaks then. The daily break of an
hour, holidays and a strategy's own hours are not known here: who expects an alert every 30 minutes is told of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

EXCHANGE_ZONE = ZoneInfo("America/Chicago")
FRIDAY, SUNDAY = 4, 6
CLOSES, OPENS = (FRIDAY, time(16)), (SUNDAY, time(17))
BURST = 15
BURST_SPAN = timedelta(minutes=3)
STOPS = f"TradingView stops an alert after {BURST} triggers in {BURST_SPAN // timedelta(minutes=1)} minutes"
HOUR_MINUTES, DAY_MINUTES = 60, 1440
_WEEK = timedelta(days=7)
_TIME_BITS = 80
_VERSION_7, _VARIANT = 0x7 << 76, 0x2 << 62


def quiet_time(since: datetime, now: datetime) -> timedelta:
    """What has passed without the market's weekends."""
    return max(now - since - _closed_between(since, now), timedelta(0)) if since < now else timedelta(0)


def heard_since(now: datetime, minutes: int) -> datetime:
    """Who was heard at this moment or later has not been silent for so many minutes."""
    quiet = timedelta(minutes=minutes)
    since = now - quiet
    # Each step back may reach into one more weekend, which has to be made good.
    while (missing := quiet - quiet_time(since, now)) > timedelta(0):
        since -= missing
    return since


def silence_text(last_heard: datetime | None, made_at: datetime, now: datetime, minutes: int) -> str:
    """Coarse on purpose: what stands in a notice need not be rewritten every second."""
    passed = words_for(quiet_time(last_heard if last_heard is not None else made_at, now))
    expected = f"expected every {words_for(timedelta(minutes=minutes))}"
    if last_heard is None:
        return f"no alert yet in {passed}, {expected}; check the address in the alert's settings at TradingView"
    return f"silent for {passed}, {expected}; {STOPS}"


def burst_text(alerts: int) -> str:
    """For `BURST` alerts or more within `BURST_SPAN`."""
    span = BURST_SPAN // timedelta(minutes=1)
    return f"{alerts} alerts in {span} minutes; {STOPS}, so look whether it still runs"


def words_for(span: timedelta) -> str:
    """`1 minute`, `43 minutes`, `2 hours`, `3 days`: the whole ones."""
    minutes = span // timedelta(minutes=1)
    if minutes < 2 * HOUR_MINUTES:
        return _counted(minutes, "minute")
    return _counted(minutes // HOUR_MINUTES, "hour") if minutes < 2 * DAY_MINUTES else _days(minutes)


def first_id_at(moment: datetime) -> UUID:
    """No UUIDv7 that was made at `moment` or later is less: recent rows are a range of the primary key."""
    ms = int(moment.timestamp() * 1000)
    return UUID(int=(ms << _TIME_BITS) | _VERSION_7 | _VARIANT)


def _days(minutes: int) -> str:
    return _counted(minutes // DAY_MINUTES, "day")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _closed_between(since: datetime, until: datetime) -> timedelta:
    total = timedelta(0)
    day = since - _WEEK
    while day < until + _WEEK:
        start, end = _weekend_of(day)
        total += max(min(end, until) - max(start, since), timedelta(0))
        day += _WEEK
    return total


def _weekend_of(moment: datetime) -> tuple[datetime, datetime]:
    """When the market closes and opens again in the week, Monday to Sunday in Chicago, that `moment` is in."""
    local = moment.astimezone(EXCHANGE_ZONE).date()
    monday = local - timedelta(days=local.weekday())
    closes, opens = (
        datetime.combine(monday + timedelta(days=day), at, EXCHANGE_ZONE).astimezone(UTC) for day, at in (CLOSES, OPENS)
    )
    return closes, opens
