"""The pre-trade checks of one intent, read for people: each in order, and the first denial with its figures."""

from __future__ import annotations

from dataclasses import dataclass

from execution.models import IntentKind, IntentStatus, OrderIntent
from risk.checks import CHECKS, EXIT_CHECKS
from risk.checks import Check as PreTradeCheck

NEVER_ASKED = frozenset({IntentKind.FLATTEN, IntentKind.PROTECT})
"""Kinds that no check may stop."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """`state` is `passed`, `denied` or `not_reached` (an earlier one denied)."""

    name: str
    state: str
    had: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """The pre-trade checks of one intent: `passed`, `denied` by one, or `not_asked` because it was declined before.

    `had` and `limit` are what the one that denied went by.
    """

    outcome: str
    code: str = ""
    text: str = ""
    had: str = ""
    limit: str = ""
    rows: tuple[CheckRow, ...] = ()


def check_of(intent: OrderIntent) -> Check:
    """Told by the row: what is sent late was cleared first, and asked about once more before it went."""
    asked = CHECKS if intent.kind == IntentKind.ENTRY else EXIT_CHECKS
    if intent.kind in NEVER_ASKED:
        asked = ()
    denied_by = _denied_by(intent, asked)
    if denied_by is not None:
        return Check(
            "denied", intent.reason_code, intent.reason_text, intent.reason_had, intent.reason_limit,
            _rows(intent, asked, denied_by),
        )  # fmt: skip
    if intent.cleared_at is not None:
        return Check("passed", rows=_rows(intent, asked, None))
    return Check("not_asked")


def _denied_by(intent: OrderIntent, asked: tuple[PreTradeCheck, ...]) -> PreTradeCheck | None:
    """None where it was not denied, or by the plan, or by what happened to it after it had been cleared."""
    if intent.status not in {IntentStatus.DENIED, IntentStatus.EXPIRED} or not intent.reason_code:
        return None
    by_code = next((check for check in asked if intent.reason_code in check.codes), None)
    if by_code is not None or intent.cleared_at is not None or _was_declined(intent):
        return by_code
    return next((check for check in asked if not check.codes), None)


def _was_declined(intent: OrderIntent) -> bool:
    """By the plan, so that it never came to the checks."""
    if intent.explanation is None:
        return True
    declined = intent.explanation.document.get("declined")
    return declined is not None and declined["code"] == intent.reason_code


def _rows(
    intent: OrderIntent, asked: tuple[PreTradeCheck, ...], denied_by: PreTradeCheck | None
) -> tuple[CheckRow, ...]:
    rows, state = [], "passed"
    for check in asked:
        if check is denied_by:
            rows.append(CheckRow(check.name, "denied", intent.reason_had, intent.reason_limit))
            state = "not_reached"
        else:
            rows.append(CheckRow(check.name, state))
    return tuple(rows)
