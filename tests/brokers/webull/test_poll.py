"""Looking at a venue whose every answer a test writes itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from brokers.base import CancelOrder, ConnectionState, OrderStatus, Side, SubmitOrder
from brokers.connector import Backoff
from brokers.reports import ConnectionReport, OrderReport, SyncReport
from brokers.webull import poll
from tests.brokers.scripted import Answer, until
from tests.brokers.webull.scripted_venue import FUTURES_ROW, ScriptedVenue, ok, refusal
from tests.brokers.webull.test_order_fate import (
    ACCOUNT,
    CONTRACTS,
    DETAIL,
    OPEN,
    PLACE,
    POSITIONS,
    Desk,
    group,
)
from tests.brokers.webull.trader import MNQ, entry_id

HISTORY, BALANCES = "/trading/orders/historical-orders/list", "/trading/assets/balances/get"
OTHER = {**FUTURES_ROW, "account_id": "I1", "account_class": "ROTH_IRA"}


@pytest.fixture
def desk(quick: None) -> Iterator[Desk]:
    venue = ScriptedVenue()
    venue.answers |= {
        "/trading/accounts/list": ok([FUTURES_ROW]),
        CONTRACTS: ok([{"symbol": MNQ, "size": "2.0", "min_tick": "0.25"}]),
        PLACE: lambda body, _: ok({"order_id": f"O-{body['new_orders'][0]['client_order_id']}"}),
        OPEN: ok({"data": []}),
        HISTORY: ok({"data": []}),
        POSITIONS: ok([]),
        BALANCES: ok({"total_cash_balance": "1000.50"}),
        DETAIL: refusal("OPENAPI_ORDER_NOT_FOUND"),
    }
    desk = Desk(venue)
    desk.connection._poller.backoff = Backoff(first=0.01, most=0.02)
    yield desk
    desk.connection.stop()
    venue.close()


def _live(desk: Desk) -> None:
    desk.connection.start()
    until(lambda: desk.connection.state is ConnectionState.LIVE)


def _states(desk: Desk) -> list[ConnectionState]:
    return [event.state for event in desk.events if isinstance(event, ConnectionReport)]


def _heard(desk: Desk, kind: type[Any]) -> list[Any]:
    return [event for event in desk.events if isinstance(event, kind)]


def test_live_comes_first_and_then_the_whole_truth(desk: Desk) -> None:
    """I1"""
    _live(desk)
    until(lambda: _heard(desk, SyncReport))
    told = [event for event in desk.events if isinstance(event, ConnectionReport | SyncReport)]
    assert [type(event) for event in told] == [ConnectionReport, ConnectionReport, SyncReport]
    assert _states(desk) == [ConnectionState.CONNECTING, ConnectionState.LIVE]
    assert str(_heard(desk, SyncReport)[0].balances[0].cash) == "1000.50"


def test_a_venue_that_stays_away_is_stale_and_read_anew_when_it_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1 I2: what happened meanwhile is in the sync that follows."""
    monkeypatch.setattr(poll, "STALE_SECONDS", 0.05)
    _live(desk)
    desk.venue.answers[OPEN] = (500, b"")
    until(lambda: desk.connection.state is ConnectionState.STALE)
    missed = group("JT" + "M" * 26, status="FILLED", filled_quantity="1", filled_price="25000")
    desk.venue.answers |= {OPEN: ok({"data": []}), HISTORY: ok({"data": [missed]})}
    until(lambda: len(_heard(desk, SyncReport)) >= 2)
    assert _states(desk)[-3:] == [ConnectionState.STALE, ConnectionState.CONNECTING, ConnectionState.LIVE]
    assert [order.status for order in _heard(desk, SyncReport)[-1].orders] == [OrderStatus.FILLED]


def test_a_venue_that_was_never_there_is_down_and_tried_again(desk: Desk) -> None:
    desk.venue.answers["/trading/accounts/list"] = (503, b"")
    desk.connection.start()
    until(lambda: desk.connection.state is ConnectionState.DOWN)
    desk.venue.answers["/trading/accounts/list"] = ok([FUTURES_ROW])
    until(lambda: desk.connection.state is ConnectionState.LIVE)


def test_an_account_that_the_key_may_not_see_leaves_the_others_their_reports(desk: Desk) -> None:
    """H4: it is not asked about again and again."""
    asked: list[str] = []

    def listed(_body: Any, _headers: dict[str, str]) -> Answer:
        target = desk.venue.server.requests[-1][1]
        asked.append(target)
        return refusal("ACCOUNT_ACCESS_DENIED", status=403) if "account_id=I1" in target else ok({"data": []})

    desk.venue.answers |= {"/trading/accounts/list": ok([FUTURES_ROW, OTHER]), OPEN: listed}
    _live(desk)
    until(lambda: len(asked) >= 5)
    assert {account.broker_id for account in _heard(desk, SyncReport)[0].accounts} == {"F1"}
    assert sum("account_id=I1" in target for target in asked) == 1


@pytest.mark.parametrize("source", ["history", "details"])
def test_many_orders_at_once_are_found(desk: Desk, source: str) -> None:
    """K1: a login has one detail a second, so the history is asked for all of them; what it lags behind on is not
    forgotten.
    """
    _live(desk)
    names = [entry_id() for _ in range(8)]
    ended = {name: group(name, status="FILLED", filled_quantity="1", filled_price="25000") for name in names}
    busy: Answer = (429, b"", {"Retry-After": "30"})

    def detail(_body: Any, _headers: dict[str, str]) -> Answer:
        return ok(ended[desk.venue.server.requests[-1][1].partition("client_order_id=")[2]])

    in_history = ok({"data": [*ended.values()]})
    desk.venue.answers |= {HISTORY: in_history, DETAIL: busy} if source == "history" else {DETAIL: detail}
    desk.connection.submit([SubmitOrder(name, ACCOUNT, MNQ, Side.BUY, 1) for name in names])
    until(lambda: {o.client_order_id for o in _heard(desk, OrderReport) if o.status is OrderStatus.FILLED} == {*names})


def test_an_order_is_looked_at_after_its_change_whatever_the_answer_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: with no event and no look around for an hour."""
    monkeypatch.setattr(poll, "IDLE_SECONDS", 3600.0)
    working = group("JT" + "W" * 26, order_type="LIMIT", limit_price="24900")
    desk.venue.answers[OPEN] = ok({"data": [working]})
    _live(desk)
    desk.venue.answers |= {
        "/trading/orders/cancel": (500, b""),
        DETAIL: ok(group("JT" + "W" * 26, order_type="LIMIT", limit_price="24900", status="CANCELLED")),
    }
    name = "M-" + "3" * 26
    desk.connection.submit([CancelOrder(name, ACCOUNT, "O-JT" + "W" * 26)])
    until(lambda: [o.status for o in _heard(desk, OrderReport)] == [OrderStatus.CANCELED])
