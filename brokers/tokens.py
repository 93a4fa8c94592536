"""A login's token between processes and restarts, encrypted at rest."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from django.db import connection

from brokers.access import Token
from brokers.models import BrokerLogin


class DatabaseTokenStore:
    """`brokers.base.TokenStore` on `BrokerLogin.token`.

    `load` raises `vault.WrongKey` when the token was encrypted with a key that is gone: a login that cannot be
    read must not look like one that never signed in. It runs in threads that outlive a database restart, so each use
    first drops a connection that failed before.
    """

    def __init__(self, login_id: uuid.UUID) -> None:
        self._login_id = login_id

    def load(self) -> Token | None:
        connection.close_if_unusable_or_obsolete()
        text = BrokerLogin.objects.values_list("token", flat=True).get(pk=self._login_id)
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

    def save(self, token: Token) -> None:
        connection.close_if_unusable_or_obsolete()
        text = json.dumps(
            {
                "access": token.access,
                "expires_at": token.expires_at.isoformat(),
                "market_data": token.market_data,
                "refresh": token.refresh,
                "user_id": token.user_id,
            }
        )
        BrokerLogin.objects.filter(pk=self._login_id).update(token=text)
