"""A login that the venue serves elsewhere, and a session that another sign-in pushed out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokers.access import Access, Credentials, Endpoints
from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.errors import OutcomeUnknown
from brokers.http import HttpClient
from brokers.reports import Accepted, SyncReport
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate import auth as auth_module
from brokers.tradovate import session
from brokers.tradovate.hosts import Hosts
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import Answer, until
from tests.brokers.tradovate.door import RENEW, SIGN_IN, Door
from tests.brokers.tradovate.trader import Trader
from tests.brokers.tradovate.venue import Client, Line, Venue, live, opened

HOME = "https://demo.tradovateapi.com/v1"


def hosts_at(environment: str = "demo") -> tuple[Hosts, HttpClient]:
    http = HttpClient(HOME)
    endpoints = Endpoints(HOME, "wss://demo.tradovateapi.com/v1/websocket")
    return Hosts(Access(Credentials("tradovate", environment, "u", "d", {}), endpoints), http), http


@pytest.mark.parametrize(
    "named",
    ["https://demo-org7.tradovateapi.com/v1", "https://demo-org7.tradovateapi.com/", "demo-org7.tradovateapi.com"],
)
def test_both_addresses_move_to_the_host_that_a_renewal_names(named: str) -> None:
    """H6"""
    hosts, http = hosts_at()
    hosts.learn({"apiHosts": {"demo": named, "live": "live-org7.tradovateapi.com"}})
    assert http.base_url == "https://demo-org7.tradovateapi.com/v1"
    assert hosts.ws_url == "wss://demo-org7.tradovateapi.com/v1/websocket"


@pytest.mark.parametrize(
    "payload",
    [
        {"apiHosts": {"demo": "https://evil.example/v1"}},
        {"apiHosts": {"demo": "https://demo.tradovateapi.com.evil.example/v1"}},
        {"apiHosts": {"demo": "http://demo-org7.tradovateapi.com/v1"}},
        {"apiHosts": {"live": "https://live-org7.tradovateapi.com/v1"}},
        {"apiHosts": {"demo": 7}},
        {"apiHosts": []},
        {},
        None,
    ],
)
def test_a_strangers_host_or_none_moves_nothing(payload: object) -> None:
    """H6"""
    hosts, http = hosts_at()
    hosts.learn(payload)
    assert (http.base_url, hosts.ws_url) == (HOME, "wss://demo.tradovateapi.com/v1/websocket")


def test_a_login_that_moves_is_found_again_and_trades(sandbox: RunningSandbox, trader: Trader) -> None:
    """H6"""
    sandbox.switches(moved=True)
    trader.fault("shutdown")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert trader.client.connection.query(trader.ref).positions[0].net_qty == 1
    assert trader.client.connection._client._http.base_url != sandbox.rest_url


def test_an_order_over_rest_follows_a_redirect_once_with_its_token(
    sandbox: RunningSandbox, new_trader: Callable[[], Trader]
) -> None:
    """H6"""
    sandbox.switches(moved=True)
    trader = new_trader()
    trader.enter()
    trader.client.wait(Accepted)
    assert trader.entries() == 1


def test_a_refused_upgrade_asks_where_the_login_is_once(venue: Venue, client: Client) -> None:
    """H6"""
    live(venue, client)
    venue.socket.refuse_with = "421 Misdirected Request"
    before = venue.socket.upgrades
    client.connection._session._break_off("a test")
    until(lambda: venue.socket.upgrades >= before + 4)
    venue.socket.refuse_with = None
    Line(venue.socket.accepted()).sign_in()
    client.wait_state(ConnectionState.LIVE)
    assert venue.paths().count("auth/renewaccesstoken") == 1


def test_a_third_sign_in_costs_one_more_and_no_hammering(
    sandbox: RunningSandbox, trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H7"""
    monkeypatch.setattr(session, "QUOTA_HOLD_SECONDS", 0.2)
    evict(sandbox, trader)
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert sign_ins(sandbox, trader) == 4


@pytest.mark.parametrize("status", [408, 500])
def test_an_evicted_session_that_answers_strangely_is_signed_in_anew(
    sandbox: RunningSandbox, trader: Trader, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """H7"""
    monkeypatch.setattr(session, "QUOTA_HOLD_SECONDS", 0.2)
    sandbox.switches(evicted_status=status)
    evict(sandbox, trader)
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    assert sign_ins(sandbox, trader) == 4


def evict(sandbox: RunningSandbox, trader: Trader) -> None:
    """Sign in twice elsewhere, which the venue allows two sessions for."""
    secrets = {"password": trader.account.password}
    for device in ("phone", "desk"):
        credentials = Credentials("tradovate", "demo", trader.account.username, device, secrets)
        VENUE.sign_in_check(Access(credentials, Endpoints(sandbox.rest_url, sandbox.ws_url)))
    until(lambda: trader.client.connection.state is not ConnectionState.LIVE)


def sign_ins(sandbox: RunningSandbox, trader: Trader) -> int:
    made = [a for a in sandbox.arrivals() if a["endpoint"] == "auth/accesstokenrequest"]
    return len([arrival for arrival in made if arrival["username"] == trader.account.username])


def test_a_socket_that_answers_strangely_twice_gets_a_new_token_once(venue: Venue, client: Client) -> None:
    """H7"""
    tokens = []
    line = opened(venue, client)
    for _ in range(4):
        request_id, _, token = line.expect("authorize")
        tokens.append(token)
        line.reply(request_id, "oops", status=500)
        line = Line(venue.socket.accepted())
    line.sign_in()
    client.wait_state(ConnectionState.LIVE)
    assert tokens == ["token-1", "token-1", "token-2", "token-2"]


def test_the_second_strange_answer_to_a_renewal_signs_in_anew(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """H7"""
    monkeypatch.setattr(auth_module, "RENEWAL_PAUSE_SECONDS", 0.0)
    odd: Answer = (500, b"")
    door.answers[RENEW] = odd
    auth = door.auth()
    stale = auth.token()
    with pytest.raises(OutcomeUnknown):
        auth.renew(stale)
    assert auth.renew(stale).access == "token-2"
    assert door.server.paths() == [SIGN_IN, RENEW, RENEW, SIGN_IN]
