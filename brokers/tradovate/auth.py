"""Signing in and staying signed in: one token per login, renewed once however many threads want it.

A new sign-in is a new session at the venue, and a third session closes the oldest; a renewal extends the one we have
(Tradovate wire facts, auth). So a stored token is used first, renewal next, the password last.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from brokers.access import Credentials, Token, TokenStore
from brokers.errors import AuthExpired, AuthFailed, OutcomeUnknown
from brokers.http import HttpClient
from brokers.tradovate.gate import Gate
from brokers.tradovate.parse import check_penalty, parse_time

logger = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(minutes=15)
# Hundreds of logins that started together must not renew together.
RENEW_SPREAD_SECONDS = 300
RENEWAL_PAUSE_SECONDS = 300.0
USABLE_FOR = timedelta(minutes=1)
ASSUMED_LIFETIME = timedelta(minutes=75)
APP_ID = "JustTrades"
APP_VERSION = "1.0"


class Auth:
    """`secrets` holds `password`, and where the venue gave them `cid`, `sec`, `app_id` and `app_version`."""

    def __init__(self, credentials: Credentials, http: HttpClient, store: TokenStore, gate: Gate) -> None:
        self._credentials = credentials
        self._http = http
        self._store = store
        self._gate = gate
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._loaded = False
        self._renewed_at: float | None = None
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

    def renew(self, stale: Token) -> Token:
        """The token after `stale`: whoever comes first renews, the others get what the first one got.

        A login without permission gets 401s that no renewal cures, and renewals are limited: one in five minutes.
        """
        with self._lock:
            token = self._token
            if token is not None and (token.access != stale.access or self._renewed_lately()):
                return token
            self._renewed_at = time.monotonic()
            try:
                with self._gate.passing():
                    return self._keep(self._http.get("auth/renewaccesstoken", bearer=stale.access), stale)
            except AuthExpired:
                logger.info("tradovate session is gone, signing in again")
                return self._sign_in()

    def _renewed_lately(self) -> bool:
        return self._renewed_at is not None and time.monotonic() - self._renewed_at < RENEWAL_PAUSE_SECONDS

    def discard(self, refused: Token) -> None:
        """Forget a token that the venue refused; the next `token` signs in."""
        with self._lock:
            if self._token is not None and self._token.access == refused.access:
                self._token = None

    def _current(self) -> Token | None:
        if self._token is None and not self._loaded:
            self._loaded = True
            self._token = self._store.load()
        token = self._token
        return token if token is not None and token.expires_at - datetime.now(UTC) > USABLE_FOR else None

    def _sign_in(self) -> Token:
        if self._refusal is not None:
            # Five refused sign-ins an hour close the address: the same password is never tried twice.
            raise AuthFailed(self._refusal.code, self._refusal.text)
        try:
            with self._gate.passing():
                return self._keep(self._http.post("auth/accesstokenrequest", self._login_body()), None)
        except AuthFailed as error:
            self._refusal = error
            raise

    def _login_body(self) -> bytes:
        secrets = self._credentials.secrets
        body = {
            "name": self._credentials.username,
            "password": secrets.get("password", ""),
            "appId": secrets.get("app_id", APP_ID),
            "appVersion": secrets.get("app_version", APP_VERSION),
            "deviceId": self._credentials.device_id,
        }
        body.update({key: secrets[key] for key in ("cid", "sec") if key in secrets})
        return orjson.dumps(body)

    def _keep(self, payload: Any, previous: Token | None) -> Token:
        check_penalty(payload)
        if not isinstance(payload, dict):
            raise OutcomeUnknown("the sign-in's answer could not be read")
        if payload.get("errorText"):
            raise AuthFailed("LoginRefused", str(payload["errorText"]))
        access = payload.get("accessToken")
        if not access:
            raise OutcomeUnknown("the sign-in's answer holds no token")
        expires = payload.get("expirationTime")
        user_id = payload.get("userId")
        token = Token(
            access=access,
            expires_at=parse_time(expires) if expires else datetime.now(UTC) + ASSUMED_LIFETIME,
            market_data=payload.get("mdAccessToken") or (previous.market_data if previous is not None else ""),
            user_id=str(user_id) if user_id is not None else (previous.user_id if previous is not None else ""),
        )
        self._token = token
        self._store.save(token)
        return token
