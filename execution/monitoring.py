"""The operator's figures behind the monitoring addresses: what was executed, what failed, who is alive, what waits.

A staff member sees the platform, anybody else what is theirs. Counts are of the last 24 hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil
import redis
from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Mod
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.models import User
from brokers.models import BrokerLogin
from execution import health
from execution.dialogue import without_secrets
from execution.models import Heartbeat, IntentStatus, OrderIntent
from justtrades import clock
from recorders.cadence import first_id_at
from recorders.models import Signal, SignalStatus

PERIOD = timedelta(hours=24)
LANE_MAX_AGE_S = 10.0
"""As `/ready` counts it."""
REDIS_TIMEOUT_S = 0.25
CLOCK_MARGIN = timedelta(minutes=1)
WAITING = (IntentStatus.NEW, IntentStatus.CLEARED)
FAILURES = (IntentStatus.FAILED, IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.UNKNOWN)
ERRORS = (IntentStatus.FAILED, IntentStatus.UNKNOWN)
PLAN_QUEUE = "plan"


@dataclass(frozen=True, slots=True)
class WebWorkers:
    """The processes that answer webhooks: how many were asked for, and how many are there now."""

    configured: int
    alive: int


def intents_seen_by(user: User) -> QuerySet[OrderIntent]:
    return OrderIntent.objects.all() if user.is_staff else OrderIntent.objects.filter(owner_id=user.pk)


def signals_seen_by(user: User) -> QuerySet[Signal]:
    return Signal.objects.all() if user.is_staff else Signal.objects.filter(owner_id=user.pk)


def status_for(user: User) -> dict[str, Any]:
    since = clock.now() - PERIOD
    recent = _made_since(intents_seen_by(user), since)
    lanes = lanes_for(user)
    alive = sum(1 for lane in lanes if lane["alive"])
    depth = _total(lane["queue_depth"] for lane in lanes)
    workers = web_workers()
    return {
        "since": since,
        **_counts(recent),
        "last_error": _last_error(recent),
        "lanes": lanes,
        "workers_configured": settings.LANES,
        "workers_alive": alive,
        "queue_depth": depth,
        "fast_webhook": {
            "enabled": True,
            "workers_configured": workers.configured,
            "workers_alive": workers.alive,
            "queue_size": signals_seen_by(user).filter(status=SignalStatus.RECEIVED).count(),
        },
        "broker_execution": {
            "workers_configured": settings.LANES,
            "workers_alive": alive,
            "queue_size": depth,
        },
    }


def _made_since(intents: QuerySet[OrderIntent], since: datetime) -> QuerySet[OrderIntent]:
    """Across all owners the primary key is the index of time; one owner's have an index of their own."""
    return intents.filter(created_at__gte=since, pk__gte=first_id_at(since - CLOCK_MARGIN))


def _counts(intents: QuerySet[OrderIntent]) -> dict[str, int]:
    counted: dict[str, int] = intents.order_by().aggregate(
        executed=Count("pk", filter=Q(status=IntentStatus.DONE)),
        failed=Count("pk", filter=Q(status=IntentStatus.FAILED)),
        denied=Count("pk", filter=Q(status=IntentStatus.DENIED)),
        expired=Count("pk", filter=Q(status=IntentStatus.EXPIRED)),
        unknown=Count("pk", filter=Q(status=IntentStatus.UNKNOWN)),
    )
    return counted


def _last_error(intents: QuerySet[OrderIntent]) -> dict[str, Any] | None:
    """The newest intent that the broker rejected, or of which nobody knows."""
    newest = intents.filter(status__in=ERRORS).order_by("-created_at").first()
    if newest is None:
        return None
    return {"code": newest.reason_code, "text": without_secrets(newest.reason_text), "at": failed_at(newest)}


def failed_at(intent: OrderIntent) -> datetime:
    """An intent whose outcome is unknown has not finished: then it counts from when it was sent."""
    moments = (intent.finished_at, intent.sent_at, intent.dispatched_at)
    return next((moment for moment in moments if moment is not None), intent.created_at)


def lanes_for(user: User) -> list[dict[str, Any]]:
    """Each lane of this platform: whether its process beats, the logins it holds, and what waits for it."""
    ages = health.ages()
    waiting = _waiting_by_lane(intents_seen_by(user))
    messages = _messages([f"lane.{number}" for number in range(settings.LANES)]) if user.is_staff else None
    logins = _logins_by_lane(user)
    return [
        {
            "lane": number,
            "alive": (age := ages.get(health.lane_name(number))) is not None and age <= LANE_MAX_AGE_S,
            "beat_age_s": None if age is None else round(age, 1),
            "logins": logins.get(number, 0),
            "intents_waiting": waiting[number],
            # How much rings for all customers together is nothing for one of them.
            "queue_depth": _depth(waiting[number], messages, number) if user.is_staff else waiting[number],
        }
        for number in range(settings.LANES)
    ]


def _depth(waiting: int, messages: list[int] | None, number: int) -> int | None:
    return None if messages is None else waiting + messages[number]


def _total(depths: Iterable[int | None]) -> int | None:
    """None as soon as one of them is not known."""
    total = 0
    for depth in depths:
        if depth is None:
            return None
        total += depth
    return total


def _waiting_by_lane(intents: QuerySet[OrderIntent]) -> Counter[int]:
    lane = Mod(F("lane_slot"), settings.LANES)
    rows = intents.filter(status__in=WAITING).order_by().annotate(lane=lane).values("lane").annotate(rows=Count("pk"))
    return Counter(dict(rows.values_list("lane", "rows")))


def _logins_by_lane(user: User) -> dict[int, int]:
    """Staff: what each lane says that it holds. Anybody else: their own logins that belong to it."""
    if user.is_staff:
        beats = Heartbeat.objects.filter(name__startswith="lane.").values_list("name", "detail")
        return {int(name.removeprefix("lane.")): int(detail.get("logins", 0)) for name, detail in beats}
    lane = Mod(F("lane_slot"), settings.LANES)
    own = BrokerLogin.objects.filter(owner_id=user.pk, is_enabled=True).order_by().annotate(lane=lane)
    return dict(own.values("lane").annotate(rows=Count("pk")).values_list("lane", "rows"))


def _messages(queues: Sequence[str]) -> list[int] | None:
    """The length of each Celery queue; None while Redis is away. A message is a bell, not an order."""
    client = redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        with client, client.pipeline(transaction=False) as pipe:
            for name in queues:
                pipe.llen(name)
            return [int(length) for length in pipe.execute()]
    except redis.RedisError:
        return None


def web_workers() -> WebWorkers:
    """Counted in the process table: the workers of the granian that this one belongs to, on this machine.

    Anywhere else, as under a test or a development server, the process that answers is all that is known.
    """
    try:
        master = psutil.Process().parent()
        words = [] if master is None else master.cmdline()
        if master is None or not any(word.rpartition("/")[2] == "granian" for word in words):
            return WebWorkers(1, 1)
        alive = sum(1 for child in master.children() if _is_worker(child))
    except psutil.Error:
        return WebWorkers(1, 1)
    return WebWorkers(_workers_asked_for(words), alive)


def _is_worker(process: psutil.Process) -> bool:
    try:
        is_helper = any("resource_tracker" in word for word in process.cmdline())
        return not is_helper and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _workers_asked_for(words: Sequence[str]) -> int:
    """From granian's command line; one is its default."""
    for name, value in zip(words, [*words[1:], ""], strict=True):
        flag, _, inline = name.partition("=")
        number = inline or value
        if flag == "--workers" and number.isdigit():
            return int(number)
    return 1
