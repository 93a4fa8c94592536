"""Webull as `brokers.registry` names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from uuid import UUID

from brokers.access import Access, Endpoints, Priority
from brokers.base import AccountRef, Capabilities, Connection, Side, Sink, SubmitOrder
from brokers.errors import AuthFailed, RateLimited, Refused
from brokers.streams import StreamLoop
from brokers.venue import Check, CredentialField, ListedAccount, Polls, Venue
from brokers.webull import limits, orders
from brokers.webull.accounts import list_accounts
from brokers.webull.adapter import WebullConnection
from brokers.webull.client import Client
from brokers.webull.instruments import (
    ACCOUNT_CLASS,
    ContractBook,
    check_account_class,
    is_tradable_class,
    traded_of,
)
from brokers.webull.prices import reference_price
from brokers.webull.types import Account

FUTURES = Capabilities(
    native_brackets=False,
    native_multi_bracket=False,
    native_oco=False,
    modifies_orders=True,
    enforces_unique_client_ids=True,
    streams_reports=True,
    trailing_stops=True,
)
STOCKS = replace(FUTURES, native_brackets=True)
OPTIONS = replace(FUTURES, native_brackets=True, trailing_stops=False)
_ENDPOINTS = {
    "paper": Endpoints(
        "https://api.sandbox.webull.com",
        "grpcs://events-api.sandbox.webull.com:443",
        "mqtts://data-api.sandbox.webull.com:1883",
    ),
    "live": Endpoints(
        "https://api.webull.com", "grpcs://events-api.webull.com:443", "mqtts://data-api.webull.com:1883"
    ),
}
PREVIEW_ID = "preview-of-one-contract-000000"

# Contracts are the environment's, not the login's: what one login has compared, all know.
_books: dict[str, ContractBook] = {}


def endpoints(environment: str, _settings: Mapping[str, str]) -> Endpoints | None:
    return _ENDPOINTS.get(environment)


def connect(login_id: UUID, access: Access, sink: Sink, _loop: StreamLoop) -> Connection:
    return WebullConnection(login_id, access, sink, _book_of(access))


def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
    """Every account of the key, of whatever class. `AuthFailed` with the code TWO_FACTOR_PENDING until the owner has
    approved the connection in the Webull app: asking again then finds the token that was kept.
    """
    return tuple(_listed(account, access) for account in list_accounts(Client(access)))


def preview(access: Access, account: AccountRef, order: SubmitOrder) -> None:
    """Ask the venue what an order would cost, without placing it. Raises `Refused` with what it has against it."""
    _preview(Client(access), account, order)


def preflight(access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
    """Whether the login signs in, the account is of the right class, the contract is the one we know, and the venue
    would take an order for one of it now.
    """
    checks: list[Check] = []
    try:
        for check in _checks(access, account, symbol):
            checks.append(check)
            if not check.is_ok:
                break
    except RateLimited as error:
        checks.append(Check("BUDGET", is_ok=False, text=f"no requests are left: {error}"))
    return tuple(checks)


def _checks(access: Access, account: AccountRef, symbol: str) -> Iterator[Check]:
    """Each answer is what the next question needs."""
    client = Client(access)
    try:
        listed = {found.ref.broker_id: found for found in list_accounts(client, Priority.EXIT)}
    except AuthFailed as error:
        yield Check("SIGN_IN", is_ok=False, text=str(error))
        return
    yield Check("SIGN_IN", is_ok=True, text="the broker signs this login in")
    yield _account_check(listed.get(account.broker_id), symbol)
    yield _asked("CONTRACT", lambda: _compare(client, access, symbol), "the broker lists the contract as we know it")
    order = SubmitOrder(PREVIEW_ID, account, symbol, Side.BUY, 1)
    yield _asked("PERMISSION", lambda: _preview(client, account, order), "the broker would take an order now")
    access.budget.spend(Priority.ENTRY, limits.PLACE, cost=0)
    yield Check("BUDGET", is_ok=True, text="requests are left for an entry")


def _account_check(account: Account | None, symbol: str) -> Check:
    if account is None:
        return Check("ACCOUNT", is_ok=False, text="the broker does not list this account under this login")
    try:
        check_account_class(traded_of(symbol), account.kind)
    except Refused as error:
        return Check("ACCOUNT", is_ok=error.code != ACCOUNT_CLASS, text=error.text)
    return Check("ACCOUNT", is_ok=True, text=f"{account.ref.name} is where {symbol} is traded")


def _asked(code: str, ask: Callable[[], object], passed: str) -> Check:
    try:
        ask()
    except Refused as error:
        return Check(code, is_ok=False, text=str(error))
    return Check(code, is_ok=True, text=passed)


def _compare(client: Client, access: Access, symbol: str) -> None:
    _book_of(access).check(client, traded_of(symbol), Priority.EXIT)


def _preview(client: Client, account: AccountRef, order: SubmitOrder) -> None:
    traded = traded_of(order.symbol)
    reference = None
    if orders.needs_reference(order):
        reference = reference_price(client, account, traded, order.side, Priority.ENTRY)
    client.write(limits.PREVIEW, orders.place_body(order, traded, reference), Priority.ENTRY)


def _listed(account: Account, access: Access) -> ListedAccount:
    return ListedAccount(
        account.ref,
        can_trade=is_tradable_class(account.kind),
        is_simulated=access.credentials.environment != "live",
        kind=account.kind,
    )


def _book_of(access: Access) -> ContractBook:
    return _books.setdefault(access.endpoints.rest_url, ContractBook())


FIELDS = (
    CredentialField("username", "App key", help_text="From Webull's developer portal, of the environment chosen here."),
    CredentialField("password", "App secret", is_secret=True),
)
VENUE = Venue(
    label="Webull",
    connect=connect,
    sign_in_check=sign_in_check,
    preflight=preflight,
    capabilities=FUTURES,
    fields=FIELDS,
    environments=("paper", "live", "sandbox"),
    endpoints=endpoints,
    limits=limits.LIMITS,
    order_endpoint=limits.PLACE,
    # The adapter looks every few seconds by itself: see `poll`.
    polls=Polls(after=30, every=15),
    syncs_itself=True,
    markets=("futures", "stocks", "options"),
    by_market={"stocks": STOCKS, "options": OPTIONS},
    automation_policy=(
        "Webull gives its OpenAPI to account holders for their own trading, with a key that its owner applies for and "
        "approves on the phone. It limits requests per key and may block addresses that keep exceeding the limits."
    ),
)
