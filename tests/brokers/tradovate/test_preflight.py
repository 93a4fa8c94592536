"""Asking whether an account can trade: each no in the owner's words, each doubt as an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brokers.access import Access, Credentials, Endpoints
from brokers.base import AccountRef
from brokers.errors import NotReached, OutcomeUnknown
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import closing_port
from tests.brokers.tradovate.purse import Purse
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.tradovate.trader import SYMBOL
from tests.brokers.tradovate.venue import ACCOUNT, Venue

ASKED = ["SIGN_IN", "ACCOUNT", "CONTRACT", "PERMISSION", "RISK", "BUDGET"]
Answers = dict[str, tuple[bool, str]]


@pytest.fixture
def account(sandbox: RunningSandbox) -> SandboxAccount:
    return sandbox.add_accounts(1)[0]


def answers(access: Access, account: AccountRef, symbol: str = SYMBOL) -> Answers:
    return {check.code: (check.is_ok, check.text) for check in VENUE.preflight(access, account, symbol)}


def at_sandbox(sandbox: RunningSandbox, account: SandboxAccount, symbol: str = SYMBOL, **changed: str) -> Answers:
    credentials = Credentials(
        "tradovate",
        changed.get("environment", "demo"),
        account.username,
        "device-1",
        {"password": changed.get("password", account.password)},
    )
    access = Access(credentials, Endpoints(sandbox.rest_url, sandbox.ws_url))
    return answers(access, AccountRef(changed.get("account_id", str(account.id)), account.name), symbol)


def at_venue(venue: Venue, **changed: object) -> Answers:
    credentials = Credentials("tradovate", "demo", "trader1", "device-1", {"password": "pw"})
    access = Access(credentials, Endpoints(venue.rest_server.url, venue.socket.url), **changed)  # type: ignore[arg-type]
    return answers(access, ACCOUNT)


def test_an_account_that_can_trade_passes_every_question(sandbox: RunningSandbox, account: SandboxAccount) -> None:
    found = at_sandbox(sandbox, account)
    assert list(found) == ASKED
    assert {is_ok for is_ok, _ in found.values()} == {True}
    assert sandbox.account_state(account.id)["orders"] == 0


def test_a_refused_password_is_an_answer(sandbox: RunningSandbox, account: SandboxAccount) -> None:
    """H4"""
    found = at_sandbox(sandbox, account, password="no")
    assert list(found) == ["SIGN_IN", "BUDGET"]
    assert found["SIGN_IN"][0] is False
    assert "Incorrect username" in found["SIGN_IN"][1]


def test_an_account_that_the_login_does_not_have_is_named(sandbox: RunningSandbox, account: SandboxAccount) -> None:
    found = at_sandbox(sandbox, account, account_id="1")
    assert found["ACCOUNT"] == (False, "the broker says that this account is not open")


def test_an_unknown_symbol_is_named(sandbox: RunningSandbox, account: SandboxAccount) -> None:
    """E5"""
    found = at_sandbox(sandbox, account, "XXZ6")
    assert found["CONTRACT"][0] is False
    assert "XXZ6" in found["CONTRACT"][1]
    assert "RISK" not in found


@pytest.mark.parametrize(("environment", "speaks_of_device"), [("demo", False), ("live", True)])
def test_a_401_without_a_word_is_a_missing_permission(
    sandbox: RunningSandbox, account: SandboxAccount, environment: str, *, speaks_of_device: bool
) -> None:
    sandbox.fault(account.username, "status", status=401, endpoint="account/list", count=2)
    found = at_sandbox(sandbox, account, environment=environment)
    assert found["PERMISSION"][0] is False
    assert "permission" in found["PERMISSION"][1]
    assert ("device" in found["PERMISSION"][1]) is speaks_of_device
    assert "CONTRACT" not in found


def test_a_login_that_may_read_and_not_trade_is_found_out(sandbox: RunningSandbox, account: SandboxAccount) -> None:
    sandbox.fault(account.username, "status", status=401, endpoint="order/dryrun", count=2)
    found = at_sandbox(sandbox, account)
    assert (found["ACCOUNT"][0], found["CONTRACT"][0], found["PERMISSION"][0]) == (True, True, False)


def test_what_the_risk_check_would_refuse_is_quoted(sandbox: RunningSandbox) -> None:
    """E4"""
    poor = {"username": "poor", "password": "pw", "accounts": ["DEMO-POOR"], "balance": 10}
    (row,) = sandbox.post("/accounts", logins=[poor])
    found = at_sandbox(sandbox, SandboxAccount(**row))
    assert found["PERMISSION"][0] is True
    assert found["RISK"] == (False, "an order would not pass: UnknownReason")


def test_a_venue_without_a_dry_run_is_not_blamed_for_it(venue: Venue) -> None:
    venue.rest["account/list"] = (200, b'[{"id":5001,"name":"DEMO70001","active":true}]')
    venue.rest["contract/find"] = (200, b'{"id":43,"name":"MNQZ6"}')
    found = at_venue(venue)
    assert list(found) == [code for code in ASKED if code != "RISK"]
    assert all(is_ok for is_ok, _ in found.values())


def test_silence_that_the_venue_asks_for_is_an_answer(venue: Venue) -> None:
    """H3"""
    venue.rest["account/list"] = (429, b"")
    found = at_venue(venue)
    assert (found["SIGN_IN"][0], found["BUDGET"][0]) == (True, False)


def test_a_budget_that_is_used_up_is_an_answer_and_asks_nothing(venue: Venue) -> None:
    """K1"""
    purse = Purse()
    purse.poor_from = 0
    found = at_venue(venue, budget=purse)
    assert found == {"BUDGET": (False, "no requests are left")}
    assert venue.paths() == []


def test_a_venue_out_of_reach_is_no_answer(venue: Venue) -> None:
    with closing_port() as port:
        credentials = Credentials("tradovate", "demo", "u", "d", {"password": "pw"})
        access = Access(credentials, Endpoints(f"http://127.0.0.1:{port}/v1", ""))
        with pytest.raises(NotReached):
            answers(access, ACCOUNT)
    venue.rest["account/list"] = (500, b"")
    with pytest.raises(OutcomeUnknown):
        at_venue(venue)


def test_accounts_that_are_not_shown_are_an_answer(venue: Venue) -> None:
    venue.rest["account/list"] = (403, b"not for you")
    assert at_venue(venue)["ACCOUNT"] == (False, "the broker does not show its accounts: HTTP_403: not for you")


def test_the_sign_in_that_a_preflight_needs_is_kept(venue: Venue) -> None:
    store = MemoryStore()
    at_venue(venue, store=store)
    assert store.token is not None
    assert store.token.expires_at > datetime.now(UTC) + timedelta(minutes=70)
