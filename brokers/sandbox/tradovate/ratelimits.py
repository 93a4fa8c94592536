"""The venue's own limits, off unless switched on: requests of a login, and of some endpoints from one address.

A login that asks too much gets 429 without a text; an endpoint's limit gives a penalty ticket instead, for sign-ins one
with a captcha (Tradovate wire facts, 6). Windows of an hour roll.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

WINDOW_SECONDS = 3_600.0
# endpoint → (requests in an hour, seconds of its penalty, whether only refusals count)
ENDPOINTS = {
    "auth/accesstokenrequest": (5, 15.0, True),
    "auth/renewaccesstoken": (15, 15.0, False),
    "user/syncrequest": (300, 3.0, False),
    "order/dryrun": (500, 1.0, False),
}
WITH_CAPTCHA = frozenset({"auth/accesstokenrequest"})


@dataclass(slots=True)
class RateLimits:
    """What was asked in the last hour, by login and by endpoint; every client of the sandbox is one address."""

    _of_login: dict[str, deque[float]] = field(default_factory=dict)
    _of_endpoint: dict[str, deque[float]] = field(default_factory=dict)

    def is_beyond(self, username: str | None, most: int) -> bool:
        """Count a login's request; whether it is one too many. ``most`` 0 limits nobody."""
        if most == 0 or username is None:
            return False
        asked = _recent(self._of_login.setdefault(username, deque()))
        asked.append(time.monotonic())
        return len(asked) > most

    def penalty(self, endpoint: str) -> float:
        """Seconds of penalty for this request, 0.0 for none; it counts unless only refusals of its endpoint do."""
        most, seconds, only_refusals = ENDPOINTS.get(endpoint, (0, 0.0, True))
        if most == 0:
            return 0.0
        asked = _recent(self._of_endpoint.setdefault(endpoint, deque()))
        if len(asked) >= most:
            return seconds
        if not only_refusals:
            asked.append(time.monotonic())
        return 0.0

    def note_refusal(self, endpoint: str) -> None:
        if ENDPOINTS.get(endpoint, (0, 0.0, False))[2]:
            self._of_endpoint.setdefault(endpoint, deque()).append(time.monotonic())

    def forget(self) -> None:
        self._of_login.clear()
        self._of_endpoint.clear()


def _recent(moments: deque[float]) -> deque[float]:
    since = time.monotonic() - WINDOW_SECONDS
    while moments and moments[0] < since:
        moments.popleft()
    return moments
