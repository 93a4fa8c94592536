"""Signing in at the sandbox venue: once, for many threads, and with what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from brokers.access import Access, Credentials, Endpoints, Priority
from brokers.base import AccountRef, ConnectionState
from brokers.errors import AuthFailed
from brokers.projectx.venue import VENUE
from brokers.reports import NotSent, SyncReport
from brokers.sandbox.testing import RunningSandbox
from brokers.venue import ListedAccount
from tests.brokers.projectx.budgets import Purse
from tests.brokers.projectx.frames import SYMBOL
from tests.brokers.projectx.trader import SandboxTrader, logins


def test_twenty_threads_on_a_dead_token_cost_one_sign_in(new_trader: Callable[[], SandboxTrader]) -> None:
    """H1 token expires: one renewal under 20 threads, each order placed once."""
    trader = new_trader()
    trader.accepted(trader.submit())
    trader.sandbox.fault(trader.username, "token_expiry")
    since = datetime.now(UTC).timestamp()
    call = trader.client.connection._client.call
    threads = [Thread(target=call, args=("Account/search", {"onlyActiveAccounts": True})) for _ in range(20)]
    for thread in threads:
        thread.start()
    names = [trader.rest(24_900) for _ in range(5)]
    for thread in threads:
        thread.join(10)
    for name in names:
        trader.accepted(name)
    assert logins(trader, since) == 1
    placed = [entry["clOrdId"] for entry in trader.sandbox.account_state(trader.id)["entries"]]
    assert (len(placed), len(set(placed))) == (6, 6)


def test_a_login_that_is_refused_at_renewal_places_nothing(new_trader: Callable[[], SandboxTrader]) -> None:
    """H2 renewal refused: the 401 proves that nothing was placed, and the key is not tried again."""
    trader = new_trader()
    trader.accepted(trader.submit())
    trader.sandbox.fault(trader.username, "bad_login")
    trader.sandbox.fault(trader.username, "token_expiry")
    since = datetime.now(UTC).timestamp()
    trader.rejected(trader.submit())
    trader.client.connection._auth.discard(trader.client.connection._auth._token)  # type: ignore[arg-type]
    trader.not_sent(trader.submit())
    assert (logins(trader, since), trader.entries()) == (1, 1)


def test_a_429_is_a_refusal_that_silences_the_login(new_trader: Callable[[], SandboxTrader]) -> None:
    """H3 rate limit: not placed, and the budget hears of it."""
    purse = Purse()
    sandbox = new_trader().sandbox
    trader = SandboxTrader(sandbox, sandbox.add_accounts(1)[0], purse)
    trader.fault("rate_limit", endpoint="order/place")
    assert trader.rejected(trader.submit()).code == "RATE_LIMITED"
    assert purse.silent_until is not None
    assert timedelta(0) < purse.silent_until - datetime.now(UTC) <= timedelta(seconds=5)
    trader.not_sent(trader.submit())
    purse.silent_until = datetime.now(UTC)
    trader.accepted(trader.submit())
    assert trader.entries() == 1
    trader.client.close()


def test_a_bad_login_fails_and_is_not_tried_again(new_trader: Callable[[], SandboxTrader]) -> None:
    """H4 bad login."""
    trader = new_trader()
    trader.sandbox.fault(trader.username, "bad_login")
    since = datetime.now(UTC).timestamp()
    trader.client.connection.start()
    trader.client.wait_state(ConnectionState.FAILED)
    trader.not_sent(trader.submit())
    assert logins(trader, since) == 1
    assert trader.client.states().count(ConnectionState.FAILED) == 1


def test_the_sign_in_check_names_the_accounts_and_refuses_a_wrong_key(sandbox: RunningSandbox) -> None:
    """H4 bad login, before anything is stored."""
    account = sandbox.add_accounts(1)[0]
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)
    good = Credentials("projectx", "sandbox", account.username, "d", {"password": account.password})
    (listed,) = VENUE.sign_in_check(Access(good, endpoints))
    assert isinstance(listed, ListedAccount)
    assert (listed.ref.broker_id, listed.ref.name) == (str(account.id), account.name)
    assert (listed.can_trade, listed.is_simulated) == (True, True)
    with pytest.raises(AuthFailed) as caught:
        VENUE.sign_in_check(
            Access(Credentials("projectx", "sandbox", account.username, "d", {"password": "no"}), endpoints)
        )
    assert "no" not in caught.value.text.split()


def test_the_preflight_answers_each_question(sandbox: RunningSandbox) -> None:
    account, stranger = sandbox.add_accounts(2)
    credentials = Credentials("projectx", "sandbox", account.username, "d", {"password": account.password})
    purse = Purse()
    access = Access(credentials, Endpoints(sandbox.rest_url, sandbox.ws_url), budget=purse)
    ref = AccountRef(str(account.id), account.name)
    checks = VENUE.preflight(access, ref, SYMBOL)
    assert {c.code: c.is_ok for c in checks} == dict.fromkeys(["SIGN_IN", "ACCOUNT", "CONTRACT", "BUDGET"], True)
    assert not VENUE.preflight(access, AccountRef(str(stranger.id), stranger.name), SYMBOL)[1].is_ok
    assert not VENUE.preflight(access, ref, "QQQZ6")[2].is_ok
    sandbox.fault(account.id, "inactive", code=4)
    assert "locked" in VENUE.preflight(access, ref, SYMBOL)[1].text
    purse.closed_to = {Priority.ENTRY}
    (sign_in,) = VENUE.preflight(access, ref, SYMBOL)
    assert not sign_in.is_ok


def test_no_secret_is_told_or_logged(new_trader: Callable[[], SandboxTrader], caplog: pytest.LogCaptureFixture) -> None:
    """L2 secrets in no log or text."""
    caplog.set_level("DEBUG")
    trader = new_trader().live()
    trader.accepted(trader.enter())
    trader.sandbox.fault(trader.username, "token_expiry", drop_sockets=True)
    trader.client.wait(SyncReport, 2)
    trader.sandbox.fault(trader.username, "bad_login")
    trader.sandbox.fault(trader.username, "token_expiry", drop_sockets=True)
    trader.client.wait_state(ConnectionState.FAILED)
    token = trader.client.store.token
    assert token is not None
    told = repr(trader.client.events) + caplog.text + repr(trader.client.connection._auth.__dict__)
    secret = trader.client.connection._auth._credentials.secrets["password"]
    assert secret not in told
    assert token.access not in told
    assert token.access.rsplit(".", 1)[1] not in told


def test_nothing_waits_for_a_closed_connection(trader: SandboxTrader) -> None:
    trader.client.connection.stop()
    trader.not_sent(trader.submit())
    assert trader.client.heard(NotSent)
    assert trader.entries() == 0
