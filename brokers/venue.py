"""What the product knows of a venue: how to sign in, what it can do, what it allows. Each venue's folder has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from brokers.access import Access, Endpoints, Limit
from brokers.base import AccountRef, Capabilities, Connection, Sink
from brokers.streams import StreamLoop

Connect = Callable[[UUID, Access, Sink, StreamLoop], Connection]
"""Makes a login's connection, not started."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account as the venue lists it. `is_simulated` None: the venue does not say, its environment does.

    `kind` is the venue's own class of account where it has several (Webull: FUTURES, INDIVIDUAL_MARGIN, ...).
    """

    ref: AccountRef
    can_trade: bool = True
    is_simulated: bool | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question of a pre-flight and the venue's answer, in the owner's words."""

    code: str
    is_ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class CredentialField:
    """Something a person types to connect: `username`, a secret by its name in `Credentials.secrets`, or a setting."""

    name: str
    label: str
    is_secret: bool = False
    is_required: bool = True
    help_text: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    initial: str = ""


class OAuthFlow(Protocol):
    """Connecting through the venue's own sign-in page: authorization code with PKCE (RFC 7636, S256).

    `access.oauth` is the client that this installation is registered as; `access.credentials` has no secrets, and no
    username before the exchange. What a lane needs to stay signed in (the refresh token) is in the store's token.
    """

    def authorize_url(self, access: Access, state: str, redirect_uri: str, code_challenge: str) -> str:
        """Where the browser goes. Asks nobody."""

    def exchange(self, access: Access, code: str, redirect_uri: str, code_verifier: str) -> str:
        """Trade a code for a token, which goes into the access's store; the venue's name of the user.

        Blocks. Raises a `BrokerError`, `AuthFailed` when the code is refused.
        """


@dataclass(frozen=True, slots=True)
class Venue:
    """`sign_in_check` and `preflight` block, ask the venue and raise a `brokers.errors.BrokerError`.

    `sign_in_check` names the login's accounts: `AuthFailed` when it is refused. `preflight` asks whether an account
    can trade a symbol now; a question that the venue answered with no is a `Check`, not an error. `endpoints` turns an
    environment and the login's settings into addresses, where the installation names none.

    `order_endpoint` is what the adapter spends for an order, where `limits` count by name. With `sends_in_bursts` all
    orders of a moment go out together, however many they are. A venue that `has_own_threads` works on them at once,
    others write in the lane's loop. `backend` is another venue whose servers these are.
    """

    label: str
    connect: Connect
    sign_in_check: Callable[[Access], tuple[ListedAccount, ...]]
    preflight: Callable[[Access, AccountRef, str], tuple[Check, ...]]
    capabilities: Capabilities
    fields: tuple[CredentialField, ...]
    environments: tuple[str, ...]
    endpoints: Callable[[str, Mapping[str, str]], Endpoints | None]
    limits: tuple[Limit, ...] = ()
    markets: tuple[str, ...] = ("futures",)
    automation_policy: str = ""
    oauth: OAuthFlow | None = None
    by_market: Mapping[str, Capabilities] = field(default_factory=dict)
    order_endpoint: str = ""
    sends_in_bursts: bool = False
    has_own_threads: bool = True
    backend: str = ""


@dataclass(frozen=True, slots=True)
class ComingVenue:
    """A venue that the picker shows and nothing can connect to yet."""

    label: str
    markets: tuple[str, ...]
    why: str
