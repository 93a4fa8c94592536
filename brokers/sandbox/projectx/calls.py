"""A REST request, its reply, and the ways it can be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brokers.sandbox.arrivals import Arrival
from brokers.sandbox.projectx.fields import Fields

if TYPE_CHECKING:
    from brokers.sandbox.projectx.books import Account, Login

Row = dict[str, Any]
Step = Callable[[], None]


@dataclass(slots=True)
class Reply:
    """``body`` None is an empty body. ``after`` is what the request set going; it runs once the reply is out."""

    status: int
    body: Row | None
    account: Account | None = None
    after: Step | None = None


@dataclass(slots=True)
class Call:
    """One parsed request. ``finish`` sends the reply; ``login`` is None for what needs no token."""

    endpoint: str
    fields: Fields
    token: str
    arrival: Arrival
    finish: Callable[[Reply], None]
    drop: Callable[[], None]
    garble: Callable[[Reply], None]
    login: Login | None = None
    account: Account | None = None
    is_delayed: bool = False


class RefusedError(Exception):
    """A business refusal: HTTP 200 with ``success`` false. ``members`` of the payload are null unless given."""

    def __init__(self, code: int, text: str | None = None, **members: object) -> None:
        super().__init__(f"{code} {text}")
        self.code = int(code)
        self.text = text
        self.members = members


class HttpRefusalError(Exception):
    """Answered with an HTTP status other than 200 and an empty body."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def envelope(payload: Row, code: int = 0, text: str | None = None) -> Row:
    """What every endpoint answers: the payload, then success, errorCode and errorMessage."""
    return {**payload, "success": code == 0, "errorCode": code, "errorMessage": text}


def done(account: Account | None = None, after: Step | None = None, **payload: object) -> Reply:
    return Reply(200, envelope(payload), account, after)
