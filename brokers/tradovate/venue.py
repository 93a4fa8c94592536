"""Tradovate as `brokers.registry` names it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from brokers.access import Access, Endpoints
from brokers.base import AccountRef, Capabilities, Connection, Sink
from brokers.errors import BrokerError, Refused
from brokers.http import HttpClient
from brokers.streams import StreamLoop
from brokers.tradovate.adapter import TradovateConnection
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.gate import Gate
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Account
from brokers.venue import Check, CredentialField, ListedAccount, Venue

CAPABILITIES = Capabilities(
    native_brackets=True,
    native_multi_bracket=True,
    native_oco=True,
    modifies_orders=True,
    enforces_unique_client_ids=False,
    streams_reports=True,
)
_ENDPOINTS = {
    "demo": Endpoints(
        "https://demo.tradovateapi.com/v1",
        "wss://demo.tradovateapi.com/v1/websocket",
        "wss://md-demo.tradovateapi.com/v1/websocket",
    ),
    "live": Endpoints(
        "https://live.tradovateapi.com/v1",
        "wss://live.tradovateapi.com/v1/websocket",
        "wss://md.tradovateapi.com/v1/websocket",
    ),
}

# Contract ids are the environment's, not the login's: what one login learned, all know.
_books: dict[str, ContractBook] = {}


def endpoints(environment: str, _settings: Mapping[str, str]) -> Endpoints | None:
    return _ENDPOINTS.get(environment)


def connect(login_id: UUID, access: Access, sink: Sink, loop: StreamLoop) -> Connection:
    book = _books.setdefault(access.endpoints.rest_url, ContractBook())
    return TradovateConnection(login_id, access, sink, loop, book)


def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
    """Its accounts. With a store the token is kept: a second sign-in of the same device would starve the first."""
    return tuple(ListedAccount(account) for account in _open_accounts(_client(access)))


def preflight(access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
    """Whether the login signs in, the account is open, and the venue knows the contract."""
    client = _client(access)
    try:
        open_ids = {account.broker_id for account in _open_accounts(client)}
    except BrokerError as error:
        return (Check("SIGN_IN", is_ok=False, text=str(error)),)
    is_open = account.broker_id in open_ids
    checks = [
        Check("SIGN_IN", is_ok=True, text="the broker signs this login in"),
        Check("ACCOUNT", is_ok=is_open, text="the account is open" if is_open else "the broker says it is not open"),
    ]
    try:
        found = client.find_contract(symbol)
    except Refused as error:
        checks.append(Check("CONTRACT", is_ok=False, text=str(error)))
    else:
        checks.append(Check("CONTRACT", is_ok=True, text=f"the broker lists {found.name}"))
    return tuple(checks)


def _client(access: Access) -> Client:
    http = HttpClient(access.endpoints.rest_url)
    gate = Gate()
    return Client(http, Auth(access.credentials, http, access.store, gate), gate)


def _open_accounts(client: Client) -> list[AccountRef]:
    accounts = entities_of("account", client.read_list("account/list"))
    return [AccountRef(str(a.id), a.name) for a in accounts if isinstance(a, Account) and a.open]


FIELDS = (
    CredentialField("username", "Username"),
    CredentialField("password", "Password", is_secret=True),
    CredentialField(
        "app_secret",
        "API key",
        is_secret=True,
        is_required=False,
        help_text="Only with an API key of your own: its cid and secret with a colon between them.",
    ),
)
VENUE = Venue(
    label="Tradovate",
    connect=connect,
    sign_in_check=sign_in_check,
    preflight=preflight,
    capabilities=CAPABILITIES,
    fields=FIELDS,
    environments=("demo", "live", "sandbox"),
    endpoints=endpoints,
)
