"""How often a password may be tried."""

from __future__ import annotations

import hashlib

from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

_WINDOW_SECONDS = 60
_OWN_MEMORY = LocMemCache("password-tries", {})


class PasswordTries(BaseThrottle):
    """At most five tries a minute from one address for one account, and thirty a minute for one account.

    Counted in Redis for all processes together; while Redis is down each process counts for itself, so a guesser gets
    a few more tries but never free rein, and nobody is locked out by our own trouble.
    """

    per_address_and_account = 5
    per_account = 30

    def allow_request(self, request: Request, _view: APIView) -> bool:
        account = _digest(self.account_of(request).strip().lower())
        from_here = _count(f"password-tries:{_digest(self.get_ident(request))}:{account}")
        from_anywhere = _count(f"password-tries:{account}")
        return from_here <= self.per_address_and_account and from_anywhere <= self.per_account

    def account_of(self, request: Request) -> str:
        """The e-mail address that the request is about; "" where it names none."""
        return str(request.data.get("email", "")) if hasattr(request.data, "get") else ""

    def wait(self) -> float:
        return float(_WINDOW_SECONDS)


def _count(key: str) -> int:
    try:
        return _count_in(cache, key)
    except RedisError:
        return _count_in(_OWN_MEMORY, key)


def _count_in(store: BaseCache, key: str) -> int:
    store.add(key, 0, timeout=_WINDOW_SECONDS)
    try:
        return store.incr(key)
    except ValueError:
        # The window ended between the two calls.
        store.set(key, 1, timeout=_WINDOW_SECONDS)
        return 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
