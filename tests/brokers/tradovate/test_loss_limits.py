"""The venue's own loss limits and its own day's result, read and set, with what is not ours left as it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import orjson
import pytest

from brokers.access import Access, Credentials, Endpoints
from brokers.base import AccountRef, ConnectionState, OrderRole, OrderStatus
from brokers.errors import AuthFailed, BrokerError, OutcomeUnknown, Refused
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate.venue import VENUE
from brokers.venue import LossLimits
from tests.brokers.tradovate.trader import PRICE, Trader
from tests.brokers.tradovate.venue import ACCOUNT, Client, Venue

LIMITS = VENUE.loss_limits
assert LIMITS is not None
READ, UPDATE, CREATE = (f"userAccountAutoLiq/{verb}" for verb in ("deps", "update", "create"))
THEIRS = {"id": 5001, "dailyLossAlert": 250.25, "marginPercentageAlert": 70.0, "doNotUnlock": True}


def access_to(venue: Venue) -> Access:
    credentials = Credentials("tradovate", "demo", "trader1", "device-1", {"password": "pw"})
    return Access(credentials, Endpoints(venue.rest_server.url, venue.socket.url))


def keep(venue: Venue, *rows: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Have the venue hold this account's row, and take what is written; the writes, with their paths."""
    held, written = list(rows), []

    def write(verb: str) -> Any:
        def take(body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
            written.append((verb, orjson.loads(body)))
            held[:] = [written[-1][1]]
            return 200, body

        return take

    venue.rest |= {READ: lambda *_: (200, orjson.dumps(held)), UPDATE: write("update"), CREATE: write("create")}
    return written


def test_what_is_set_at_the_sandbox_is_read_back(sandbox: RunningSandbox) -> None:
    account = sandbox.add_accounts(1)[0]
    credentials = Credentials("tradovate", "demo", account.username, "device-1", {"password": account.password})
    access = Access(credentials, Endpoints(sandbox.rest_url, sandbox.ws_url))
    ref = AccountRef(str(account.id), account.name)
    assert LIMITS.read(access, ref) == LossLimits()
    wanted = LossLimits(daily_loss_auto_liq=D("500.5"), drawdown=D(2000), drawdown_mode="EOD")
    assert LIMITS.write(access, ref, wanted) == LIMITS.read(access, ref) == wanted
    assert LIMITS.write(access, ref, replace(wanted, drawdown=None, drawdown_mode=None)).drawdown is None


def test_a_write_sends_the_whole_entity_with_what_was_there(venue: Venue) -> None:
    written = keep(venue, THEIRS)
    before = LIMITS.read(access_to(venue), ACCOUNT)
    assert (before.daily_loss_alert, before.is_locked) == (D("250.25"), False)
    after = LIMITS.write(
        access_to(venue), ACCOUNT, replace(before, daily_loss_alert=None, daily_loss_auto_liq=D("0.1"))
    )
    left = {name: value for name, value in THEIRS.items() if name != "dailyLossAlert"}
    assert written == [("update", {**left, "dailyLossAutoLiq": 0.1})]
    assert (after.daily_loss_alert, after.daily_loss_auto_liq) == (None, D("0.1"))


def test_an_account_without_an_entity_gets_one(venue: Venue) -> None:
    written = keep(venue)
    assert LIMITS.read(access_to(venue), ACCOUNT) == LossLimits()
    LIMITS.write(access_to(venue), ACCOUNT, LossLimits(weekly_loss_auto_liq=D(900)))
    assert written == [("create", {"id": 5001, "weeklyLossAutoLiq": 900})]


@pytest.mark.parametrize(
    ("rest", "error", "code"),
    [
        ({READ: (200, orjson.dumps([{**THEIRS, "changesLocked": True}]))}, Refused, "LIMITS_LOCKED"),
        ({READ: (401, b"")}, Refused, "NO_PERMISSION"),
        ({READ: (200, b"{}")}, OutcomeUnknown, None),
        ({READ: (200, b'[{"id": 5001, "dailyLossAlert": "much"}]')}, OutcomeUnknown, None),
        ({READ: (200, b"[]"), CREATE: (200, b'{"errorText": "not for you"}')}, Refused, "LIMITS_REFUSED"),
        ({"auth/accesstokenrequest": (200, b'{"errorText": "Incorrect username"}')}, AuthFailed, None),
    ],
)
def test_a_no_is_told_apart_from_no_answer(
    venue: Venue, rest: dict[str, Any], error: type[BrokerError], code: str | None
) -> None:
    venue.rest |= rest
    with pytest.raises(error) as caught:
        LIMITS.write(access_to(venue), ACCOUNT, LossLimits(daily_loss_auto_liq=D(1)))
    assert code is None or caught.value.code == code  # type: ignore[attr-defined]
    assert not any(path.startswith(UPDATE) for path in venue.paths())


def test_the_days_result_is_realised_and_open_before_fees(trader: Trader) -> None:
    trader.enter(qty=2, target=None, stop=100)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.sandbox.price("MNQ", PRICE + 10)
    assert trader.client.connection.day_pnl(trader.ref) == 2 * 10 * 2
    trader.flatten()
    trader.wait_flat()
    assert trader.client.connection.day_pnl(trader.ref) == 2 * 10 * 2
    assert trader.client.connection.books_at is not None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"realizedPnL": -12.5, "openPnL": 2.25}, D("-10.25")),
        ({"realizedPnL": 0.0, "openPnL": 0}, D(0)),
        ({"realizedPnL": 5.0}, None),
        ({"errorText": "no such account"}, Refused),
        ([], OutcomeUnknown),
    ],
)
def test_a_snapshot_that_does_not_say_it_all_says_nothing(
    venue: Venue, client: Client, answer: Any, expected: D | type[BrokerError] | None
) -> None:
    venue.rest["cashBalance/getcashbalancesnapshot"] = (200, orjson.dumps(answer))
    if isinstance(expected, type):
        with pytest.raises(expected):
            client.connection.day_pnl(ACCOUNT)
    else:
        assert client.connection.day_pnl(ACCOUNT) == expected
    assert (client.connection.state, client.connection.books_at) == (ConnectionState.DOWN, None)
