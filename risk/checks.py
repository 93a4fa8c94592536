"""Pre-trade checks in one visible order: the first deny wins and says what was had and what the limit is. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

STALE_AFTER = timedelta(seconds=30)
STALE = "STALE"
MAX_ORDER_CONTRACTS = 1000
"""The platform's own limit, whatever a recorder or trader allows: an order for more is a mistake."""
MAX_CLOCK_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Denial:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one intent at the moment of the check. `is_entry` intents add exposure, others only reduce.

    `venue_lacks` names what its exits ask of a venue that cannot do it; "" when there is nothing.
    """

    is_entry: bool
    qty: int
    expires_at: datetime | None
    owner_is_active: bool
    owner_is_approved: bool
    trader_is_enabled: bool
    account_is_enabled: bool
    login_is_enabled: bool
    has_credentials: bool
    login_state: str
    login_detail: str
    environment_is_configured: bool
    venue_lacks: str = ""


def expiry_of(received_at: datetime, fired_at: datetime | None) -> datetime:
    """When an entry becomes stale: 30 s after the alert's own time if that is sane, else after its receipt.

    An alert time in the future beyond the allowed clock skew is not believed.
    """
    if fired_at is None or fired_at > received_at + MAX_CLOCK_SKEW:
        return received_at + STALE_AFTER
    return min(fired_at, received_at) + STALE_AFTER


def _owner(facts: Facts, _now: datetime) -> Denial | None:
    if not facts.owner_is_active:
        return Denial("OWNER_DISABLED", "the owner's user account is switched off")
    if not facts.owner_is_approved:
        return Denial("OWNER_NOT_APPROVED", "the owner's user account is not approved for trading yet")
    return None


def _switches(facts: Facts, _now: datetime) -> Denial | None:
    if not facts.trader_is_enabled:
        return Denial("TRADER_DISABLED", "the trader is switched off")
    if not facts.account_is_enabled:
        return Denial("ACCOUNT_DISABLED", "the broker account is switched off")
    if not facts.login_is_enabled:
        return Denial("LOGIN_DISABLED", "the broker login is switched off")
    return None


def _credentials(facts: Facts, _now: datetime) -> Denial | None:
    if not facts.environment_is_configured:
        return Denial("MISSING_ENDPOINT", "no address is configured for this broker and environment")
    if not facts.has_credentials:
        return Denial("MISSING_CREDENTIALS", "the broker login has no stored credentials: connect it again")
    if facts.login_state == "failed":
        detail = facts.login_detail or "the broker refused the sign-in"
        return Denial("LOGIN_FAILED", f"{detail}: connect the broker login again")
    return None


def _freshness(facts: Facts, now: datetime) -> Denial | None:
    if facts.is_entry and facts.expires_at is not None and now > facts.expires_at:
        late = (now - facts.expires_at).total_seconds()
        return Denial(STALE, f"age: had {STALE_AFTER.seconds + late:.1f} s, limit {STALE_AFTER.seconds} s")
    return None


def _quantity(facts: Facts, _now: datetime) -> Denial | None:
    if facts.is_entry and not 1 <= facts.qty <= MAX_ORDER_CONTRACTS:
        return Denial("ORDER_QTY", f"quantity: had {facts.qty}, limit 1 to {MAX_ORDER_CONTRACTS}")
    return None


def _capability(facts: Facts, _now: datetime) -> Denial | None:
    if facts.venue_lacks:
        return Denial("VENUE_CAPABILITY", f"this broker has no {facts.venue_lacks}: choose other exits for it")
    return None


CHECKS: tuple[Callable[[Facts, datetime], Denial | None], ...] = (
    _owner,
    _switches,
    _credentials,
    _freshness,
    _quantity,
    _capability,
)
# An exit must get through even when the owner is no longer allowed to open anything; only what makes it impossible
# to reach the broker stops it.
EXIT_CHECKS: tuple[Callable[[Facts, datetime], Denial | None], ...] = (_credentials,)


def check(facts: Facts, now: datetime) -> Denial | None:
    """The first denial in order, or None when the intent is cleared."""
    for one in CHECKS if facts.is_entry else EXIT_CHECKS:
        denial = one(facts, now)
        if denial is not None:
            return denial
    return None
