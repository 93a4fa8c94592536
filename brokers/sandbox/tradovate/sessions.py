"""Access tokens and the sessions behind them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from brokers.sandbox.tradovate.books import FIRST_SESSION_ID, Login
from brokers.sandbox.tradovate.switches import Switches

ORDINARY, MARKET_DATA = "access", "md"


@dataclass(slots=True, eq=False)
class Session:
    """One sign-in. ``tokens`` maps each valid token to when it expires; ``revoked`` ends all of them."""

    id: int
    login: Login
    device_id: str | None
    started: datetime
    tokens: dict[str, datetime] = field(default_factory=dict, repr=False)
    md_token: str = field(default="", repr=False)
    revoked: bool = False

    def expires(self, token: str) -> datetime | None:
        return self.tokens.get(token)


class SessionBook:
    """Issues, renews, expires and revokes tokens."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._by_token: dict[str, Session] = {}
        self._of_login: dict[str, list[Session]] = {}
        self._evicted: set[str] = set()
        self._next_id = FIRST_SESSION_ID

    def open(self, login: Login, device_id: str | None) -> tuple[Session, str, list[Session]]:
        """(session, access token, sessions evicted because the login has too many)."""
        session = Session(self._next_id, login, device_id, datetime.now(UTC))
        self._next_id += 1
        token = self.issue(session)
        session.md_token = secrets.token_urlsafe(48)
        self._by_token[session.md_token] = session
        mine = self._of_login.setdefault(login.username, [])
        mine.append(session)
        evicted = []
        while len(mine) > self._switches.max_sessions:
            evicted.append(self._revoke(mine.pop(0)))
        return session, token, evicted

    def issue(self, session: Session) -> str:
        """A further access token of a session (renewal); the earlier ones stay valid until they expire."""
        token = secrets.token_urlsafe(48)
        session.tokens[token] = datetime.now(UTC) + timedelta(minutes=self._switches.token_minutes)
        self._by_token[token] = session
        return token

    def find(self, token: str) -> Session | None:
        """The session a token belongs to, expired or not; None for an unknown or revoked one."""
        session = self._by_token.get(token)
        return None if session is None or session.revoked else session

    def was_evicted(self, token: str) -> bool:
        """Whether a newer sign-in pushed this token's session out."""
        return token in self._evicted

    def with_id(self, session_id: int) -> Session | None:
        return next((session for session in self._by_token.values() if session.id == session_id), None)

    def is_expired(self, session: Session, token: str) -> bool:
        expires = max(session.tokens.values()) if token == session.md_token else session.tokens[token]
        return expires <= datetime.now(UTC)

    def expire(self, login: Login | None) -> int:
        """End the life of every token of a login (None: of all); how many."""
        now, count = datetime.now(UTC), 0
        for session in set(self._by_token.values()):
            if login is None or session.login is login:
                session.tokens = dict.fromkeys(session.tokens, now)
                count += len(session.tokens)
        return count

    def of_login(self, login: Login) -> list[Session]:
        return list(self._of_login.get(login.username, ()))

    def _revoke(self, session: Session) -> Session:
        session.revoked = True
        for token in (*session.tokens, session.md_token):
            self._by_token.pop(token, None)
            self._evicted.add(token)
        return session

    def dump(self) -> dict[str, object]:
        sessions = {session.id: session for session in self._by_token.values()}
        return {
            "nextId": self._next_id,
            "sessions": [
                {
                    "id": session.id,
                    "username": session.login.username,
                    "deviceId": session.device_id,
                    "started": session.started,
                    "tokens": session.tokens,
                    "mdToken": session.md_token,
                }
                for session in sessions.values()
            ],
        }

    def load(self, saved: dict[str, object], logins: dict[str, Login]) -> None:
        self._next_id = int(str(saved["nextId"]))
        rows = saved["sessions"]
        for row in rows if isinstance(rows, list) else []:
            login = logins[row["username"]]
            session = Session(row["id"], login, row["deviceId"], datetime.fromisoformat(row["started"]))
            session.tokens = {token: datetime.fromisoformat(when) for token, when in row["tokens"].items()}
            session.md_token = row["mdToken"]
            for token in (*session.tokens, session.md_token):
                self._by_token[token] = session
            self._of_login.setdefault(login.username, []).append(session)
