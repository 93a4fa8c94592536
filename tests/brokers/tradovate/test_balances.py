"""An account's cash, from the stream, the snapshot and a look over REST."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from brokers.base import ConnectionState
from brokers.reports import BalanceReport, SyncReport
from tests.brokers.tradovate.entities import ACCOUNT, AT, STAMP, Change, Desk
from tests.brokers.tradovate.venue import SNAPSHOT, Client, Venue, live

LATER = "2026-10-01T14:00:09Z"
LISTS = ("position/deps", "fill/list", "order/deps", "orderVersion/list", "orderStrategyLink/list")


def cash(amount: float, stamp: str = STAMP, **more: Any) -> Change:
    row = {"id": 12, "accountId": 5001, "currencyId": 1, "timestamp": stamp, "amount": amount}
    return "cashBalance", {**row, **more}


def amounts(reports: list[Any]) -> list[Decimal]:
    return [report.cash for report in reports if isinstance(report, BalanceReport)]


def test_a_balance_is_told_when_it_changes() -> None:
    desk = Desk()
    (report,) = desk.feed(cash(50_000.0))
    assert isinstance(report, BalanceReport)
    assert (report.account, report.cash) == (ACCOUNT, Decimal("50000.0"))
    assert desk.feed(cash(50_000.0, LATER)) == []
    assert amounts(desk.feed(cash(49_987.26, LATER))) == [Decimal("49987.26")]


def test_an_older_balance_and_other_money_are_not_believed() -> None:
    desk = Desk()
    desk.feed(cash(50_000.0, LATER))
    assert desk.feed(cash(1.0), cash(7.0, LATER, currencyId=2, id=13)) == []


def test_a_snapshot_holds_the_balances_of_its_accounts() -> None:
    desk = Desk()
    desk.feed(("account", {"id": 6, "name": "OTHER"}))
    desk.feed(cash(50_000.0), cash(7.0, accountId=6, id=13))
    assert [b.cash for b in desk.joins.sync_report(AT, 5001).balances] == [Decimal("50000.0")]
    assert len(desk.reporter.snapshot(AT).balances) == 2


def test_the_sync_and_the_stream_bring_balances(venue: Venue, client: Client) -> None:
    line = live(venue, client, {**SNAPSHOT, "cashBalances": [cash(50_000.0)[1]]})
    (synced,) = client.heard(SyncReport)
    assert [b.cash for b in synced.balances] == [Decimal("50000.0")]
    line.event("cashBalance", cash(50_012.5, LATER)[1], "Updated")
    assert amounts(client.wait(BalanceReport)) == [Decimal("50012.5")]
    assert client.connection.state is ConnectionState.LIVE


def look(venue: Venue, client: Client, answer: tuple[int, bytes]) -> SyncReport:
    for path in (*LISTS, "orderStrategy/deps", "commandReport/list", "command/list"):
        venue.rest[path] = (200, b"[]")
    venue.rest["cashBalance/deps"] = answer
    return client.connection.query(ACCOUNT)


def test_a_look_over_rest_brings_the_balance(venue: Venue, client: Client) -> None:
    report = look(venue, client, (200, orjson.dumps([cash(50_000.0)[1]])))
    assert [b.cash for b in report.balances] == [Decimal("50000.0")]
    assert "cashBalance/deps?masterid=5001" in venue.paths()


def test_a_login_that_may_not_see_cash_still_gives_evidence(venue: Venue, client: Client) -> None:
    report = look(venue, client, (403, b""))
    assert (report.accounts, report.orders, report.balances) == ((ACCOUNT,), (), ())
