"""What rules and counters are called: in Redis, and on pages."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from brokers.access import Limit

PREFIX = "jt:budget:"
PENALTIES = f"{PREFIX}penalties"
EPOCH = f"{PREFIX}epoch"
_HOUR, _MINUTE = 3600, 60
_KEY_LENGTH = 10


@lru_cache(maxsize=1024)
def rule_key(limit: Limit) -> str:
    """The same for the same rule on every machine; a rule that the venue changes starts counting anew."""
    words = f"{limit.scope}|{','.join(sorted(limit.endpoints))}|{limit.requests}|{limit.seconds:g}"
    return hashlib.sha256(words.encode()).hexdigest()[:_KEY_LENGTH]


@lru_cache(maxsize=1024)
def rule_title(limit: Limit) -> str:
    """`user/syncrequest: 300 in 1 h per ip`."""
    what = ", ".join(sorted(limit.endpoints)) or "all requests"
    return f"{what}: {limit.requests:,} in {_duration(limit.seconds)} per {limit.scope}"


def own_key(holder: str) -> str:
    """The hash in which a lane keeps what it spent for a holder (a login, or an address's part)."""
    return f"{PREFIX}own:{holder}"


def common_key(holder: str, limit: Limit) -> str:
    """The sorted set of what was taken from a part that several processes share."""
    return f"{PREFIX}common:{holder}:{rule_key(limit)}"


def address_holder(venue: str, address: str) -> str:
    return f"address:{venue}:{address}"


def lane_holder(venue: str, address: str, lane: int) -> str:
    return f"{address_holder(venue, address)}:{lane}"


def _duration(seconds: float) -> str:
    if seconds % _HOUR == 0:
        return f"{seconds / _HOUR:g} h"
    return f"{seconds / _MINUTE:g} min" if seconds % _MINUTE == 0 else f"{seconds:g} s"
