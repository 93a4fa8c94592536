"""The Gateway over REST for one login: budget, envelope, token, and one repeat after a 401.

Every endpoint is a POST with JSON in and an envelope out; a 401 proves that nothing was done, so it alone is repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from brokers.access import Budget, Priority, Token
from brokers.errors import AuthExpired, AuthFailed, BrokerError, OutcomeUnknown, RateLimited
from brokers.http import DEFAULT_SILENCE_SECONDS, HttpClient
from brokers.projectx.codes import BAD_ENVELOPE, failure_of
from brokers.projectx.parse import Json

if TYPE_CHECKING:
    from brokers.projectx.auth import Auth

HISTORY, OTHER = "history", "other"
"""The endpoint classes that the venue counts apart."""
FIRST_SILENCE_SECONDS = 5.0
_MOST_DOUBLINGS = 4

OnSent = Callable[[datetime], None]


class OutOfBudget(RateLimited):
    """Our own budget held the request back: nothing left."""


class Wire:
    """One login's requests: each spends from the budget first, and a 429 silences the login."""

    def __init__(self, rest_url: str, budget: Budget) -> None:
        self._http = HttpClient(rest_url)
        self._budget = budget
        self._refusals = 0
        self._lock = threading.Lock()

    def post(
        self,
        endpoint: str,
        body: Mapping[str, Any] | None,
        priority: Priority,
        *,
        bearer: str | None = None,
        on_sent: OnSent | None = None,
    ) -> Json:
        """The envelope of a success. Raises a `BrokerError`; `OutOfBudget` before anything was sent."""
        group = HISTORY if endpoint.startswith("History/") else OTHER
        try:
            self._budget.spend(priority, group)
        except RateLimited as error:
            raise OutOfBudget(error.until, str(error)) from None
        data = b"" if body is None else orjson.dumps(body)
        if on_sent is not None:
            on_sent(datetime.now(UTC))
        try:
            answer = self._http.post(f"api/{endpoint}", data, bearer=bearer)
        except RateLimited as error:
            until = self._silence(error.until)
            self._budget.penalise(until)
            raise RateLimited(until, str(error)) from None
        self._refusals = 0
        return _payload(endpoint, answer)

    def _silence(self, asked: datetime) -> datetime:
        """Until when to be silent: as the venue asks, or doubling from 5 s, because it is not known to say."""
        now = datetime.now(UTC)
        with self._lock:
            seconds = FIRST_SILENCE_SECONDS * 2.0**self._refusals
            self._refusals = min(self._refusals + 1, _MOST_DOUBLINGS)
        says_nothing = 0 <= DEFAULT_SILENCE_SECONDS - (asked - now).total_seconds() < 1
        return now + timedelta(seconds=min(seconds, DEFAULT_SILENCE_SECONDS)) if says_nothing else asked


class Client:
    """Calls with the login's token, which is renewed once when the venue refuses it."""

    def __init__(self, wire: Wire, auth: Auth) -> None:
        self._wire = wire
        self.auth = auth

    def call(
        self, endpoint: str, body: Mapping[str, Any], priority: Priority = Priority.POLL, on_sent: OnSent | None = None
    ) -> Json:
        """The envelope of a success. Raises a `BrokerError`; after an authentication error nothing was done.

        `on_sent` hears the moment at which the request is handed over.
        """
        token = self.auth.token()
        try:
            return self._try(token, endpoint, body, priority, on_sent)
        except AuthExpired:
            try:
                renewed = self.auth.renew(token)
            except AuthFailed:
                raise
            except BrokerError as error:
                raise AuthExpired(f"the venue no longer accepts this login: {error}") from None
        return self._try(renewed, endpoint, body, priority, on_sent)

    def _try(
        self, token: Token, endpoint: str, body: Mapping[str, Any], priority: Priority, on_sent: OnSent | None
    ) -> Json:
        answer = self._wire.post(endpoint, body, priority, bearer=token.access, on_sent=on_sent)
        self.auth.note_success(token)
        return answer

    def rows(self, endpoint: str, body: Mapping[str, Any], key: str, priority: Priority = Priority.POLL) -> list[Any]:
        """The list of a success. Raises a `BrokerError`."""
        found = self.call(endpoint, body, priority).get(key)
        if not isinstance(found, list):
            raise OutcomeUnknown(f"{endpoint}: the answer holds no {key}")
        return found


def _payload(endpoint: str, answer: Any) -> Json:
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        raise OutcomeUnknown(f"{endpoint}: {BAD_ENVELOPE}")
    if answer["success"]:
        return answer
    code = answer.get("errorCode")
    if not isinstance(code, int):
        raise OutcomeUnknown(f"{endpoint}: {BAD_ENVELOPE}")
    raise failure_of(endpoint, code, str(answer.get("errorMessage") or ""))
