"""Wire forms of time: timestamps and the session (trade) date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
SESSION_ROLL_HOUR = 17
FRIDAY = 4


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """ISO-8601 UTC with milliseconds and Z, as order events carry it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trade_date(moment: datetime) -> dict[str, int]:
    """Session date {"year","month","day"}: a session starts 17:00 Chicago and a weekend belongs to Monday."""
    local = moment.astimezone(CHICAGO)
    day = local.date()
    if local.hour >= SESSION_ROLL_HOUR:
        day += timedelta(days=1)
    if day.weekday() > FRIDAY:
        day += timedelta(days=7 - day.weekday())
    return {"year": day.year, "month": day.month, "day": day.day}
