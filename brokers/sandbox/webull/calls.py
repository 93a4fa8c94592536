"""A request over HTTP and its reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brokers.sandbox.arrivals import Arrival
from brokers.sandbox.webull.books import Account, Login
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.wire import parameter_error, refusal

Step = Callable[[], None]


@dataclass(slots=True)
class Reply:
    """``body`` None is an empty body. ``after`` is what the request set going; it runs once the reply is out."""

    status: int
    body: object
    after: Step | None = None


@dataclass(slots=True)
class Call:
    """One signed request. ``endpoint`` is its generation-3 path, ``version`` v2 or v3, ``params`` query and body."""

    endpoint: str
    version: str
    params: dict[str, Any]
    arrival: Arrival
    login: Login
    finish: Callable[[Reply], None]
    drop: Step
    garble: Callable[[Reply], None]
    account: Account | None = field(default=None)
    delayed: bool = False


Handler = Callable[[Desk, Call], Reply]


def account_of(call: Call) -> Account:
    """The account that the request names. Raises RefusalError when it names none, or somebody else's."""
    if call.account is not None:
        return call.account
    if not call.params.get("account_id"):
        raise parameter_error("account_id is required")
    raise refusal("ACCOUNT_ACCESS_DENIED", "The account does not belong to the app key", 403)
