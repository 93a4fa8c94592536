"""The paper venue as `brokers.registry` names it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from brokers.access import Access, Endpoints
from brokers.base import AccountRef, Capabilities, Connection, Sink
from brokers.paper.connection import PaperConnection, PaperLogin, utc_now
from brokers.paper.floor import Floor
from brokers.paper.house import HOUSE
from brokers.paper.listings import listing_of
from brokers.paper.terms import INITIAL, terms_of
from brokers.quotes.quote import SANDBOX, source_of
from brokers.streams import StreamLoop
from brokers.venue import Check, CredentialField, ListedAccount, Venue

NAME = "paper"
LONGEST_NAME = 64
CAPABILITIES = Capabilities(
    native_brackets=True,
    native_multi_bracket=True,
    native_oco=True,
    modifies_orders=True,
    enforces_unique_client_ids=True,
    streams_reports=True,
)

# Nothing of it is anywhere but in this process.
_ENDPOINTS = Endpoints("paper:", "paper:")
_floor = Floor(HOUSE)


def endpoints(_environment: str, _settings: Mapping[str, str]) -> Endpoints | None:
    return _ENDPOINTS


def connect(login_id: UUID, access: Access, sink: Sink, _loop: StreamLoop) -> Connection:
    """Raises `Refused` for settings that say nothing."""
    source = source_of(NAME, access.credentials.environment)
    login = PaperLogin(login_id, account_of(access), terms_of(access.credentials), source)
    return PaperConnection(login, HOUSE.books(login_id), _floor, sink)


def account_of(access: Access) -> AccountRef:
    """Its one account, the same at every sign-in of the login."""
    credentials = access.credentials
    return AccountRef(f"PAPER-{credentials.device_id[:12]}", credentials.username[:LONGEST_NAME])


def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
    """Its one account. Raises `Refused` for settings that say nothing."""
    terms_of(access.credentials)
    return (ListedAccount(account_of(access), is_simulated=True, kind="PAPER"),)


def preflight(access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
    """Whether the contract is listed, and whether anybody tells its price."""
    is_ours = account.broker_id == account_of(access).broker_id
    now = utc_now()
    listing = listing_of(symbol, now.date())
    is_listed = listing is not None and listing.last_trade >= now.date()
    quote = HOUSE.quotes([symbol], source_of(NAME, access.credentials.environment)).get(symbol)
    is_quoted = quote is not None and quote.is_fresh(now)
    without = "nobody tells its price right now: an order asks for it, and is refused when none comes"
    return (
        Check("SIGN_IN", is_ok=True, text="paper accounts need no sign-in"),
        Check("ACCOUNT", is_ok=is_ours, text="the account is open" if is_ours else "this login has another account"),
        Check("CONTRACT", is_ok=is_listed, text=f"{symbol} is listed" if is_listed else f"{symbol} is not listed"),
        Check("QUOTES", is_ok=is_quoted, text="its price is known" if is_quoted else without),
    )


FIELDS = (
    CredentialField("username", "Account name"),
    CredentialField("balance", "Starting balance, $", is_required=False, initial=INITIAL["balance"]),
    CredentialField(
        "commission",
        "Commission, $",
        is_required=False,
        initial=INITIAL["commission"],
        help_text="For each contract bought or sold.",
    ),
    CredentialField(
        "slippage_ticks",
        "Slippage, ticks",
        is_required=False,
        initial=INITIAL["slippage_ticks"],
        help_text="By how much market and stop orders are filled worse than the quote.",
    ),
)
VENUE = Venue(
    label="Paper",
    connect=connect,
    sign_in_check=sign_in_check,
    preflight=preflight,
    capabilities=CAPABILITIES,
    sends_in_bursts=True,
    fields=FIELDS,
    environments=("demo", SANDBOX),
    endpoints=endpoints,
    automation_policy="Orders never leave this installation.",
)
