"""Pre-trade checks in one visible order: the first deny wins and says what was had and what the limit is. Pure.

Duplicates are not looked for here: the database takes an intent's key once. Neither is margin, which no venue tells
us beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from risk.around import NOTHING, Around, Count, Denial

__all__ = ["CHECKS", "ORDER_RATE", "STALE", "STALE_AFTER", "Check", "Denial", "Facts", "check", "expiry_of"]

STALE_AFTER = timedelta(seconds=30)
STALE, ORDER_RATE = "STALE", "ORDER_RATE"
MAX_ORDER_CONTRACTS = 1000
"""The platform's own limit, whatever a recorder or trader allows: an order for more is a mistake."""
MAX_CLOCK_SKEW = timedelta(seconds=5)
SILENT_AFTER_S = 10
"""A monitor that has not looked at an account for so long cannot be relied on to end its losses."""


# Not frozen: five hundred are made while an order waits, and a frozen one takes three times as long.
@dataclass(slots=True)
class Facts:
    """What is known of one intent at the moment of the check. `is_entry` intents add exposure, others only reduce.

    `venue_lacks` names what its exits ask of a venue that cannot do it; "" when there is nothing. `around` is what
    lies beyond the follower's own rows.
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
    account_can_trade: bool = True
    trades_symbol: bool = True
    venue_lacks: str = ""
    around: Around = NOTHING


def expiry_of(received_at: datetime, fired_at: datetime | None) -> datetime:
    """When an entry becomes stale: 30 s after the alert's own time if that is sane, else after its receipt.

    An alert time in the future beyond the allowed clock skew is not believed.
    """
    if fired_at is None or fired_at > received_at + MAX_CLOCK_SKEW:
        return received_at + STALE_AFTER
    return min(fired_at, received_at) + STALE_AFTER


def _kill_switch(facts: Facts, _now: datetime) -> Denial | None:
    tripped = facts.around.tripped
    if tripped is None:
        return None
    text = f"the kill switch is on for {tripped.whose}: {tripped.reason}"
    return Denial("KILL_SWITCH", text, tripped.mode, "no entries until it is released")


def _entitlement(facts: Facts, _now: datetime) -> Denial | None:
    """What the owner is allowed to do at all; plans that are paid for will be asked about here."""
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
    if not facts.account_can_trade:
        return Denial("ACCOUNT_CANNOT_TRADE", "the broker says that this account may not trade")
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


def _lock(facts: Facts, _now: datetime) -> Denial | None:
    lock = facts.around.lock
    if lock is None:
        return None
    text = f"locked until {lock.until:%a %d %b %H:%M} UTC: {lock.text}"
    return Denial("RISK_LOCK", text, lock.had, lock.limit)


def _break(facts: Facts, _now: datetime) -> Denial | None:
    paused_by = facts.around.paused_by
    if not paused_by:
        return None
    text = f"our books and the broker's differ, so nothing is opened until that is settled: {paused_by}"
    return Denial("BOOKS_DIFFER", text, paused_by, "equal books")


def _watched(facts: Facts, _now: datetime) -> Denial | None:
    """Only where there are limits: without one, an entry may wait for its login to come back."""
    watch = facts.around.watch
    if watch is None:
        return None
    if facts.login_state != "live":
        text = f"the broker login is {facts.login_state}: the limits of this account cannot be watched"
        return Denial("LOGIN_NOT_LIVE", text, facts.login_state, "live")
    if watch.silent_s is None or watch.silent_s > SILENT_AFTER_S:
        had = "never looked" if watch.silent_s is None else f"silent for {watch.silent_s:.0f} s"
        text = f"nobody watches the limits of this account: had {had}, limit {SILENT_AFTER_S} s"
        return Denial("MONITOR_SILENT", text, had, f"{SILENT_AFTER_S} s")
    unknown = next((room for room in facts.around.rooms if not room.is_known), None)
    if unknown is not None:
        had = f"{unknown.name} not known"
        text = f"not all of the owner's accounts are watched: had {had}, limit {SILENT_AFTER_S} s"
        return Denial("MONITOR_SILENT", text, had, f"{SILENT_AFTER_S} s")
    return None


def _age(facts: Facts, now: datetime) -> Denial | None:
    if facts.expires_at is not None and now > facts.expires_at:
        late = (now - facts.expires_at).total_seconds()
        had, limit = f"{STALE_AFTER.seconds + late:.1f} s", f"{STALE_AFTER.seconds} s"
        return Denial(STALE, f"age: had {had}, limit {limit}", had, limit)
    return None


def _session(facts: Facts, _now: datetime) -> Denial | None:
    market = facts.around.market
    if market is None:
        return None
    if not market.is_open:
        return Denial("SESSION_CLOSED", f"{market.symbol} is not traded now", "closed", "the exchange's hours")
    if market.ended_on is not None:
        ended = f"{market.ended_on:%d %b %Y}"
        text = f"{market.symbol} is over: it could be opened until {ended}"
        return Denial("CONTRACT_ENDED", text, market.symbol, f"until {ended}")
    return None


def _symbol(facts: Facts, _now: datetime) -> Denial | None:
    return None if facts.trades_symbol else Denial("SYMBOL_NOT_ALLOWED", "this broker does not trade that contract")


def _quantity(facts: Facts, _now: datetime) -> Denial | None:
    if 1 <= facts.qty <= MAX_ORDER_CONTRACTS:
        return None
    had, limit = str(facts.qty), f"1 to {MAX_ORDER_CONTRACTS}"
    return Denial("ORDER_QTY", f"quantity: had {had}, limit {limit}", had, limit)


def _contracts(facts: Facts, _now: datetime) -> Denial | None:
    return _over("MAX_CONTRACTS", facts.around.contracts)


def _positions(facts: Facts, _now: datetime) -> Denial | None:
    return _over("MAX_POSITIONS", facts.around.positions)


def _collar(facts: Facts, _now: datetime) -> Denial | None:
    collar = facts.around.collar
    if collar is None or collar.off_percent <= collar.percent:
        return None
    had = f"{collar.price.normalize():f}, {collar.off_percent:.1f} % from the last price of {collar.last.normalize():f}"
    limit = f"{collar.percent.normalize():f} %"
    return Denial("PRICE_COLLAR", f"limit price: had {had}, limit {limit}", had, limit)


def _working_orders(facts: Facts, _now: datetime) -> Denial | None:
    return _over("WORKING_ORDERS", facts.around.working_orders)


def _rate(facts: Facts, _now: datetime) -> Denial | None:
    return _over(ORDER_RATE, facts.around.rates)


def _room(facts: Facts, _now: datetime) -> Denial | None:
    """The figures that the monitor last wrote down: also where it has not acted on them yet."""
    for room in facts.around.rooms:
        if room.is_used_up:
            return Denial("NO_ROOM", f"{room.name}: had {room.had}, limit {room.limit}", room.had, room.limit)
    return None


def _rule_pack(facts: Facts, _now: datetime) -> Denial | None:
    return facts.around.pack


def _capability(facts: Facts, _now: datetime) -> Denial | None:
    if facts.venue_lacks:
        text = f"this broker has no {facts.venue_lacks}: choose other exits for it"
        return Denial("VENUE_CAPABILITY", text, facts.venue_lacks, "what the broker can do")
    return None


def _requests(facts: Facts, _now: datetime) -> Denial | None:
    until = facts.around.silent_until
    if until is None:
        return None
    text = f"the broker may be asked for no entry before {until:%H:%M:%S} UTC, when this alert is too old"
    return Denial("NO_REQUESTS_LEFT", text, f"none until {until:%H:%M:%S} UTC", "one before the alert is too old")


def _over(code: str, counts: tuple[Count, ...]) -> Denial | None:
    for count in counts:
        if count.had > count.limit:
            text = f"{count.what}: had {count.had}, limit {count.limit}"
            return Denial(code, text, str(count.had), str(count.limit))
    return None


class Check(NamedTuple):
    """`codes` are the reasons that it gives; none stated: those of a rule pack."""

    name: str
    judge: Callable[[Facts, datetime], Denial | None]
    codes: frozenset[str] = frozenset()


def _check(name: str, judge: Callable[[Facts, datetime], Denial | None], *codes: str) -> Check:
    return Check(name, judge, frozenset(codes))


_REACHABLE = _check("credentials", _credentials, "MISSING_ENDPOINT", "MISSING_CREDENTIALS", "LOGIN_FAILED")
CHECKS: tuple[Check, ...] = (
    _check("kill switch", _kill_switch, "KILL_SWITCH"),
    _check("entitlement", _entitlement, "OWNER_DISABLED", "OWNER_NOT_APPROVED"),
    _check("switched on", _switches, "TRADER_DISABLED", "ACCOUNT_DISABLED", "LOGIN_DISABLED", "ACCOUNT_CANNOT_TRADE"),
    _REACHABLE,
    _check("not locked", _lock, "RISK_LOCK"),
    _check("books agree", _break, "BOOKS_DIFFER"),
    _check("limits are watched", _watched, "LOGIN_NOT_LIVE", "MONITOR_SILENT"),
    _check("age", _age, STALE),
    _check("session", _session, "SESSION_CLOSED", "CONTRACT_ENDED"),
    _check("symbol", _symbol, "SYMBOL_NOT_ALLOWED"),
    _check("quantity", _quantity, "ORDER_QTY"),
    _check("contracts held", _contracts, "MAX_CONTRACTS"),
    _check("open positions", _positions, "MAX_POSITIONS"),
    _check("price collar", _collar, "PRICE_COLLAR"),
    _check("working orders", _working_orders, "WORKING_ORDERS"),
    _check("order rate", _rate, ORDER_RATE),
    _check("room to lose", _room, "NO_ROOM"),
    _check("rule pack", _rule_pack),
    _check("what the broker can do", _capability, "VENUE_CAPABILITY"),
    _check("requests left", _requests, "NO_REQUESTS_LEFT"),
)
"""The order is a promise: the first denial is the reason that is told."""
EXIT_CHECKS: tuple[Check, ...] = (_REACHABLE,)
"""An exit must get through even when the owner is no longer allowed to open anything; only what makes it impossible to
reach the broker stops it."""


def check(facts: Facts, now: datetime) -> Denial | None:
    """The first denial in order, or None when the intent is cleared."""
    for one in CHECKS if facts.is_entry else EXIT_CHECKS:
        denial = one.judge(facts, now)
        if denial is not None:
            return denial
    return None
