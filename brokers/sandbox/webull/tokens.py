"""Access tokens that the user approves in the venue's app: made, asked for, approved, refreshed, lost (facts, 4)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brokers.sandbox.webull.wire import Row, now_ms

if TYPE_CHECKING:
    from brokers.sandbox.webull.books import Login
    from brokers.sandbox.webull.switches import Switches

PENDING, NORMAL, INVALID, EXPIRED = "PENDING", "NORMAL", "INVALID", "EXPIRED"
APPROVAL_MS = 5 * 60 * 1000
LIFETIME_MS = 15 * 24 * 3600 * 1000


@dataclass(slots=True, eq=False)
class Token:
    """``expires`` is epoch ms: of the approval while PENDING, else of the 15 days without use."""

    token: str
    status: str
    expires: int

    def row(self) -> Row:
        """The name that documents have for the expiry, and the one that the official library insists on."""
        return {"token": self.token, "expires": self.expires, "expires_at": self.expires, "status": self.status}

    def age(self, now: int) -> None:
        if now >= self.expires and self.status in (PENDING, NORMAL):
            self.status = EXPIRED if self.status == PENDING else INVALID

    def approve(self, now: int) -> None:
        self.status, self.expires = NORMAL, now + LIFETIME_MS


def create(login: Login, switches: Switches, wanted: object) -> Row:
    """The stored token if it is still good, else a new one. Where nothing is checked, tokens are NORMAL at once."""
    known = login.tokens.get(wanted) if isinstance(wanted, str) else None
    if known is not None and _current(known, switches).status in (PENDING, NORMAL):
        return known.row()
    now = now_ms()
    made = Token(secrets.token_hex(16), PENDING, now + APPROVAL_MS)
    if not switches.token_check:
        made.approve(now)
    login.tokens[made.token] = made
    return _current(made, switches).row()


def check(login: Login, switches: Switches, wanted: object) -> Row:
    known = login.tokens.get(wanted) if isinstance(wanted, str) else None
    if known is None:
        return Token(str(wanted or ""), INVALID, now_ms()).row()
    return _current(known, switches).row()


def is_good(login: Login, switches: Switches, given: str | None) -> bool:
    """Whether a request with this token is let in; its use prolongs it."""
    known = login.tokens.get(given) if given is not None else None
    if known is None or _current(known, switches).status != NORMAL:
        return False
    known.expires = now_ms() + LIFETIME_MS
    return True


def expire(login: Login) -> int:
    """All good tokens become useless; how many there were."""
    good = [token for token in login.tokens.values() if token.status in (PENDING, NORMAL)]
    for token in good:
        token.status, token.expires = INVALID, now_ms()
    return len(good)


def _current(token: Token, switches: Switches) -> Token:
    now = now_ms()
    token.age(now)
    if token.status == PENDING and switches.auto_approve:
        token.approve(now)
    return token
