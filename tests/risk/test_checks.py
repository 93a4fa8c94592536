"""One visible order: the first deny wins; an exit gets through everything but the impossible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from risk.around import Around, Collar, Count, Denial, Lock, Market, Room, Tripped, Watch
from risk.checks import CHECKS, MAX_ORDER_CONTRACTS, SILENT_AFTER_S, STALE_AFTER, Facts, check, expiry_of

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
WATCHED = Watch(0.5)
D = Decimal
FAULTS: dict[str, dict[str, Any]] = {
    "KILL_SWITCH": {"tripped": Tripped("this account", "Halt", "too many losses")},
    "OWNER_DISABLED": {"owner_is_active": False},
    "OWNER_NOT_APPROVED": {"owner_is_approved": False},
    "TRADER_DISABLED": {"trader_is_enabled": False},
    "ACCOUNT_DISABLED": {"account_is_enabled": False},
    "LOGIN_DISABLED": {"login_is_enabled": False},
    "ACCOUNT_CANNOT_TRADE": {"account_can_trade": False},
    "MISSING_ENDPOINT": {"environment_is_configured": False},
    "MISSING_CREDENTIALS": {"has_credentials": False},
    "LOGIN_FAILED": {"login_state": "failed"},
    "RISK_LOCK": {
        "lock": Lock(NOW + timedelta(hours=1), "daily loss: had -$512.00, limit -$500.00", "-$512.00", "-$500.00")
    },
    "BOOKS_DIFFER": {"paused_by": "MNQZ6: ours +2, theirs +3"},
    "LOGIN_NOT_LIVE": {"login_state": "connecting", "watch": WATCHED},
    "MONITOR_SILENT": {"watch": Watch(SILENT_AFTER_S + 1.0)},
    "STALE": {"expires_at": NOW - timedelta(seconds=1.5)},
    "SESSION_CLOSED": {"market": Market("MNQZ6", is_open=False)},
    "CONTRACT_ENDED": {"market": Market("MNQU6", is_open=True, ended_on=date(2026, 9, 18))},
    "SYMBOL_NOT_ALLOWED": {"trades_symbol": False},
    "ORDER_QTY": {"qty": MAX_ORDER_CONTRACTS + 1},
    "MAX_CONTRACTS": {"contracts": (Count("contracts of this account", 6, 5),)},
    "MAX_POSITIONS": {"positions": (Count("open positions of this account", 3, 2),)},
    "PRICE_COLLAR": {"collar": Collar(D(20_000), D(25_000), D(5))},
    "WORKING_ORDERS": {"working_orders": (Count("working orders of this account", 51, 50),)},
    "ORDER_RATE": {"rates": (Count("entries of this account in a minute", 121, 120),)},
    "NO_ROOM": {"rooms": (Room("daily loss", "-$501.00", "-$500.00", is_used_up=True),)},
    "PACK_FLOOR": {"pack": Denial("PACK_FLOOR", "this stop would cross your floor by $140.00", "$640.00", "$500.00")},
    "VENUE_CAPABILITY": {"venue_lacks": "trailing stops"},
    "NO_REQUESTS_LEFT": {"silent_until": NOW + timedelta(minutes=10)},
}
STOPS_AN_EXIT = {"MISSING_ENDPOINT", "MISSING_CREDENTIALS", "LOGIN_FAILED"}
OF_AROUND = frozenset(Around.__dataclass_fields__)
SAME_CHECK = {frozenset({"LOGIN_FAILED", "LOGIN_NOT_LIVE"}), frozenset({"LOGIN_NOT_LIVE", "MONITOR_SILENT"}),
              frozenset({"SESSION_CLOSED", "CONTRACT_ENDED"})}  # fmt: skip
"""Faults in the same fact: one cannot have both."""


def with_faults(*codes: str, **more: Any) -> Facts:
    stated = {name: value for code in codes for name, value in FAULTS[code].items()} | more
    around = Around(**{name: value for name, value in stated.items() if name in OF_AROUND})
    return replace(GOOD, around=around, **{name: value for name, value in stated.items() if name not in OF_AROUND})


def code_of(facts: Facts) -> str | None:
    denial = check(facts, NOW)
    return None if denial is None else denial.code


def test_nothing_against_it() -> None:
    assert check(GOOD, NOW) is None


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_denied_by_its_code(code: str) -> None:
    denial = check(with_faults(code), NOW)
    assert denial is not None
    assert (denial.code, denial.text != "") == (code, True)


def test_the_first_deny_wins() -> None:
    pairs = [pair for pair in combinations(FAULTS, 2) if frozenset(pair) not in SAME_CHECK]
    assert {pair: code_of(with_faults(*pair)) for pair in pairs} == {pair: pair[0] for pair in pairs}


def test_every_code_stands_in_the_order_that_is_shown() -> None:
    shown = [code for one in CHECKS for code in one.codes]
    assert len(shown) == len(set(shown))
    assert set(shown) == set(FAULTS) - {"PACK_FLOOR"}
    assert [one.name for one in CHECKS if not one.codes] == ["rule pack"]


@pytest.mark.parametrize("code", FAULTS)
def test_an_exit_is_stopped_only_where_the_broker_cannot_be_reached(code: str) -> None:
    expected = code if code in STOPS_AN_EXIT else None
    assert code_of(with_faults(code, is_entry=False)) == expected


@pytest.mark.parametrize("state", ["connecting", "live", "stale", "down"])
def test_a_login_that_only_is_not_up_right_now_is_a_reason_only_where_limits_are_watched(state: str) -> None:
    assert code_of(replace(GOOD, login_state=state)) is None
    expected = None if state == "live" else "LOGIN_NOT_LIVE"
    assert code_of(with_faults(login_state=state, watch=WATCHED)) == expected


TEXTS = {
    "KILL_SWITCH": ("the kill switch is on for this account: too many losses", "Halt",
                    "no entries until it is released"),
    "RISK_LOCK": ("locked until Mon 23 Nov 15:35 UTC: daily loss: had -$512.00, limit -$500.00", "-$512.00",
                  "-$500.00"),
    "MONITOR_SILENT": ("nobody watches the limits of this account: had silent for 11 s, limit 10 s", "silent for 11 s",
                       "10 s"),
    "STALE": ("age: had 31.5 s, limit 30 s", "31.5 s", "30 s"),
    "CONTRACT_ENDED": ("MNQU6 is over: it could be opened until 18 Sep 2026", "MNQU6", "until 18 Sep 2026"),
    "ORDER_QTY": ("quantity: had 1001, limit 1 to 1000", "1001", "1 to 1000"),
    "MAX_CONTRACTS": ("contracts of this account: had 6, limit 5", "6", "5"),
    "PRICE_COLLAR": ("limit price: had 20000, 20.0 % from the last price of 25000, limit 5 %",
                     "20000, 20.0 % from the last price of 25000", "5 %"),
    "ORDER_RATE": ("entries of this account in a minute: had 121, limit 120", "121", "120"),
    "NO_ROOM": ("daily loss: had -$501.00, limit -$500.00", "-$501.00", "-$500.00"),
    "PACK_FLOOR": ("this stop would cross your floor by $140.00", "$640.00", "$500.00"),
}  # fmt: skip


@pytest.mark.parametrize("code", TEXTS)
def test_denials_say_in_words_what_was_had_and_the_limit(code: str) -> None:
    denial = check(with_faults(code), NOW)
    assert denial is not None
    assert (denial.text, denial.had, denial.limit) == TEXTS[code]


def test_a_failed_sign_in_is_told_in_the_brokers_words() -> None:
    failed = check(replace(GOOD, login_state="failed", login_detail="Wrong password"), NOW)
    assert failed is not None and failed.text == "Wrong password: connect the broker login again"


JUST_ALLOWED: list[dict[str, Any]] = [
    {"watch": Watch(float(SILENT_AFTER_S))},
    {"market": Market("MNQZ6", is_open=True)},
    {"contracts": (Count("", 5, 5),), "positions": (Count("", 2, 2),), "working_orders": (Count("", 50, 50),)},
    {"rates": (Count("", 120, 120), Count("", 60, 60))},
    {"collar": Collar(D(26_250), D(25_000), D(5))},
    {"collar": Collar(D(23_750), D(25_000), D(5))},
    {"rooms": (Room("daily loss", "-$499.99", "-$500.00", is_used_up=False),)},
]


@pytest.mark.parametrize("around", JUST_ALLOWED, ids=" ".join)
def test_what_is_just_at_its_limit_passes(around: dict[str, Any]) -> None:
    assert code_of(with_faults(**around)) is None


@pytest.mark.parametrize("price", ["26250.25", "23749.75", "0", "-37"])
def test_a_price_beyond_the_collar_is_denied(price: str) -> None:
    assert code_of(with_faults(collar=Collar(D(price), D(25_000), D(5)))) == "PRICE_COLLAR"


def test_a_room_that_nobody_knows_lets_nothing_in_whatever_else_there_is() -> None:
    rooms = (Room("daily loss", "-$501.00", "-$500.00", is_used_up=True),
             Room("weekly loss", "not known", "not known", is_used_up=False, is_known=False))  # fmt: skip
    denial = check(with_faults(watch=WATCHED, rooms=rooms), NOW)
    assert denial is not None and (denial.code, denial.had) == ("MONITOR_SILENT", "weekly loss not known")


def test_a_monitor_that_never_looked_watches_nothing() -> None:
    denial = check(with_faults(watch=Watch(None)), NOW)
    assert denial is not None and (denial.code, denial.had) == ("MONITOR_SILENT", "never looked")


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
