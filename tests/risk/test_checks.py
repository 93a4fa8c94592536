"""One visible order: the first deny wins; an exit gets through everything but the impossible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from risk.checks import MAX_ORDER_CONTRACTS, STALE_AFTER, Facts, check, expiry_of

NOW = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)
GOOD = Facts(
    is_entry=True,
    qty=2,
    expires_at=NOW + timedelta(seconds=5),
    owner_is_active=True,
    owner_is_approved=True,
    trader_is_enabled=True,
    account_is_enabled=True,
    login_is_enabled=True,
    has_credentials=True,
    login_state="live",
    login_detail="",
    environment_is_configured=True,
)
FAULTS: dict[str, dict[str, object]] = {
    "OWNER_DISABLED": {"owner_is_active": False},
    "OWNER_NOT_APPROVED": {"owner_is_approved": False},
    "TRADER_DISABLED": {"trader_is_enabled": False},
    "ACCOUNT_DISABLED": {"account_is_enabled": False},
    "LOGIN_DISABLED": {"login_is_enabled": False},
    "MISSING_ENDPOINT": {"environment_is_configured": False},
    "MISSING_CREDENTIALS": {"has_credentials": False},
    "LOGIN_FAILED": {"login_state": "failed"},
    "STALE": {"expires_at": NOW - timedelta(seconds=1.5)},
    "ORDER_QTY": {"qty": MAX_ORDER_CONTRACTS + 1},
    "VENUE_CAPABILITY": {"venue_lacks": "trailing stops"},
}
STOPS_AN_EXIT = {"MISSING_ENDPOINT", "MISSING_CREDENTIALS", "LOGIN_FAILED"}


def code_of(facts: Facts) -> str | None:
    denial = check(facts, NOW)
    return None if denial is None else denial.code


def test_nothing_against_it() -> None:
    assert check(GOOD, NOW) is None


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_denied_by_its_code(code: str) -> None:
    denial = check(replace(GOOD, **FAULTS[code]), NOW)
    assert denial is not None
    assert (denial.code, denial.text != "") == (code, True)


@pytest.mark.parametrize(("first", "second"), list(combinations(FAULTS, 2)))
def test_the_first_deny_wins(first: str, second: str) -> None:
    assert code_of(replace(GOOD, **{**FAULTS[first], **FAULTS[second]})) == first


@pytest.mark.parametrize("code", FAULTS)
def test_an_exit_is_stopped_only_where_the_broker_cannot_be_reached(code: str) -> None:
    expected = code if code in STOPS_AN_EXIT else None
    assert code_of(replace(GOOD, is_entry=False, **FAULTS[code])) == expected


@pytest.mark.parametrize("state", ["connecting", "live", "stale", "down"])
def test_a_login_that_only_is_not_up_right_now_is_no_reason(state: str) -> None:
    assert code_of(replace(GOOD, login_state=state)) is None


def test_denials_say_what_was_had_and_the_limit() -> None:
    stale, quantity = check(replace(GOOD, **FAULTS["STALE"]), NOW), check(replace(GOOD, **FAULTS["ORDER_QTY"]), NOW)
    failed = check(replace(GOOD, login_state="failed", login_detail="Wrong password"), NOW)
    assert stale is not None and stale.text == "age: had 31.5 s, limit 30 s"
    assert quantity is not None and quantity.text == "quantity: had 1001, limit 1 to 1000"
    assert failed is not None and failed.text == "Wrong password: connect the broker login again"


@pytest.mark.parametrize(("qty", "code"), [(0, "ORDER_QTY"), (1, None), (1000, None), (1001, "ORDER_QTY")])
def test_quantity_limits(qty: int, code: str | None) -> None:
    assert code_of(replace(GOOD, qty=qty)) == code


def test_an_entry_goes_up_to_its_very_last_moment() -> None:
    assert code_of(replace(GOOD, expires_at=NOW)) is None
    assert code_of(replace(GOOD, expires_at=NOW - timedelta(microseconds=1))) == "STALE"


@pytest.mark.parametrize(
    ("fired_seconds_ago", "left"), [(None, 30), (0, 30), (10, 20), (40, -10), (-4, 30), (-6, 30), (-86_400, 30)]
)
def test_age_counts_from_the_alerts_own_time_unless_that_is_in_the_future(
    fired_seconds_ago: int | None, left: int
) -> None:
    fired_at = None if fired_seconds_ago is None else NOW - timedelta(seconds=fired_seconds_ago)
    assert expiry_of(NOW, fired_at) == NOW + timedelta(seconds=left)
    assert expiry_of(NOW, fired_at) <= NOW + STALE_AFTER
