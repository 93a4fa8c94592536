"""Signing in and staying signed in: one token per login, renewed once however many threads want it.

A token is a JWT of 24 hours, good for REST and both hubs; a new one leaves the older alive, and `validate` hands out
the next before this one ends (ProjectX wire facts, authentication).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta

from brokers.access import Credentials, Priority, Token, TokenStore
from brokers.errors import AuthExpired, AuthFailed, BrokerError, OutcomeUnknown, Refused
from brokers.projectx.client import Wire
from brokers.projectx.codes import LOGIN, VALIDATE
from brokers.projectx.parse import Json, token_expiry

logger = logging.getLogger(__name__)

ROTATE_BEFORE = timedelta(minutes=30)
# Hundreds of logins that started together must not rotate together.
ROTATE_SPREAD_SECONDS = 600
RENEWAL_PAUSE_SECONDS = 30.0
USABLE_FOR = timedelta(minutes=1)
ASSUMED_LIFETIME = timedelta(hours=1)
# An answer that is about who we are, or from where: trying again at once only makes it worse.
_REFUSING_STATUSES = frozenset({"HTTP_400", "HTTP_403"})


class Auth:
    """`secrets["password"]` is the API key. A sign-in goes before everything else in the login's budget."""

    def __init__(self, credentials: Credentials, wire: Wire, store: TokenStore) -> None:
        self._credentials = credentials
        self._wire = wire
        self._store = store
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._loaded = False
        self._signed_in_at: float | None = None
        self._proven: Token | None = None
        self._refusal: AuthFailed | None = None
        self._spread = timedelta(seconds=random.uniform(0, ROTATE_SPREAD_SECONDS))  # noqa: S311 - spreads load

    def token(self) -> Token:
        """A token that is good for now: kept, stored, or by signing in.

        Raises `AuthFailed` when the venue refuses the login, another `BrokerError` when it could not be asked.
        """
        with self._lock:
            token = self._current()
            return token if token is not None else self._sign_in()

    def renew(self, refused: Token) -> Token:
        """The token after one that the venue refused: whoever comes first signs in, the others get the same.

        A token that never worked is not replaced for thirty seconds: another sign-in would not cure it.
        """
        with self._lock:
            token = self._token
            if token is not None and (token.access != refused.access or self._is_hopeless(token)):
                return token
            return self._sign_in()

    def note_success(self, token: Token) -> None:
        """The venue took this token."""
        self._proven = token

    def needs_rotation(self, now: datetime) -> bool:
        token = self._token
        return token is not None and now >= token.expires_at - ROTATE_BEFORE - self._spread

    def rotate(self) -> None:
        """Trade the token for the next one; the old one stays good until its end. Raises a `BrokerError`."""
        with self._lock:
            token = self._token
            if token is None:
                return
            try:
                answer = self._wire.post(VALIDATE, None, Priority.EXIT, bearer=token.access)
            except (AuthExpired, Refused):
                logger.info("the projectx session is gone, signing in again")
                self._sign_in()
                return
            # The venue may leave the token as it is.
            access = answer.get("newToken") or token.access
            if access != token.access:
                self._keep(str(access))

    def discard(self, refused: Token) -> None:
        """Forget a token that the venue ended; the next `token` signs in."""
        with self._lock:
            if self._token is not None and self._token.access == refused.access:
                self._token = None

    def _is_hopeless(self, token: Token) -> bool:
        lately = self._signed_in_at is not None and time.monotonic() - self._signed_in_at < RENEWAL_PAUSE_SECONDS
        return lately and token is not self._proven

    def _current(self) -> Token | None:
        if self._token is None and not self._loaded:
            self._loaded = True
            self._token = self._store.load()
        token = self._token
        return token if token is not None and token.expires_at - datetime.now(UTC) > USABLE_FOR else None

    def _sign_in(self) -> Token:
        if self._refusal is not None:
            # The same key is never tried twice: each refusal counts against the owner.
            raise AuthFailed(self._refusal.code, self._refusal.text)
        body = {"userName": self._credentials.username, "apiKey": self._credentials.secrets.get("password", "")}
        try:
            answer = self._wire.post(LOGIN, body, Priority.FLATTEN)
        except BrokerError as error:
            self._refusal = _refusal_of(error)
            if self._refusal is None:
                raise
            raise self._refusal from None
        return self._keep(_token_of(answer))

    def _keep(self, access: str) -> Token:
        expires = token_expiry(access) or datetime.now(UTC) + ASSUMED_LIFETIME
        token = Token(access=access, expires_at=expires)
        self._token = token
        self._signed_in_at = time.monotonic()
        self._store.save(token)
        return token


def _token_of(answer: Json) -> str:
    access = answer.get("token")
    if not isinstance(access, str) or not access:
        raise OutcomeUnknown("the sign-in's answer holds no token")
    return access


def _refusal_of(error: BrokerError) -> AuthFailed | None:
    """The refusal of a login, None for what may pass by itself."""
    if isinstance(error, AuthExpired):
        return AuthFailed("HTTP_401", "the venue refused the username and API key")
    if not isinstance(error, Refused):
        return None
    if error.code == "HTTP_403":
        return AuthFailed(error.code, "the venue refuses this computer's address; many firms forbid VPNs and servers")
    if error.code.startswith("HTTP_") and error.code not in _REFUSING_STATUSES:
        return None
    return AuthFailed(error.code, error.text)
