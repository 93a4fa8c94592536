"""What the risk pages say, and what their forms do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from execution import health
from justtrades import clock
from justtrades.testing import Cast
from risk.models import AccountRules, PackAssignment, RiskLimit
from tests.factories import BrokerAccountFactory, Chain, TraderFactory
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    AlarmFactory,
    FlattenFactory,
    PackAssignmentFactory,
    RiskActionFactory,
    RiskLimitFactory,
    SwitchFactory,
)

D = Decimal


@pytest.fixture(autouse=True)
def one_lane(settings: Any) -> None:
    """Whose monitor lives."""
    settings.LANES = 1
    health.beat("guard.0", {})


def text_of(client: Client, path: str) -> str:
    """The page's words, without its markup's line breaks."""
    return " ".join(client.get(path).content.decode().split())


def day(hers: Chain, **given: Any) -> None:
    usual = {"realized": D(-200), "fees": D(10), "open_pnl": D(-150), "contracts": 3, "open_positions": 1}
    AccountDayFactory(account=hers.account, **{**usual, **given})


def test_the_page_answers_how_far_each_limit_is_away(alice: Client, cast: Cast, hers: Chain) -> None:
    day(hers, venue_pnl=D(-355))
    AccountEquityFactory(account=hers.account)
    PackAssignmentFactory(account=hers.account)
    hers.account.venue_limits, hers.account.venue_limits_at = {"daily_loss_auto_liq": "1000"}, clock.now()
    hers.account.save()
    RiskLimitFactory(account=hers.account)
    RiskLimitFactory(account=hers.account, kind="max_contracts", unit="count", amount=D(10))
    RiskLimitFactory(owner=cast.alice, account=None, scope="user", kind="weekly_loss", amount=D(3000))
    page = text_of(alice, "/risk/")
    for words in (
        "\N{MINUS SIGN}$360.00", "$140.00 left", "\N{MINUS SIGN}$360.00 of \N{MINUS SIGN}$500.00", "7 left", "3 of 10",
        "$2,640.00 left", "Topstep Trading Combine 50K", "worth $49,640.00, floor $48,100.00",
        "daily loss: close everything $1,000.00", "Broker says",
    ):  # fmt: skip
        assert words in page, words
    assert 'value="72"' in page
    assert "Nobody watches it now" not in page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"open_pnl": None, "quote_at": None, "warning": "no price of MESZ6"}, "No price of MESZ6"),
        ({"ends_at": clock.now() - timedelta(seconds=1)}, "It is not counted in this session yet"),
    ],
)
def test_figures_that_nobody_knows_are_not_made_up(
    given: dict[str, Any], words: str, alice: Client, hers: Chain
) -> None:
    day(hers, **given)
    RiskLimitFactory(account=hers.account)
    page = text_of(alice, "/risk/")
    assert words in page
    assert "1 account without reliable figures" in page
    assert "limit $500.00" in page
    assert "Not known" in page


def test_a_silent_monitor_and_a_lost_broker_are_said(alice: Client, hers: Chain) -> None:
    day(hers)
    health.Heartbeat.objects.update(beat_at=clock.now() - timedelta(seconds=6))
    hers.login.state = "stale"
    hers.login.save()
    page = text_of(alice, "/risk/?show=attention")
    assert "Nobody watches it now: the monitor of its lane does not answer." in page
    assert "Its broker connection is stale." in page
    assert hers.account.name not in text_of(alice, "/risk/?q=no-such-account")


def test_a_trader_and_its_recorder_are_judged_by_their_own_fills(alice: Client, hers: Chain) -> None:
    day(hers)
    hers.fill.realized_pnl = D(-75)
    hers.fill.save()
    hers.position.net_qty = 0
    hers.position.save()
    AccountRules.objects.create(account=hers.account, fee_per_contract=D("2.5"))
    RiskLimitFactory(owner=hers.recorder.owner, account=None, trader=hers.trader, scope="trader", amount=D(100))
    RiskLimitFactory(owner=hers.recorder.owner, account=None, recorder=hers.recorder, scope="recorder", amount=D(200))
    hers.trader.overrides = {"max_daily_loss": "300"}
    hers.trader.save()
    page = text_of(alice, "/risk/")
    for left in ("$22.50 left", "$122.50 left", "$222.50 left"):
        assert left in page


def test_nothing_yet_says_what_to_do_and_where(charlie: Client, cast: Cast) -> None:
    page = text_of(charlie, "/risk/")
    assert "No account to watch yet" in page
    assert reverse("broker_connect") in page
    assert "No limit is set" in page


def test_many_accounts_cost_no_more_queries(alice: Client, hers: Chain) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            account = BrokerAccountFactory(login=hers.login)
            AccountDayFactory(account=account)
            RiskActionFactory(limit__account=account)
            PackAssignmentFactory(account=account)
            trader = TraderFactory(recorder=hers.recorder, account=account, overrides={"max_daily_loss": "300"})
            RiskLimitFactory(owner=trader.owner, account=None, trader=trader, scope="trader")

    more(2)
    with CaptureQueriesContext(connection) as few:
        alice.get("/risk/panel/")
    more(20)
    with CaptureQueriesContext(connection) as many:
        alice.get("/risk/panel/")
    assert len(many) == len(few) <= 30


def test_a_limit_is_set_changed_and_removed_on_its_pages(alice: Client, hers: Chain, his: Chain) -> None:
    form = {"target": f"account:{hers.account.pk}", "kind": "daily_loss", "amount": "-5", "unit": "dollars"}
    wrong = alice.post("/risk/limits/new/", form)
    assert "Ensure this value is greater than or equal to 0" in wrong.content.decode()
    theirs = alice.post("/risk/limits/new/", {**form, "target": f"account:{his.account.pk}", "amount": "500"})
    assert "Select a valid choice" in theirs.content.decode()
    assert not RiskLimit.objects.exists()
    made = alice.post("/risk/limits/new/", {**form, "amount": "500", "is_enabled": "on"}, follow=True)
    assert f"Daily loss 500 $ on {hers.account.name} is in force." in made.content.decode()
    limit = RiskLimit.objects.get()
    assert (limit.account_id, limit.owner_may_unlock) == (hers.account.pk, False)
    again = alice.post("/risk/limits/new/", {**form, "amount": "500"})
    assert "There is such a limit on it already" in again.content.decode()
    address = reverse("risk_limit_edit", args=[limit.pk])
    RiskActionFactory(limit=limit)
    refused = alice.post(address, {"amount": "600", "unit": "dollars", "is_enabled": "on"})
    assert "unlock first, then loosen it" in refused.content.decode()
    assert alice.post(address, {"amount": "400", "unit": "dollars", "is_enabled": "on"}).status_code == 302
    kept = alice.post(reverse("risk_limit_remove", args=[limit.pk]), follow=True)
    assert "It keeps entries out now" in kept.content.decode()
    assert RiskLimit.objects.get().amount == D(400)


def test_what_is_counted_needs_no_unit(alice: Client, hers: Chain) -> None:
    form = {"target": "user", "kind": "max_positions", "amount": "4", "unit": "percent", "is_enabled": "on"}
    assert alice.post("/risk/limits/new/", form).status_code == 302
    assert (RiskLimit.objects.get().unit, RiskLimit.objects.get().amount) == ("count", D(4))


def test_how_a_day_is_counted_and_under_whose_rules(alice: Client, hers: Chain) -> None:
    address = reverse("risk_rules", args=[hers.account.pk])
    form = {
        "fee_per_contract": "1.5", "roll_at": "17:00", "roll_zone": "America/Chicago", "unprotected_policy": "flatten",
        "unprotected_after_s": "2",
    }  # fmt: skip
    assert "greater than or equal to 3" in alice.post(address, form).content.decode()
    assert alice.post(address, {**form, "unprotected_after_s": "8"}).status_code == 302
    assert AccountRules.objects.get().unprotected_after_s == 8
    address = reverse("risk_pack", args=[hers.account.pk])
    assert alice.post(address, {"pack": "topstep-50k:1", "start_balance": "", "is_enforced": "on"}).status_code == 302
    assert PackAssignment.objects.get().start_balance == D(50_000)
    assert 'value="topstep-50k:1" selected' in text_of(alice, address)
    assert alice.post(reverse("risk_pack_remove", args=[hers.account.pk])).status_code == 302
    assert not PackAssignment.objects.exists()


def test_an_alarm_is_loud_everywhere_until_somebody_saw_it(alice: Client, charlie: Client, hers: Chain) -> None:
    alarm = AlarmFactory(account=hers.account, text="it is not flat after 3 s")
    for path in ("/", "/positions/", "/risk/", "/risk/alarms/"):
        assert "it is not flat after 3 s" in text_of(alice, path), path
        assert "it is not flat after 3 s" not in text_of(charlie, path), path
    assert alice.post(reverse("risk_alarm_seen", args=[alarm.pk])).status_code == 302
    assert "it is not flat after 3 s" not in text_of(alice, "/")
    assert "Seen, not over" in text_of(alice, "/risk/alarms/")


def test_the_top_of_the_dashboard_says_how_much_room_is_left(alice: Client, cast: Cast, hers: Chain) -> None:
    assert "Set what may be lost" in text_of(alice, "/")
    day(hers)
    limit = RiskLimitFactory(account=hers.account)
    assert "$140.00 left" in text_of(alice, "/")
    lock = RiskActionFactory(limit=limit)
    assert "1 locked" in text_of(alice, "/")
    SwitchFactory(owner=cast.alice)
    assert "Everything of yours: the market is closed to me today" in text_of(alice, "/")
    assert str(lock.pk) not in text_of(alice, "/")


def test_history_keeps_what_happened_and_who_did_it(alice: Client, charlie: Client, hers: Chain) -> None:
    alice.post("/risk/limits/new/", {"target": "user", "kind": "daily_loss", "amount": "500", "is_enabled": "on"})
    RiskActionFactory(limit__account=hers.account)
    FlattenFactory(account=hers.account, command__owner=hers.recorder.owner)
    page = text_of(alice, "/risk/history/")
    assert "Daily loss 500 $ on everything" in page
    assert "alice@example.com" in page
    assert "had -$512.50, limit -$500.00" in text_of(alice, "/risk/history/?show=actions")
    assert hers.account.name in text_of(alice, "/risk/")
    for path in ("/risk/history/", "/risk/history/?show=actions"):
        text = text_of(charlie, path)
        assert "Daily loss" not in text
        assert hers.account.name not in text
