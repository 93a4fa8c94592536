"""Wire forms of time, and when a session begins."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")
SESSION_ROLL_HOUR = 17


def stamp(moment: datetime) -> str:
    """ISO-8601 with offset; as .NET does, without trailing zeros of the fraction."""
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "+00:00"


def now() -> str:
    return stamp(datetime.now(UTC))


def session_start(moment: datetime) -> datetime:
    """The last 17:00 in Chicago."""
    local = moment.astimezone(CHICAGO)
    day = local.date() if local.hour >= SESSION_ROLL_HOUR else local.date() - timedelta(days=1)
    return datetime.combine(day, time(SESSION_ROLL_HOUR), CHICAGO)
