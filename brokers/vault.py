"""The only place that turns broker secrets into ciphertext and back.

Fernet keys come from `FIELD_ENCRYPTION_KEYS`, newest first: the first encrypts, all of them decrypt, so that keys can
be rotated without a moment in which anything is unreadable.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class WrongKey(Exception):
    """The ciphertext was made with a key that is not in the ring."""


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise WrongKey("FIELD_ENCRYPTION_KEYS is empty: broker secrets can be neither stored nor read")
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plaintext: str) -> str:
    return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(plaintext.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Raises `WrongKey` when no key of the ring fits; never returns the ciphertext."""
    try:
        return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise WrongKey("a stored broker secret does not decrypt with any key of FIELD_ENCRYPTION_KEYS") from None


def rotate(ciphertext: str) -> str:
    """The same secret under the newest key."""
    return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).rotate(ciphertext.encode()).decode()
