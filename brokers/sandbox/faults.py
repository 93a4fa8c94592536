"""Scripted misbehaviour of a venue, per account: parsing, matching and using up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brokers.sandbox.errors import BadFieldError

UNTIL_DELETED = frozenset({"delay", "refuse_connections", "bad_login"})
IMMEDIATE = frozenset({"token_expiry", "silent_socket", "replay", "shutdown", "position_lie"})
EVERY_ENDPOINT = "*"
ENTRY_LEG = "entry"
LONGEST_WAIT_SECONDS = 86_400
LONGEST_TEXT = 1000
HIGHEST_COUNT = 1_000_000
_MODES = ("sync", "async", "exchange")
_LEGS = (ENTRY_LEG, "target", "stop")
_SHUTDOWN_REASONS = ("Maintenance", "ConnectionQuotaReached", "IPQuotaReached")
Check = Callable[[str, object], Any]


@dataclass(slots=True)
class Fault:
    """``account_id`` and ``username`` None means every account; ``left`` None means until deleted."""

    id: int
    kind: str
    account_id: int | None
    username: str | None
    endpoint: str | None
    params: dict[str, Any]
    left: int | None
    taken: int = 0

    def as_dict(self) -> dict[str, Any]:
        account = self.account_id if self.account_id is not None else self.username
        return {
            "id": self.id,
            "kind": self.kind,
            "account": "*" if account is None else account,
            "endpoint": self.endpoint,
            "count": self.left,
            "taken": self.taken,
            **self.params,
        }


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_WAIT_SECONDS:
        raise BadFieldError(name, f"was {value!r}, must be a number of seconds between 0 and {LONGEST_WAIT_SECONDS}")
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadFieldError(name, f"was {value!r}, must be true or false")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise BadFieldError(name, f"was {value!r}, must be a text")
    return value


def _one_of(*choices: str) -> Check:
    def check(name: str, value: object) -> object:
        if value not in choices:
            raise BadFieldError(name, f"was {value!r}, must be one of {', '.join(choices)}")
        return value

    return check


def _parts(name: str, value: object) -> list[int]:
    if not isinstance(value, list) or not value or not all(type(part) is int and part > 0 for part in value):
        raise BadFieldError(name, f"was {value!r}, must be a list of quantities above 0")
    return value


_REQUIRED = object()
# Parameter name → (default, check) of each kind.
KINDS: dict[str, dict[str, tuple[Any, Check]]] = {
    "delay": {"seconds": (_REQUIRED, _number)},
    "drop_after_accept": {},
    "drop_before_accept": {},
    "reject": {
        "reason": ("UnknownReason", _text),
        "text": ("Rejected by the sandbox's script", _text),
        "mode": ("sync", _one_of(*_MODES)),
        "leg": (ENTRY_LEG, _one_of(*_LEGS)),
    },
    "partial_fill": {"parts": (_REQUIRED, _parts), "interval": (0.0, _number), "leg": (ENTRY_LEG, _one_of(*_LEGS))},
    "late_average": {"seconds": (_REQUIRED, _number)},
    "token_expiry": {"drop_sockets": (False, _flag)},
    "rate_limit": {},
    "penalty_ticket": {"seconds": (15.0, _number), "captcha": (False, _flag)},
    "silent_socket": {},
    "replay": {},
    "garbled": {},
    "events_before_reply": {},
    "shutdown": {"reasonCode": ("Maintenance", _one_of(*_SHUTDOWN_REASONS))},
    "refuse_connections": {},
    "bad_login": {},
    "hang": {},
}
_COMMON = {"account", "kind", "count", "endpoint"}


Kinds = dict[str, dict[str, tuple[Any, Check]]]


def parse_params(body: dict[str, Any], kinds: Kinds) -> tuple[str, dict[str, Any], str | None, int | None]:
    """(kind, params, endpoint, count) of a control request. Raises BadFieldError naming the field."""
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        raise BadFieldError("kind", f"was {kind!r}, must be one of {', '.join(kinds)}")
    unknown = set(body) - _COMMON - set(kinds[kind])
    if unknown:
        raise BadFieldError(min(unknown), f"no such parameter of {kind}")
    params = {}
    for name, (default, check) in kinds[kind].items():
        value = body.get(name, default)
        if value is _REQUIRED:
            raise BadFieldError(name, f"missing, required by {kind}")
        params[name] = check(name, value)
    endpoint = body.get("endpoint")
    if endpoint is not None:
        endpoint = _text("endpoint", endpoint).lower()
    count = body.get("count", None if kind in UNTIL_DELETED else 1)
    if count is not None and (type(count) is not int or not 0 < count <= HIGHEST_COUNT):
        raise BadFieldError("count", f"was {count!r}, must be null or a number above 0")
    return kind, params, endpoint, count


@dataclass(slots=True)
class FaultBook:
    """Faults in force, oldest first. ``kinds`` are those that the venue knows."""

    kinds: Kinds = field(default_factory=lambda: KINDS)

    _faults: list[Fault] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, body: dict[str, Any], account_id: int | None, username: str | None) -> Fault:
        """A parsed fault, not yet in force. Raises BadFieldError."""
        kind, params, endpoint, count = parse_params(body, self.kinds)
        return Fault(next(self._ids), kind, account_id, username, endpoint, params, count)

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def list(self) -> list[dict[str, Any]]:
        return [fault.as_dict() for fault in self._faults]

    def clear(self) -> None:
        self._faults.clear()

    def holds(self, kind: str, username: str | None) -> bool:
        """Whether a fault of this kind is in force for a login (or for everybody), without using it up."""
        return any(
            fault.kind == kind and (fault.account_id is None and fault.username in (None, username))
            for fault in self._faults
        )

    def take(
        self, kind: str, account: Any, endpoint: str | None = None, *, by_default: bool = True, **wanted: object
    ) -> Fault | None:
        """Use up the first matching fault. ``account`` is an account or a login; ``wanted`` are params it must have.

        ``endpoint`` None asks for faults of the engine, which are not bound to a request; ``by_default`` says whether
        a fault that names no endpoint concerns this one.
        """
        if not self._faults:
            return None
        for fault in self._faults:
            at = by_default if fault.endpoint is None else fault.endpoint in (EVERY_ENDPOINT, endpoint)
            if at and fault.kind == kind and _is_for(fault, account) and _has(fault, wanted):
                return self._use(fault)
        return None

    def _use(self, fault: Fault) -> Fault:
        fault.taken += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self._faults.remove(fault)
        return fault


def _is_for(fault: Fault, subject: Any) -> bool:
    if fault.account_id is None and fault.username is None:
        return True
    if subject is None:
        return False
    login = getattr(subject, "login", subject)
    if fault.username is not None:
        return bool(fault.username == login.username)
    if login is subject:
        return any(account.id == fault.account_id for account in login.accounts)
    return bool(subject.id == fault.account_id)


def _has(fault: Fault, wanted: dict[str, object]) -> bool:
    return all(fault.params.get(name) == value for name, value in wanted.items())
