"""A person switches a trader on: the broker is asked first, and what it says decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from brokers.access import Access
from brokers.base import AccountRef
from brokers.errors import NotReached
from brokers.models import BrokerAccount
from brokers.registry import VENUES
from brokers.venue import Check
from justtrades.testing import Cast, api_client_for, browser_of, make_cast
from tests.factories import BrokerAccountFactory, RecorderFactory, SignalFactory, TraderFactory
from tests.ready import let_every_account_trade
from traders.enabling import enable_trader
from traders.models import Trader


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, str]]:
    return let_every_account_trade(monkeypatch, settings)


def answer(monkeypatch: pytest.MonkeyPatch, answered: tuple[Check, ...] | Exception) -> None:
    def preflight(_access: Access, _account: AccountRef, _symbol: str) -> tuple[Check, ...]:
        if isinstance(answered, Exception):
            raise answered
        return answered

    monkeypatch.setitem(VENUES, "tradovate", replace(VENUES["tradovate"], preflight=preflight))


def test_an_account_that_can_trade_is_switched_on(asked: list[tuple[str, str]], cast: Cast) -> None:
    trader = TraderFactory(recorder__owner=cast.alice, is_enabled=False, custom_ticker="MNQZ2026")
    assert enable_trader(trader=trader).is_enabled is True
    assert asked == [(trader.account.name, "MNQZ6")]
    trader.refresh_from_db()
    assert trader.is_enabled is True


def test_the_broker_is_asked_about_what_the_recorder_last_heard(asked: list[tuple[str, str]], cast: Cast) -> None:
    trader = TraderFactory(recorder__owner=cast.alice, is_enabled=False)
    SignalFactory(recorder=trader.recorder, ticker="ESZ2026")
    SignalFactory(recorder=trader.recorder, ticker="MGCZ2026")
    enable_trader(trader=trader)
    SignalFactory(recorder=trader.recorder, ticker="NASDAQ:AAPL")
    enable_trader(trader=trader)
    assert [symbol for _name, symbol in asked] == ["MGCZ6", "AAPL"]


@pytest.mark.parametrize(
    ("answered", "code", "text"),
    [
        (
            (Check("SIGN_IN", is_ok=True, text="in"), Check("ACCOUNT", is_ok=False, text="it is closed")),
            "ACCOUNT",
            "closed",
        ),
        (NotReached("account/list: no connection"), "NOT_REACHED", "could not be asked"),
    ],
)
def test_a_failed_check_is_named_and_the_trader_stays_off(
    answered: Any, code: str, text: str, asked: list[tuple[str, str]], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, answered)
    trader = TraderFactory(recorder__owner=cast.alice, is_enabled=False)
    with pytest.raises(ValidationError) as refused:
        enable_trader(trader=trader)
    assert list(refused.value.message_dict) == ["account"]
    assert code in str(refused.value)
    assert text in str(refused.value)
    trader.refresh_from_db()
    assert trader.is_enabled is False
    assert BrokerAccount.objects.get().preflight_failure is not None
    for said in (
        api_client_for(cast.alice).post(f"/api/traders/{trader.pk}/enable/").content.decode(),
        browser_of(cast.alice).post(f"/traders/{trader.pk}/enable/", follow=True).content.decode(),
    ):
        assert code in said
        assert "enable anyway" not in said.lower()
    trader.refresh_from_db()
    assert trader.is_enabled is False


def test_a_trader_is_made_off_without_asking_and_on_only_after(
    asked: list[tuple[str, str]], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, (Check("PERMISSION", is_ok=False, text="no futures"),))
    recorder, account = RecorderFactory(owner=cast.alice), BrokerAccountFactory(login__owner=cast.alice)
    given = {"recorder": str(recorder.pk), "account": str(account.pk)}
    client = api_client_for(cast.alice)
    refused = client.post("/api/traders/", given, format="json")
    assert (refused.status_code, "PERMISSION" in refused.json()["detail"]) == (400, True)
    page = browser_of(cast.alice).post("/traders/new/", {**given, "multiplier": "1"})
    assert (page.status_code, "PERMISSION" in page.content.decode()) == (200, True)
    assert not Trader.objects.exists()
    made = client.post("/api/traders/", given | {"is_enabled": False}, format="json")
    assert (made.status_code, made.json()["is_enabled"]) == (201, False)
    other = BrokerAccountFactory(login__owner=cast.alice)
    route = client.post(f"/api/traders/{made.json()['id']}/routes/", {"account": str(other.pk)}, format="json")
    assert (route.status_code, Trader.objects.count()) == (400, 1)


def test_the_broker_is_never_asked_inside_a_transaction(transactional_db: None, asked: list[tuple[str, str]]) -> None:
    trader = TraderFactory(is_enabled=False)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        enable_trader(trader=trader)
    assert asked == []
