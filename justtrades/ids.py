"""Identifiers: time-ordered row ids, and the ids that follow from a wish instead of from chance."""

from __future__ import annotations

import base64
import hashlib
import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """A UUIDv7: unguessable enough for an address, ordered enough for an index."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def idempotency_key(source: str, source_id: object, trader_id: object, leg: str) -> str:
    """The deterministic key of one wish: the same source, trader and leg always give the same key."""
    return f"{source}:{source_id}:{trader_id}:{leg}"


def client_order_id(key: str, prefix: str = "JT") -> str:
    """What we call the order at the broker: `prefix` and 26 characters of `[A-Z2-7]`, derived from the idempotency key.

    Fits every venue seen: Tradovate clOrdId and uuid up to 64, ProjectX customTag, Webull client_order_id 10 to 32.
    """
    digest = hashlib.sha256(key.encode()).digest()
    return prefix + base64.b32encode(digest)[:26].decode()
