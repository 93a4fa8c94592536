"""ProjectX as `brokers.registry` names it."""

from __future__ import annotations

from uuid import UUID

from brokers.access import Access, Limit, Priority
from brokers.base import AccountRef, Capabilities, Connection, Sink
from brokers.errors import BrokerError, RateLimited, Refused
from brokers.projectx.adapter import ProjectXConnection
from brokers.projectx.auth import Auth
from brokers.projectx.book import ref_of
from brokers.projectx.client import HISTORY, OTHER, Client, Wire
from brokers.projectx.contracts import ContractBook
from brokers.projectx.evidence import accounts_of
from brokers.projectx.firms import DEFAULT_FIRM, FIRMS, endpoints
from brokers.projectx.types import Account
from brokers.streams import StreamLoop
from brokers.venue import Check, CredentialField, ListedAccount, Polls, Venue

CAPABILITIES = Capabilities(
    native_brackets=True,
    native_multi_bracket=False,
    native_oco=False,
    modifies_orders=True,
    enforces_unique_client_ids=True,
    streams_reports=True,
    trailing_stops=True,
)
LIMITS = (
    Limit("login", 200, 60.0, frozenset({OTHER})),
    Limit("login", 50, 30.0, frozenset({HISTORY})),
)
AUTOMATION_POLICY = (
    "Topstep lets you send orders by API from your own computer only: no VPS, no VPN, no other remote server, and no "
    "high-frequency trading. API orders are final, and a Live Funded Account may not use the API. Other firms on "
    "ProjectX have rules of their own. You answer for keeping them: run this on your own device, and ask your firm "
    "before you connect an account."
)

# Contract ids are the host's, not the login's: what one login learned, all know.
_books: dict[str, ContractBook] = {}


def connect(login_id: UUID, access: Access, sink: Sink, loop: StreamLoop) -> Connection:
    return ProjectXConnection(login_id, access, sink, loop, _book_of(access))


def sign_in_check(access: Access) -> tuple[ListedAccount, ...]:
    """The login's active accounts, and which of them the firm lets trade."""
    return tuple(_listed(account) for account in accounts_of(_client(access), Priority.ENTRY))


def preflight(access: Access, account: AccountRef, symbol: str) -> tuple[Check, ...]:
    """Whether the login signs in, the account may trade, the contract is the one we mean, and requests are left.

    Whether the account takes brackets is a switch on the firm's platform that only an order with one can tell.
    """
    client = _client(access)
    try:
        accounts = accounts_of(client, Priority.ENTRY)
    except (Refused, RateLimited) as error:
        return (Check("SIGN_IN", is_ok=False, text=str(error)),)
    return (
        Check("SIGN_IN", is_ok=True, text="the venue signs this login in"),
        _account_check(accounts, account),
        _contract_check(_book_of(access), client, symbol),
        _budget_check(access),
    )


def _account_check(accounts: tuple[Account, ...], wanted: AccountRef) -> Check:
    found = next((account for account in accounts if str(account.id) == wanted.broker_id), None)
    if found is None:
        return Check("ACCOUNT", is_ok=False, text="the venue does not list the account as active")
    if not found.can_trade:
        return Check("ACCOUNT", is_ok=False, text="the firm has locked the account: it may not trade now")
    if not found.is_visible:
        return Check("ACCOUNT", is_ok=False, text="the account is hidden on the firm's platform")
    kind = "simulated" if found.is_simulated else "live money"
    return Check("ACCOUNT", is_ok=True, text=f"the account may trade ({kind})")


def _contract_check(book: ContractBook, client: Client, symbol: str) -> Check:
    try:
        contract = book.resolve(client, symbol, Priority.ENTRY)
    except BrokerError as error:
        return Check("CONTRACT", is_ok=False, text=str(error))
    text = f"the venue lists {contract.name} as {contract.id}, {contract.tick} worth ${contract.tick_value}"
    return Check("CONTRACT", is_ok=True, text=text)


def _budget_check(access: Access) -> Check:
    try:
        access.budget.spend(Priority.ENTRY, OTHER, 0)
    except RateLimited as error:
        return Check("BUDGET", is_ok=False, text=f"no requests left until {error.until:%H:%M:%S} UTC")
    return Check("BUDGET", is_ok=True, text="the venue's request limit leaves room for an order")


def _listed(account: Account) -> ListedAccount:
    can_trade = account.can_trade and account.is_visible
    return ListedAccount(ref_of(account), can_trade=can_trade, is_simulated=account.is_simulated)


def _client(access: Access) -> Client:
    wire = Wire(access.endpoints.rest_url, access.budget)
    return Client(wire, Auth(access.credentials, wire, access.store))


def _book_of(access: Access) -> ContractBook:
    return _books.setdefault(access.endpoints.rest_url, ContractBook())


_ADDRESS_HELP = "Only for a firm that is not in the list."
FIELDS = (
    CredentialField("firm", "Firm", choices=FIRMS, initial=DEFAULT_FIRM),
    CredentialField("username", "Username"),
    CredentialField(
        "password",
        "API key",
        is_secret=True,
        help_text="Made in the platform's settings under API; it needs the firm's API subscription.",
    ),
    CredentialField("rest_url", "API address", is_required=False, help_text=_ADDRESS_HELP),
    CredentialField("ws_url", "User hub address", is_required=False, help_text=_ADDRESS_HELP),
    CredentialField("md_url", "Market hub address", is_required=False, help_text=_ADDRESS_HELP),
)
VENUE = Venue(
    label="ProjectX (TopstepX)",
    connect=connect,
    sign_in_check=sign_in_check,
    preflight=preflight,
    capabilities=CAPABILITIES,
    fields=FIELDS,
    environments=("live", "demo", "sandbox"),
    endpoints=endpoints,
    limits=LIMITS,
    order_endpoint=OTHER,
    # While the hub is away the adapter reads the books itself, as often as the venue allows: see `adapter`.
    polls=Polls(after=30, every=10),
    automation_policy=AUTOMATION_POLICY,
)
