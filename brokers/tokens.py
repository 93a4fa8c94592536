"""A login's token between processes and restarts, encrypted at rest."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from django.db import connection

from brokers.access import Token
from brokers.models import BrokerLogin


class HeldToken:
    """A `brokers.access.TokenStore` for a sign-in whose login is stored only if it succeeds."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token) -> None:
        self._token = token


class DatabaseTokenStore:
    """`brokers.access.TokenStore` on `BrokerLogin.token`, with its expiry beside it for screens.

    `load` raises `vault.WrongKey` when the token was encrypted with a key that is gone: a login that cannot be
    read must not look like one that never signed in. It runs in threads that outlive a database restart, so each use
    first drops a connection that failed before.
    """

    def __init__(self, login_id: uuid.UUID) -> None:
        self._login_id = login_id

    def load(self) -> Token | None:
        _drop_what_failed()
        return from_text(BrokerLogin.objects.values_list("token", flat=True).get(pk=self._login_id))

    def save(self, token: Token) -> None:
        _drop_what_failed()
        kept = BrokerLogin.objects.filter(pk=self._login_id)
        kept.update(token=as_text(token), token_expires_at=token.expires_at)


def _drop_what_failed() -> None:
    # Inside of a transaction the connection is good, and closing it would end the transaction.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def as_text(token: Token) -> str:
    return json.dumps(
        {
            "access": token.access,
            "expires_at": token.expires_at.isoformat(),
            "market_data": token.market_data,
            "refresh": token.refresh,
            "user_id": token.user_id,
        }
    )


def from_text(text: str) -> Token | None:
    if text == "":
        return None
    stored = json.loads(text)
    return Token(
        access=stored["access"],
        expires_at=datetime.fromisoformat(stored["expires_at"]),
        market_data=stored["market_data"],
        refresh=stored["refresh"],
        user_id=stored["user_id"],
    )
