"""What nobody knows is said to be unknown on the pages of risk, and takes no page away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brokers.quotes import cache
from brokers.quotes.quote import Quote
from justtrades import clock
from justtrades.testing import Cast
from risk import packs
from risk.models import Switch
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain, TraderFactory
from tests.pages.test_risk_pages import one_lane, text_of
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    PackAssignmentFactory,
    RiskLimitFactory,
    SwitchFactory,
)

__all__ = ["one_lane"]
D = Decimal


@pytest.mark.parametrize(
    ("given", "whose"),
    [
        ({"scope": "planet", "target": ""}, "Everything of yours"),
        ({"scope": "planet", "target": "", "owner": None}, "The whole platform"),
        ({"scope": "account", "mode": "later"}, "Everything of yours"),
    ],
)
def test_a_switch_in_words_that_nobody_knows_is_shown_and_released(
    given: dict[str, Any], whose: str, alice: Client, cast: Cast, hers: Chain
) -> None:
    usual = {"owner": cast.alice, "actor": None, "target": str(hers.account.pk)}
    tripped = SwitchFactory(**{**usual, **given})
    for path in ("/", "/positions/", "/risk/", "/risk/switches/"):
        assert f"{whose}" in text_of(alice, path), path
    (shown,) = alice.get("/api/risk/overview/").json()["switches"]
    assert (shown["whose"], shown["scope"]) == (whose, given["scope"])
    alice.post(reverse("risk_switch_release", args=[tripped.pk]))
    assert Switch.objects.filter(released_at=None).exists() == (tripped.owner is None)


@pytest.fixture
def bad_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A file among the packs that cannot be used."""
    (tmp_path / "x.v1.json").write_text("{")
    monkeypatch.setattr(packs, "FOLDER", tmp_path)
    packs._packs.cache_clear()
    yield
    packs._packs.cache_clear()


def test_a_pack_file_that_cannot_be_read_takes_no_page_away(bad_pack: None, alice: Client, hers: Chain) -> None:
    PackAssignmentFactory(account=hers.account)
    for path in ("/", "/positions/", "/risk/", "/api/risk/overview/"):
        assert alice.get(path).status_code == 200, path
    assert "A figure is missing" in text_of(alice, "/")
    AccountDayFactory(account=hers.account)
    RiskLimitFactory(account=hers.account)
    cell = cell_of(alice)
    assert "$500.00 left" in cell and "1 limit more is not known" in cell, cell


def cell_of(client: Client) -> str:
    """What the top of a trading page says about risk."""
    return text_of(client, "/").partition("Risk room")[2].partition("</a>")[0]


@pytest.mark.parametrize(
    "given",
    [{"checked_at": clock.now() - timedelta(hours=1)}, {"warning": "no price of MESZ6"}],
    ids=["old", "doubted"],
)
def test_the_top_of_the_page_tells_no_figure_that_nobody_vouches_for(
    given: dict[str, Any], alice: Client, cast: Cast, hers: Chain
) -> None:
    limit = RiskLimitFactory(account=hers.account, amount=D(1000))
    RiskLimitFactory(owner=cast.alice, account=None, scope="user", amount=D(900))
    seen = AccountDayFactory(account=hers.account, realized=D(-100))
    assert "$800.00 left" in cell_of(alice)
    assert f'data-at="{int(seen.checked_at.timestamp() * 1000)}" data-stale-ms="15000"' in cell_of(alice)
    type(seen).objects.update(**given)
    cell = cell_of(alice)
    assert "Not known" in cell and "left" not in cell, cell
    other = BrokerAccountFactory(login=hers.login)
    AccountDayFactory(account=other)
    RiskLimitFactory(account=other, amount=limit.amount)
    cell = cell_of(alice)
    assert "$1,000.00 left" in cell and "tone-warn" in cell and "2 limits more are not known" in cell, cell


def test_a_limit_on_everything_is_known_once_every_account_is(alice: Client, cast: Cast, hers: Chain) -> None:
    other = BrokerAccountFactory(login=hers.login)
    BrokerAccountFactory(login__owner=cast.alice, login__is_enabled=False)
    AccountDayFactory(account=hers.account, realized=D(-50))
    RiskLimitFactory(owner=cast.alice, account=None, scope="user", amount=D(1000))
    assert "Not known" in cell_of(alice)
    AccountDayFactory(account=other, realized=D(-20))
    assert "$930.00 left" in cell_of(alice)


def test_a_drawdown_on_everything_is_judged_from_its_own_high(alice: Client, cast: Cast, hers: Chain) -> None:
    AccountDayFactory(account=hers.account)
    AccountEquityFactory(account=hers.account, equity=D(49_640))
    RiskLimitFactory(
        owner=cast.alice, account=None, scope="user", kind="trailing_drawdown", amount=D(500), high_water=D(50_000)
    )
    assert "$140.00 left" in cell_of(alice)


def gauges_of(client: Client) -> dict[str, dict[str, Any]]:
    """As the page and the API have them, by the limit's id."""
    shown = client.get("/api/risk/overview/").json()
    every = [*shown["across"], *(gauge for account in shown["accounts"] for gauge in account["gauges"])]
    return {gauge["limit"]: gauge for gauge in every}


def test_a_traders_share_is_unknown_until_its_account_is_counted(alice: Client, hers: Chain) -> None:
    second = TraderFactory(recorder=hers.recorder, account=BrokerAccountFactory(login=hers.login))
    on = {"owner": hers.recorder.owner, "account": None}
    counts, losses = {"kind": "max_contracts", "unit": "count", "amount": D(2)}, {"amount": D(100)}
    limits = [
        RiskLimitFactory(**on, **which, **terms)
        for which in ({"scope": "trader", "trader": hers.trader}, {"scope": "recorder", "recorder": hers.recorder})
        for terms in (counts, losses)
    ]

    def said() -> list[tuple[str | None, str]]:
        found = gauges_of(alice)
        return [(found[str(limit.pk)]["had"], found[str(limit.pk)]["state"]) for limit in limits]

    def price_is_known() -> None:
        quote = Quote("MESZ6", hers.position.avg_price, None, None, clock.now(), "tradovate/sandbox")
        cache.store([quote])

    price_is_known()
    assert said() == [(None, "unknown")] * 4
    AccountDayFactory(account=hers.account)
    assert said() == [("1", "room"), ("0", "room"), (None, "unknown"), (None, "unknown")]
    second.account.login = BrokerLoginFactory(owner=hers.recorder.owner, is_enabled=False)
    second.account.save()
    assert said() == [("1", "room"), ("0", "room")] * 2, "whom nobody is to watch counts nowhere"
    hers.login.is_enabled = False
    hers.login.save()
    assert said() == [(None, "unknown")] * 4


@pytest.mark.parametrize(("held", "state", "room"), [(2, "room", "1"), (3, "reached", "0"), (5, "reached", "-2")])
def test_a_count_is_reached_when_nothing_more_may_be_added(
    held: int, state: str, room: str, alice: Client, hers: Chain
) -> None:
    AccountDayFactory(account=hers.account, contracts=held, open_positions=1)
    limit = RiskLimitFactory(account=hers.account, kind="max_contracts", unit="count", amount=D(3))
    gauge = gauges_of(alice)[str(limit.pk)]
    assert (gauge["state"], gauge["room"]) == (state, room)
    assert ("Reached" in text_of(alice, "/risk/")) == (state == "reached")
