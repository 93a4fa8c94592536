"""What reached the venue and when: every request, stamped as its bytes were read."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

KEPT_ARRIVALS = 200_000


class Arrival:
    """One request. ``time`` is epoch seconds of the socket read; ``account`` is known once the request is parsed."""

    __slots__ = ("account", "endpoint", "time", "transport", "username")

    def __init__(self, moment: float, endpoint: str, transport: str, username: str | None) -> None:
        self.time = moment
        self.endpoint = endpoint
        self.transport = transport
        self.username = username
        self.account: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "time": self.time,
            "account": self.account if self.account is not None else self.username,
            "username": self.username,
            "endpoint": self.endpoint,
            "transport": self.transport,
        }


class ArrivalLog:
    def __init__(self) -> None:
        self._arrivals: deque[Arrival] = deque(maxlen=KEPT_ARRIVALS)

    def note(self, endpoint: str, transport: str, username: str | None, moment: float | None = None) -> Arrival:
        arrival = Arrival(time.time() if moment is None else moment, endpoint, transport, username)
        self._arrivals.append(arrival)
        return arrival

    def since(self, moment: float) -> list[dict[str, Any]]:
        """Arrivals at or after ``moment`` (epoch seconds), oldest first."""
        return [arrival.as_dict() for arrival in list(self._arrivals) if arrival.time >= moment]

    def clear(self) -> None:
        self._arrivals.clear()
