"""Whether a signed request is new: its timestamp near now, its nonce never seen."""

from __future__ import annotations

from datetime import UTC, datetime

from brokers.sandbox.webull.books import Login
from brokers.sandbox.webull.switches import Switches
from brokers.sandbox.webull.wire import now_ms

TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
KEPT_NONCES = 20_000


def staleness(login: Login, switches: Switches, timestamp: str, nonce: str) -> str | None:
    """What is wrong with it, None for nothing. A good nonce is used up by this."""
    now = now_ms()
    try:
        sent = datetime.strptime(timestamp, TIMESTAMP).replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return "The timestamp is not valid"
    skew_ms = switches.clock_skew_seconds * 1000
    if skew_ms > 0 and abs(now - sent) > skew_ms:
        return "The timestamp is out of range"
    if switches.nonce_once and nonce in login.nonces:
        return "The nonce was used before"
    login.nonces[nonce] = now
    if len(login.nonces) > KEPT_NONCES:
        del login.nonces[next(iter(login.nonces))]
    return None
