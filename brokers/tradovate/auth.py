"""Staying signed in: one token per login, renewed once however many threads want it.

A new sign-in is a new session at the venue, and a third session closes the oldest; a renewal extends the one we have
(Tradovate wire facts, auth). So a stored token is used first, renewal next, the password last. A login that came
through the venue's page has no password: its refresh token, good once and for about a day, brings the next pair.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta

from brokers.access import Access, Priority, Token
from brokers.errors import AuthExpired, AuthFailed, OutcomeUnknown, RateLimited
from brokers.http import HttpClient
from brokers.tradovate import grants, signin
from brokers.tradovate.gate import Gate
from brokers.tradovate.hosts import Hosts
from brokers.tradovate.limits import OAUTH_TOKEN, RENEW, SIGN_IN

logger = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(minutes=15)
# Hundreds of logins that started together must not renew together.
RENEW_SPREAD_SECONDS = 300
RENEWAL_PAUSE_SECONDS = 300.0
REFRESH_PAUSE_SECONDS = 60.0
USABLE_FOR = timedelta(minutes=1)
# An evicted session answers with anything, so the second strange answer to a renewal counts as its end.
ODD_RENEWALS = 2
# The venue refuses refresh tokens that it takes a minute later: only a row of refusals is believed.
REFUSED_REFRESHES = 5
CONNECT_AGAIN = "ConnectAgain"


class Auth:
    """The token of one login. `hosts` hears where the venue serves it."""

    def __init__(self, access: Access, http: HttpClient, gate: Gate, hosts: Hosts | None = None) -> None:
        self._access = access
        self._http = http
        self._gate = gate
        self.hosts = hosts or Hosts(access, http)
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._discarded: Token | None = None
        self._loaded = False
        self._renewed_at: float | None = None
        self._located_at: float | None = None
        self._odd_renewals = 0
        self._refused_refreshes = 0
        self._refresh_after = 0.0
        self._refusal: AuthFailed | None = None
        self._spread = timedelta(seconds=random.uniform(0, RENEW_SPREAD_SECONDS))  # noqa: S311 - spreads load

    def token(self) -> Token:
        """A token that is good for now: kept, stored, or by signing in.

        Raises `AuthFailed` when the venue refuses the login, `RateLimited` when it wants silence.
        """
        with self._lock:
            token = self._current()
            return token if token is not None else self._sign_in()

    def needs_renewal(self, now: datetime) -> bool:
        token = self._token
        return token is not None and now >= token.expires_at - RENEW_BEFORE - self._spread

    def renew(self, stale: Token, *, is_early: bool = False) -> Token:
        """The token after `stale`: whoever comes first renews, the others get what the first one got.

        A login without permission gets 401s that no renewal cures, and renewals are limited: one in five minutes.
        One that is early, because `stale` is still good, may fail; else what is refused or used up is signed in anew.
        """
        with self._lock:
            token = self._token
            if token is not None and (token.access != stale.access or self._lately(self._renewed_at)):
                return token
            self._renewed_at = time.monotonic()
            return self._refresh(stale) if self._is_by_page else self._extend(stale, is_early=is_early)

    def locate(self) -> None:
        """Ask where the login is served, because a host said that it is not there. Raises a `BrokerError`."""
        with self._lock:
            token = self._current()
            if token is None or self._lately(self._located_at):
                return
            self._located_at = time.monotonic()
            with self._gate.passing(Priority.FLATTEN, RENEW):
                payload = self._http.get(RENEW, bearer=token.access)
                if not self._is_by_page:
                    self._keep(signin.token_of(payload, token))
            self.hosts.learn(payload)

    def discard(self, refused: Token) -> None:
        """Forget a token that the venue refused; the next `token` signs in."""
        with self._lock:
            if self._token is not None and self._token.access == refused.access:
                self._token, self._discarded = None, refused

    @property
    def _is_by_page(self) -> bool:
        return not self._access.credentials.secrets.get("password")

    def _lately(self, moment: float | None) -> bool:
        return moment is not None and time.monotonic() - moment < RENEWAL_PAUSE_SECONDS

    def _current(self) -> Token | None:
        if self._token is None and not self._loaded:
            self._loaded = True
            self._token = self._access.store.load()
        return self._token if _is_usable(self._token) else None

    def _extend(self, stale: Token, *, is_early: bool) -> Token:
        try:
            with self._gate.passing(Priority.FLATTEN, RENEW):
                payload = self._http.get(RENEW, bearer=stale.access)
                renewed = signin.token_of(payload, stale)
        except (AuthExpired, AuthFailed):
            logger.info("tradovate session is gone, signing in again")
            return self._sign_in()
        except OutcomeUnknown:
            self._odd_renewals += 1
            if self._odd_renewals < ODD_RENEWALS:
                raise
            logger.info("tradovate session answers strangely, signing in again")
            return self._sign_in()
        except RateLimited:
            if is_early:
                raise
            return self._sign_in()
        self._odd_renewals = 0
        self.hosts.learn(payload)
        return self._keep(renewed)

    def _sign_in(self) -> Token:
        if self._is_by_page:
            return self._refresh(self._token or self._discarded)
        # Five refused sign-ins an hour close the address: the same password is never tried twice.
        self._heed_refusal()
        self._odd_renewals = 0
        try:
            with self._gate.passing(Priority.FLATTEN, SIGN_IN, 0):
                payload = self._http.post(SIGN_IN, signin.login_body(self._access.credentials))
                token = signin.token_of(payload)
        except AuthFailed as error:
            self._refusal = error
            self._count_refusal()
            raise
        self.hosts.learn(payload)
        return self._keep(token)

    def _heed_refusal(self) -> None:
        if self._refusal is not None:
            raise AuthFailed(self._refusal.code, self._refusal.text)

    def _count_refusal(self) -> None:
        try:
            self._gate.spend(Priority.FLATTEN, SIGN_IN)
        except RateLimited as error:
            logger.info("no more refused sign-ins from this address: %s", error)

    def _refresh(self, stale: Token | None) -> Token:
        """Trade the refresh token in, unless another process has: one that is used up says nothing about the login."""
        token = self._stored_by_another(stale) or stale
        if token is not None and token is not stale and _is_usable(token):
            return self._adopt(token)
        self._heed_refusal()
        if token is None or not token.refresh:
            raise AuthFailed(CONNECT_AGAIN, "the sign-in has ended: connect this login again")
        if time.monotonic() < self._refresh_after:
            raise AuthExpired("the sign-in has ended and could not be renewed yet")
        try:
            with self._gate.passing(Priority.FLATTEN, OAUTH_TOKEN):
                payload = grants.request_grant(self._http, self._access, self._refresh_fields(token))
        except grants.GrantRefused as error:
            return self._after_refused_refresh(token, error)
        self._refused_refreshes = 0
        return self._keep(grants.token_of(payload, token))

    def _refresh_fields(self, token: Token) -> dict[str, str]:
        client = self._access.oauth
        named = grants.client_fields(client) if client is not None else {}
        return {"grant_type": "refresh_token", "refresh_token": token.refresh, **named}

    def _after_refused_refresh(self, token: Token, error: grants.GrantRefused) -> Token:
        newer = self._stored_by_another(token)
        if newer is not None and _is_usable(newer):
            return self._adopt(newer)
        self._refused_refreshes += 1
        self._refresh_after = time.monotonic() + REFRESH_PAUSE_SECONDS
        if self._refused_refreshes >= REFUSED_REFRESHES and not _is_usable(token):
            self._refusal = AuthFailed(CONNECT_AGAIN, f"the broker ended this sign-in ({error}): connect it again")
            raise self._refusal
        raise AuthExpired(f"the broker did not renew the sign-in: {error}")

    def _stored_by_another(self, known: Token | None) -> Token | None:
        stored = self._access.store.load()
        return stored if stored is not None and (known is None or stored.access != known.access) else None

    def _adopt(self, token: Token) -> Token:
        self._token = token
        self._refused_refreshes, self._refusal = 0, None
        return token

    def _keep(self, token: Token) -> Token:
        """Store it before anybody uses it: a crash in between must not cost a refresh token that is good once."""
        try:
            self._access.store.save(token)
        finally:
            self._token = token
        return token


def _is_usable(token: Token | None) -> bool:
    return token is not None and token.expires_at - datetime.now(UTC) > USABLE_FOR
