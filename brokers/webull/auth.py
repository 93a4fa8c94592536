"""Staying known to Webull: whether the app key needs a token, its approval in the owner's app, one renewal for all.

A token that was approved once is good for weeks while it is used, and a new one needs the owner's phone: the stored
token is always tried first (Webull wire facts, token and 2FA flow).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from brokers.access import Access, Priority, Token
from brokers.errors import AuthExpired, AuthFailed, BrokerError, OutcomeUnknown, RateLimited, Refused
from brokers.webull.http import Http
from brokers.webull.limits import AUTH, CONFIG, silence_after

logger = logging.getLogger(__name__)

PENDING, NORMAL = "PENDING", "NORMAL"
TWO_FACTOR_PENDING = "TWO_FACTOR_PENDING"
PENDING_TEXT = "approve this connection in the Webull app within five minutes, then connect again"
RENEWAL_PAUSE_SECONDS = 300.0
PENDING_CHECK_SECONDS = 4.0
ASSUMED_LIFETIME = timedelta(days=15)


class Auth:
    """One login's token. The username is the app key, the secret `password` the app secret."""

    def __init__(self, access: Access, http: Http) -> None:
        self._http = http
        self._store = access.store
        self._budget = access.budget
        self._lock = threading.Lock()
        self._needs_token: bool | None = None
        self._token: Token | None = None
        self._renewed_at: float | None = None
        self._asked_at: float | None = None
        self._refusal: AuthFailed | None = None

    def token(self) -> str:
        """The token that requests carry, empty where the key needs none. Raises a `BrokerError`.

        `AuthFailed` with the code `TWO_FACTOR_PENDING` waits for the owner: asking again later finds the approval.
        """
        with self._lock:
            if self._needs_token is None:
                self._needs_token = self._fetch_config()
            if not self._needs_token:
                return ""
            if self._token is None:
                self._token = self._sign_in()
            return self._token.access

    def renew(self, stale: str) -> str:
        """The token after `stale`: whoever comes first renews, the others get what the first one got."""
        with self._lock:
            if not self._needs_token:
                # Nothing to renew: the same key signs anew, and a second refusal is the key's.
                return ""
            if self._token is not None and (self._token.access != stale or self._renewed_lately()):
                return self._token.access
            self._renewed_at = time.monotonic()
            self._token = None
            self._token = self._refreshed(stale) or self._created(stale)
            return self._token.access

    def _renewed_lately(self) -> bool:
        return self._renewed_at is not None and time.monotonic() - self._renewed_at < RENEWAL_PAUSE_SECONDS

    def _fetch_config(self) -> bool:
        answer = self._ask(CONFIG, lambda: self._http.get("/openapi/config", {}, token="", silence=silence_after(AUTH)))
        if not isinstance(answer, dict) or not isinstance(answer.get("token_check_enabled"), bool):
            raise OutcomeUnknown("the venue does not say whether it wants a token")
        return bool(answer["token_check_enabled"])

    def _sign_in(self) -> Token:
        if self._asked_at is not None and time.monotonic() - self._asked_at < PENDING_CHECK_SECONDS:
            raise AuthFailed(TWO_FACTOR_PENDING, PENDING_TEXT)
        stored = self._store.load()
        if stored is None:
            return self._created("")
        status = self._status_of(stored.access)
        if status == NORMAL:
            return stored
        if status == PENDING:
            self._wait_for_owner()
        return self._created(stored.access)

    def _status_of(self, token: str) -> str:
        """What became of a token; a venue that does not know it says no more than that it is not valid."""
        try:
            answer = self._post("/auth/tokens/check", token)
        except AuthFailed:
            raise
        except Refused:
            return "INVALID"
        return str(answer.get("status"))

    def _refreshed(self, stale: str) -> Token | None:
        """None where the venue will not extend it."""
        try:
            answer = self._post("/openapi/auth/token/refresh", stale)
        except Refused as error:
            logger.info("webull does not extend the token: %s", error.code)
            return None
        return self._keep(answer) if answer.get("status") == NORMAL else None

    def _created(self, previous: str) -> Token:
        answer = self._post("/auth/tokens/create", previous)
        token = self._keep(answer)
        if answer.get("status") != NORMAL:
            self._wait_for_owner()
        return token

    def _wait_for_owner(self) -> None:
        self._asked_at = time.monotonic()
        raise AuthFailed(TWO_FACTOR_PENDING, PENDING_TEXT)

    def _keep(self, answer: dict[str, Any]) -> Token:
        """Also one that waits for approval: it is the one that will be approved."""
        token = Token(str(answer["token"]), _expiry(answer))
        self._store.save(token)
        return token

    def _post(self, path: str, token: str) -> dict[str, Any]:
        body = {"token": token} if token else {}
        answer = self._ask(AUTH, lambda: self._http.post(path, body, token="", silence=silence_after(AUTH)))
        if not isinstance(answer, dict) or (path.endswith("create") and not answer.get("token")):
            raise OutcomeUnknown("the venue's answer about its token could not be read")
        return answer

    def _ask(self, endpoint: str, send: Callable[[], Any]) -> Any:
        """A refused key is never tried twice: hammering gets the address blocked."""
        if self._refusal is not None:
            raise AuthFailed(self._refusal.code, self._refusal.text)
        self._budget.spend(Priority.EXIT, endpoint)
        try:
            return send()
        except RateLimited as error:
            self._budget.penalise(error.until)
            raise
        except BrokerError as error:
            self._refusal = _as_refused_login(error)
            if self._refusal is None:
                raise
            raise self._refusal from None


def _as_refused_login(error: BrokerError) -> AuthFailed | None:
    if isinstance(error, AuthFailed):
        return error
    if isinstance(error, AuthExpired):
        return AuthFailed("UNAUTHORIZED", f"Webull does not accept this app key and secret: {error}")
    if isinstance(error, Refused) and error.code == "ROUTE_NOT_FOUND":
        return AuthFailed(error.code, "Webull does not know this app key here; it may be another environment's")
    return None


def _expiry(answer: dict[str, Any]) -> datetime:
    """The venue names it twice and differently; both are epoch milliseconds."""
    for name in ("expires", "expires_at"):
        value = answer.get(name)
        if isinstance(value, int | str) and str(value).isdigit():
            return datetime.fromtimestamp(int(value) / 1000, UTC)
    return datetime.now(UTC) + ASSUMED_LIFETIME
