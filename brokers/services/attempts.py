"""How often a sign-in may be refused: after a few wrong passwords an hour a broker lets nobody in from here."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.core.exceptions import ValidationError
from redis import RedisError

from brokers.models import BrokerLogin, Environment

MOST_REFUSED = 3
PAUSE = timedelta(hours=1)


def check_attempts(login: BrokerLogin) -> None:
    """Raises `ValidationError` once the owner was refused too often at this venue. Our own sandbox may be tried freely.

    Counted in Redis for all processes; while Redis is away nobody is held up by our own trouble.
    """
    try:
        refused = 0 if login.environment == Environment.SANDBOX else cache.get(_key(login), 0)
    except RedisError:
        return
    if refused >= MOST_REFUSED:
        raise ValidationError(
            {
                "venue": f"The broker refused {refused} sign-ins of yours within the hour. A few more and it would "
                "lock everybody out: make sure of your credentials there, and try again in an hour."
            }
        )


def note_refusal(login: BrokerLogin) -> None:
    try:
        cache.add(_key(login), 0, timeout=PAUSE.total_seconds())
        cache.incr(_key(login))
    except (RedisError, ValueError):
        # Away, or the hour ended between the two calls.
        return


def _key(login: BrokerLogin) -> str:
    return f"broker-refusals:{login.owner_id}:{login.venue}:{login.environment}"
