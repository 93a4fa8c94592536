"""A request to the venue, its reply, and the ways it can be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from brokers.sandbox.arrivals import Arrival

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.books import Account, Login
    from brokers.sandbox.tradovate.sessions import Session
    from brokers.sandbox.tradovate.sockets import Socket

Step = Callable[[], None]


@dataclass(slots=True)
class Reply:
    """``body`` None is an empty body. ``after`` is what the request set going; it runs once the reply is out."""

    status: int
    body: object
    after: Step | None = None
    account: Account | None = None


@dataclass(slots=True)
class Call:
    """One parsed request. ``finish`` sends the reply; ``socket`` is None over REST."""

    endpoint: str
    params: dict[str, Any]
    arrival: Arrival
    finish: Callable[[Reply], None]
    drop: Callable[[], None]
    garble: Callable[[Reply], None]
    session: Session | None = None
    socket: Socket | None = None
    account: Account | None = field(default=None)
    delayed: bool = False

    @property
    def login(self) -> Login | None:
        return None if self.session is None else self.session.login


class HttpRefusalError(Exception):
    """Answered with an HTTP status other than 200 (over WebSocket: ``s``)."""

    def __init__(self, status: int, text: str | None = None) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class ViolationError(Exception):
    """A field that fails validation: HTTP 200 with ``violations``."""

    def __init__(self, constraint: str, value: object, description: str) -> None:
        super().__init__(f"{constraint}: {description}")
        self.body = {"violations": [{"constraint": constraint, "value": str(value), "description": description}]}


class CommandRefusedError(Exception):
    """A trading command refused at once: HTTP 200 with failureReason and failureText."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text


ACCESS_DENIED = "Access is denied"


def access_denied() -> CommandRefusedError:
    """What an unknown symbol, a foreign account and a missing permission all look like."""
    return CommandRefusedError("UnknownReason", ACCESS_DENIED)


def not_found() -> HttpRefusalError:
    return HttpRefusalError(404, "Not found")
