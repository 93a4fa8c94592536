"""The Gateway's JWTs: issued, checked, revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson

ISSUER = "https://userapi.sandbox.test"
_PARTS = 3


@dataclass(frozen=True, slots=True)
class Claims:
    """``serial`` is the ``jti``: it counts all tokens ever issued. ``expires`` is epoch seconds."""

    username: str
    serial: int
    expires: int


class TokenBook:
    """Any number of tokens of a user are good side by side; each can be revoked, and all of a user be expired."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._serial = 0
        self._revoked: set[int] = set()
        self._expired_up_to: dict[str, int] = {}

    def issue(self, username: str, user_id: int, seconds: int) -> str:
        self._serial += 1
        now = int(time.time())
        payload = {
            "sub": str(user_id),
            "unique_name": username,
            "jti": str(self._serial),
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "iss": ISSUER,
            "aud": ISSUER,
        }
        signed = f"{_encode(orjson.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_encode(orjson.dumps(payload))}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> Claims | None:
        """What a token says; None when it is not ours or was revoked. It may have expired."""
        parts = token.split(".")
        if len(parts) != _PARTS or not token.isascii():
            return None
        if not hmac.compare_digest(self._signature(f"{parts[0]}.{parts[1]}"), parts[2]):
            return None
        payload = orjson.loads(_decode(parts[1]))
        claims = Claims(payload["unique_name"], int(payload["jti"]), payload["exp"])
        return None if claims.serial in self._revoked else claims

    def is_expired(self, claims: Claims) -> bool:
        return claims.expires <= time.time() or claims.serial <= self._expired_up_to.get(claims.username, 0)

    def revoke(self, claims: Claims) -> None:
        self._revoked.add(claims.serial)

    def expire(self, username: str) -> None:
        """End the life of every token that a user has by now."""
        self._expired_up_to[username] = self._serial

    def dump(self) -> dict[str, Any]:
        return {
            "secret": base64.b64encode(self._secret).decode(),
            "serial": self._serial,
            "revoked": sorted(self._revoked),
            "expiredUpTo": self._expired_up_to,
        }

    def load(self, saved: dict[str, Any]) -> None:
        self._secret = base64.b64decode(saved["secret"])
        self._serial = saved["serial"]
        self._revoked = set(saved["revoked"])
        self._expired_up_to = dict(saved["expiredUpTo"])

    def _signature(self, signed: str) -> str:
        return _encode(hmac.new(self._secret, signed.encode(), hashlib.sha256).digest())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
