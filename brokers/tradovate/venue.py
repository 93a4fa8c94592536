"""Tradovate as `brokers.registry` names it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from brokers.access import Access, Endpoints
from brokers.base import AccountRef, Capabilities, Connection, Sink
from brokers.http import HttpClient
from brokers.streams import StreamLoop
from brokers.tradovate.adapter import TradovateConnection
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.gate import Gate
from brokers.tradovate.limits import LIMITS
from brokers.tradovate.limits_api import AutoLiq
from brokers.tradovate.oauth import TradovateOAuth
from brokers.tradovate.preflight import Preflight, open_accounts
from brokers.venue import Check, CredentialField, ListedAccount, Polls, Venue

CAPABILITIES = Capabilities(
    native_brackets=True,
    native_multi_bracket=True,
    native_oco=True,
    modifies_orders=True,
    enforces_unique_client_ids=False,
    streams_reports=True,
    auto_trail=True,
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
    http, gate = HttpClient(access.endpoints.rest_url), Gate(access.budget)
    client = Client(http, Auth(access, http, gate), gate)
    return tuple(ListedAccount(account) for account in open_accounts(client))


def preflight(access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
    """SIGN_IN, ACCOUNT, CONTRACT, PERMISSION, RISK (the venue's own dry run, where it has one) and BUDGET."""
    return Preflight(access, account).run(symbol)


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
AUTOMATION_POLICY = (
    "Tradovate takes automated orders over its API, and each order of ours says that it is one. A proprietary firm's "
    "account follows that firm's own rules on top: some forbid automation, or one strategy on several accounts."
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
    limits=LIMITS,
    sends_in_bursts=True,
    has_own_threads=False,
    automation_policy=AUTOMATION_POLICY,
    oauth=TradovateOAuth(),
    loss_limits=AutoLiq(),
    # Nothing but the lane looks while the socket is away, and a look is ten of the 5,000 requests of an hour.
    polls=Polls(every=20),
)
