"""Which faults this venue knows, and how its own are filed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from brokers.sandbox import faults
from brokers.sandbox.errors import BadFieldError
from brokers.sandbox.faults import Fault, FaultBook, Kinds
from brokers.sandbox.projectx.books import Account
from brokers.sandbox.projectx.codes import Login as LoginCode

SHARED = (
    "delay",
    "drop_after_accept",
    "drop_before_accept",
    "reject",
    "partial_fill",
    "token_expiry",
    "rate_limit",
    "silent_socket",
    "replay",
    "garbled",
    "events_before_reply",
    "shutdown",
    "refuse_connections",
    "hang",
)
LOGOUT, INACTIVE = "logout", "inactive"
BAD_LOGIN = "bad_login"
LOCKED_CODES = (4, 10)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= faults.LONGEST_WAIT_SECONDS:
        raise BadFieldError(name, f"was {value!r}, must be seconds between 0 and {faults.LONGEST_WAIT_SECONDS}")
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadFieldError(name, f"was {value!r}, must be true or false")
    return value


def _locked_code(name: str, value: object) -> int:
    if type(value) is not int or value not in LOCKED_CODES:
        raise BadFieldError(name, f"was {value!r}, must be 4 (AccountViolation) or 10 (AccountRejected)")
    return value


def _login_code(name: str, value: object) -> int:
    if type(value) is not int or value not in list(LoginCode):
        raise BadFieldError(
            name, f"was {value!r}, must be a code of Auth/loginKey, {min(LoginCode)} to {max(LoginCode)}"
        )
    return value


OWN: Kinds = {
    # Right credentials are refused with ``code``, until deleted.
    BAD_LOGIN: {"code": (int(LoginCode.INVALID_CREDENTIALS), _login_code)},
    # The reply leaves, and the hub's events follow this much later.
    "late_events": {"seconds": (0.5, _seconds)},
    # GatewayLogout on every hub connection, at once; the connections end with it unless told otherwise.
    LOGOUT: {"close": (True, _flag)},
    # 200 with empty arrays.
    "empty_lists": {},
    # The fill of one bracket leg leaves the other one working.
    "sibling_survives": {},
    # The account may not trade, until deleted; place answers ``code``.
    INACTIVE: {"code": (10, _locked_code)},
}
KINDS: Kinds = {name: faults.KINDS[name] for name in SHARED} | OWN


@dataclass(slots=True)
class ProjectXFaults(FaultBook):
    """``act`` hears of those faults that do something at once."""

    kinds: Kinds = field(default_factory=lambda: KINDS)
    act: Callable[[Fault], None] = lambda fault: None

    def add(self, fault: Fault) -> None:
        if fault.kind == LOGOUT:
            fault.taken += 1
        else:
            fault.left = None if fault.kind == INACTIVE else fault.left
            FaultBook.add(self, fault)
        if fault.kind in {LOGOUT, INACTIVE}:
            self.act(fault)

    def in_force(self, kind: str, account: Account) -> tuple[Fault, ...]:
        """Standing faults of a kind that concern an account, without using them up."""
        return tuple(fault for fault in self._faults if fault.kind == kind and concerns(fault, account))


def concerns(fault: Fault, account: Account) -> bool:
    if fault.account_id is not None:
        return fault.account_id == account.id
    return fault.username in (None, account.login.username)
