"""What the product knows of a venue: how to sign in, what it can do, what it allows. Each venue's folder has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
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
class LossLimits:
    """What the venue itself allows an account to lose or win, whether or not we run. Positive dollars; None: no limit.

    `..._alert` only tells the owner, `..._liq_only` lets nothing be opened or added to, `..._auto_liq` closes all at
    once. A trailing drawdown counts from the highest worth, each moment's or each day's end's as `drawdown_mode` says,
    and its floor rises no higher than `drawdown_stops_at`.

    Percentages, `flattens_at` (a time at which all is closed) and `is_locked` (nobody may change the limits) are read
    and never set.
    """

    daily_loss_alert: Decimal | None = None
    daily_loss_liq_only: Decimal | None = None
    daily_loss_auto_liq: Decimal | None = None
    weekly_loss_auto_liq: Decimal | None = None
    daily_profit_auto_liq: Decimal | None = None
    weekly_profit_auto_liq: Decimal | None = None
    drawdown: Decimal | None = None
    drawdown_stops_at: Decimal | None = None
    drawdown_mode: str | None = None
    daily_loss_percent_alert: Decimal | None = None
    daily_loss_percent_liq_only: Decimal | None = None
    daily_loss_percent_auto_liq: Decimal | None = None
    flattens_at: datetime | None = None
    is_locked: bool = False


DOLLAR_LIMITS = (
    "daily_loss_alert",
    "daily_loss_liq_only",
    "daily_loss_auto_liq",
    "weekly_loss_auto_liq",
    "daily_profit_auto_liq",
    "weekly_profit_auto_liq",
    "drawdown",
    "drawdown_stops_at",
)
DRAWDOWN_MODES = ("EOD", "RealTime")
SETTABLE_LIMITS = (*DOLLAR_LIMITS, "drawdown_mode")
"""What of `LossLimits` a person may set; the rest is as the venue has it."""


class LossLimitsDesk(Protocol):
    """The venue's own loss limits of an account. Both block, ask the venue and raise a `brokers.errors.BrokerError`."""

    def read(self, access: Access, account: AccountRef) -> LossLimits: ...

    def write(self, access: Access, account: AccountRef, limits: LossLimits) -> LossLimits:
        """Have these `SETTABLE_LIMITS`, leave all else as it is, and say what the venue has afterwards.

        Safe to repeat. Raises `Refused("LIMITS_LOCKED")` where nobody may change them.
        """


@dataclass(frozen=True, slots=True)
class Polls:
    """When a lane asks for an account's books by itself, all in seconds.

    Only while its connection is not live and nothing was heard of the account for `after`: an adapter that looks by
    itself has its time first. Then one account of a login every `every`, which is what the venue's limits leave.
    """

    after: float = 5.0
    every: float = 5.0


@dataclass(frozen=True, slots=True)
class Venue:
    """`sign_in_check` and `preflight` block, ask the venue and raise a `brokers.errors.BrokerError`.

    `sign_in_check` names the login's accounts: `AuthFailed` when it is refused. `preflight` asks whether an account
    can trade a symbol now; a question that the venue answered with no is a `Check`, not an error. `endpoints` turns an
    environment and the login's settings into addresses, where the installation names none.

    `order_endpoint` is what the adapter spends for an order, where `limits` count by name. With `sends_in_bursts` all
    orders of a moment go out together, however many they are. A venue that `has_own_threads` works on them at once,
    others write in the lane's loop. `backend` is another venue whose servers these are. `loss_limits` None: the venue
    has none of its own. One that `syncs_itself` reads all books every minute while it is live, without being asked, and
    tells them as a sync.
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
    loss_limits: LossLimitsDesk | None = None
    polls: Polls = Polls()
    syncs_itself: bool = False


@dataclass(frozen=True, slots=True)
class ComingVenue:
    """A venue that the picker shows and nothing can connect to yet."""

    label: str
    markets: tuple[str, ...]
    why: str
