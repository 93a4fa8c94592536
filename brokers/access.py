"""How a login reaches its venue: credentials, addresses, its token's store, and what it may still ask today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login needs to sign in; never logged: `secrets` stays out of the repr.

    `secrets` are named by the venue's own `CredentialField`s; `settings` holds what is not secret, such as a firm.
    """

    venue: str
    environment: str
    username: str
    device_id: str
    secrets: dict[str, str] = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses of a venue's environment, without a trailing slash.

    `ws_url` is where its reports come from and `md_url` where its quotes do, in whatever protocol the venue speaks.
    """

    rest_url: str
    ws_url: str
    md_url: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    access: str = field(repr=False)
    expires_at: datetime
    market_data: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """What a venue has registered this installation as. An address that is empty is the venue's own."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    authorize_url: str = ""
    token_url: str = ""


class TokenStore(Protocol):
    """Keeps a login's token between processes and restarts, encrypted at rest."""

    def load(self) -> Token | None: ...

    def save(self, token: Token) -> None: ...


class NoStore:
    """For a sign-in whose token nobody keeps."""

    def load(self) -> Token | None:
        return None

    def save(self, token: Token) -> None: ...


class Priority(IntEnum):
    """Who goes first when requests are short; each may use what those below it may, and its reserve on top."""

    FLATTEN = 0
    STOP = 1
    EXIT = 2
    ENTRY = 3
    POLL = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """A venue's own rule: at most `requests` in any `seconds`, counted per `scope`.

    `scope` is `login`, `token` or `ip`. `endpoints` are the endpoint classes that count, as the venue's client names
    them; empty means all. `reserve` is the share, 0 to 1, that only FLATTEN may use, so that an entry can never spend
    what a flatten needs.
    """

    scope: str
    requests: int
    seconds: float
    endpoints: frozenset[str] = frozenset()
    reserve: float = 0.1


class Budget(Protocol):
    """What one login may still ask its venue. Thread-safe, quick (no network on the way of an order), shared between
    processes.
    """

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None:
        """Note `cost` requests that are about to be sent. Raises `RateLimited` when this priority has none left."""

    def penalise(self, until: datetime) -> None:
        """The venue itself asked for silence: nobody spends before `until` (aware UTC)."""


class Unlimited:
    """For a single request of a person, and for tests."""

    def spend(self, priority: Priority, endpoint: str = "", cost: int = 1) -> None: ...

    def penalise(self, until: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Access:
    """All that an adapter is given to sign in with.

    `oauth` is there for a login that came through the venue's own sign-in page: it has a token and no password.
    """

    credentials: Credentials
    endpoints: Endpoints
    store: TokenStore = field(default_factory=NoStore)
    budget: Budget = field(default_factory=Unlimited)
    oauth: OAuthClient | None = None
