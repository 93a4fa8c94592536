"""Tradovate as `brokers.registry` names it."""

from __future__ import annotations

from uuid import UUID

from brokers.base import AccountRef, Capabilities, Connection, Credentials, Endpoints, Sink, Token, TokenStore
from brokers.http import HttpClient
from brokers.streams import StreamLoop
from brokers.tradovate.adapter import TradovateConnection
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.gate import Gate
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Account

CAPABILITIES = Capabilities(
    native_brackets=True,
    native_multi_bracket=True,
    native_oco=True,
    modifies_orders=True,
    enforces_unique_client_ids=False,
    streams_reports=True,
)

# Contract ids are the environment's, not the login's: what one login learned, all know.
_books: dict[str, ContractBook] = {}


class _NoStore:
    """For a sign-in whose token nobody keeps."""

    def load(self) -> Token | None:
        return None

    def save(self, token: Token) -> None: ...


def connect(
    login_id: UUID, credentials: Credentials, endpoints: Endpoints, store: TokenStore, sink: Sink, loop: StreamLoop
) -> Connection:
    book = _books.setdefault(endpoints.rest_url, ContractBook())
    return TradovateConnection(login_id, credentials, endpoints, store, sink, loop, book)


def sign_in_check(
    credentials: Credentials, endpoints: Endpoints, store: TokenStore | None = None
) -> tuple[AccountRef, ...]:
    """Its accounts. With a `store` the token is kept: a second sign-in of the same device would starve the first."""
    http = HttpClient(endpoints.rest_url)
    gate = Gate()
    client = Client(http, Auth(credentials, http, store or _NoStore(), gate), gate)
    accounts = entities_of("account", client.read_list("account/list"))
    return tuple(AccountRef(str(a.id), a.name) for a in accounts if isinstance(a, Account) and a.open)
