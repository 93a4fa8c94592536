"""Whether this process is up, and whether the product as a whole can do its work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from execution import health

REDIS_TIMEOUT_S = 0.25
SWEEPER_MAX_AGE_S = 5.0
LANE_MAX_AGE_S = 10.0

Part = dict[str, Any]


@require_safe
@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all. It asks nobody, so a database outage does not get it restarted."""
    return JsonResponse({"status": "live"})


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when every part is well, else 503; either way the body says which part is how.

    For people, alarms and deployments. A load balancer must not take the webhook door away because of it: the door
    needs the database alone, and without Redis or a lane it still stores every alert.
    """
    parts = check_parts()
    is_ready = all(part["ok"] for part in parts.values())
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)


def check_parts() -> dict[str, Part]:
    """Each part with `ok` and what was measured. Reasons are class names: messages may hold addresses or secrets."""
    database = _timed(_ask_database)
    return {"database": database, "redis": _timed(_ask_redis), **_check_loops(has_database=database["ok"])}


def _ask_database() -> None:
    try:
        _select_one()
    except (OperationalError, InterfaceError):
        # A connection kept open since before a restart says nothing about the server of now.
        connection.close()
        _select_one()


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        client.ping()


def _timed(ask: Callable[[], None]) -> Part:
    started = time.perf_counter()
    try:
        ask()
    except (DatabaseError, InterfaceError, redis.RedisError) as error:
        return {"ok": False, "reason": type(error).__name__}
    return {"ok": True, "ms": round((time.perf_counter() - started) * 1000, 1)}


def _check_loops(*, has_database: bool) -> dict[str, Part]:
    bounds = {health.SWEEPER: SWEEPER_MAX_AGE_S}
    bounds |= {health.lane_name(number): LANE_MAX_AGE_S for number in range(settings.LANES)}
    if not has_database:
        return {name: {"ok": False, "reason": "not known without the database"} for name in bounds}
    ages = health.ages()
    return {name: _check_age(ages.get(name), bound) for name, bound in bounds.items()}


def _check_age(age: float | None, bound: float) -> Part:
    if age is None:
        return {"ok": False, "reason": "never seen", "limit_s": bound}
    return {"ok": age <= bound, "age_s": round(age, 1), "limit_s": bound}
