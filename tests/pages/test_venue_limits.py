"""The broker's own limits of an account: asked for, shown, and set with what the owner allows as an offer."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from brokers.models import BrokerAccount
from brokers.sandbox.testing import RunningSandbox
from brokers.services import known_venue_limits
from brokers.venue import LossLimits
from justtrades.testing import PASSWORD, Cast, browser_of
from risk.models import LimitKind, LimitScope, RiskEvent, RiskLimit
from tests.factories import BrokerAccountFactory, BrokerLoginFactory
from tests.ready import sign_in_of


@pytest.fixture
def account(cast: Cast, sandbox: RunningSandbox) -> BrokerAccount:
    known = sandbox.add_accounts(1)[0]
    login = BrokerLoginFactory(owner=cast.alice, **sign_in_of(known))
    made: BrokerAccount = BrokerAccountFactory(login=login, name=known.name, broker_id=str(known.id))
    return made


def address(account: BrokerAccount) -> str:
    return reverse("venue_limits", args=[account.pk])


def post(browser: Client, account: BrokerAccount, **typed: str) -> str:
    return browser.post(address(account), typed, follow=True).content.decode()


def kept(account: BrokerAccount) -> LossLimits | None:
    account.refresh_from_db()
    return known_venue_limits(account)


def test_before_the_broker_was_asked_there_is_nothing_to_set(
    alice: Client, account: BrokerAccount, sandbox: RunningSandbox
) -> None:
    before = len(sandbox.arrivals())
    assert "was never asked" in alice.get(address(account)).content.decode()
    page = post(alice, account, daily_loss_auto_liq="500")
    assert "was never asked" in page
    assert "Set at the broker" not in page
    assert len(sandbox.arrivals()) == before, "a page asks nobody by itself"
    assert "Set at the broker" in post(alice, account, ask="1")
    assert kept(account) == LossLimits()


def test_ones_own_daily_loss_is_offered_and_set(alice: Client, account: BrokerAccount, cast: Cast) -> None:
    RiskLimit.objects.create(
        owner=cast.alice, scope=LimitScope.ACCOUNT, account=account, kind=LimitKind.DAILY_LOSS, amount=D(750)
    )
    page = post(alice, account, ask="1")
    assert 'name="daily_loss_auto_liq" value="750.00"' in page
    assert "$750" in page
    assert "whether or not we run" in post(alice, account, daily_loss_auto_liq="750", drawdown="2000.5")
    assert kept(account) == LossLimits(daily_loss_auto_liq=D(750), drawdown=D("2000.5"))
    event = RiskEvent.objects.get()
    assert (event.kind, event.owner, event.actor, event.subject) == (
        "venue_limits_set", cast.alice, cast.alice, str(account.pk),
    )  # fmt: skip
    assert "close everything $750.00" in event.text
    assert event.text.endswith(": set")
    assert "nothing was sent" in post(alice, account, daily_loss_auto_liq="750.00", drawdown="2000.5")
    assert RiskEvent.objects.count() == 1
    post(alice, account, daily_loss_auto_liq="750")
    assert kept(account) == LossLimits(daily_loss_auto_liq=D(750)), "an empty field takes its limit away"


@pytest.mark.parametrize("typed", [{"daily_loss_auto_liq": ""}, {"daily_loss_auto_liq": "751"}])
def test_a_limit_that_is_raised_or_taken_away_asks_for_the_password(
    cast: Cast, account: BrokerAccount, typed: dict[str, str]
) -> None:
    cast.alice.set_password(PASSWORD)
    cast.alice.save()
    alice = browser_of(cast.alice)
    post(alice, account, ask="1")
    post(alice, account, daily_loss_auto_liq="750", drawdown="2000")
    assert "whether or not we run" in post(alice, account, daily_loss_auto_liq="749", drawdown="2000"), "it is tighter"
    asked = alice.post(address(account), {"drawdown": "2000", **typed})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert kept(account) == LossLimits(daily_loss_auto_liq=D(749), drawdown=D(2000))
    done = alice.post(asked["Location"], {"password": PASSWORD, "next": address(account)}, follow=True)
    assert "whether or not we run" in done.content.decode()
    wanted = D(751) if typed["daily_loss_auto_liq"] else None
    assert kept(account) == LossLimits(daily_loss_auto_liq=wanted, drawdown=D(2000))


@pytest.mark.parametrize("typed", ["-1", "0", "12.345", "lots", "1e12"])
def test_what_cannot_be_a_limit_is_named_and_asks_nobody(
    alice: Client, account: BrokerAccount, sandbox: RunningSandbox, typed: str
) -> None:
    post(alice, account, ask="1")
    before = len(sandbox.arrivals())
    assert "field-error" in post(alice, account, weekly_loss_auto_liq=typed)
    assert (len(sandbox.arrivals()), RiskEvent.objects.count(), kept(account)) == (before, 0, LossLimits())


def test_a_refusal_is_shown_and_written_down(alice: Client, account: BrokerAccount, sandbox: RunningSandbox) -> None:
    post(alice, account, ask="1")
    sandbox.fault(
        int(account.broker_id), "status", endpoint="userAccountAutoLiq/update", status=403, text="not for you"
    )
    assert "not for you" in post(alice, account, daily_loss_alert="100")
    assert RiskEvent.objects.get().text.endswith("The broker refused: not for you")
    assert kept(account) == LossLimits()


def test_a_broker_without_such_limits_says_so(alice: Client, cast: Cast) -> None:
    account = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, venue="webull", environment="paper"))
    assert "has no loss limits of its own" in alice.get(address(account)).content.decode()
    assert "has no loss limits of its own" in post(alice, account, ask="1")


def test_only_accounts_with_such_limits_lead_to_the_page(alice: Client, account: BrokerAccount, cast: Cast) -> None:
    other = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, venue="webull", environment="paper"))
    page = alice.get(reverse("brokers")).content.decode()
    assert address(account) in page
    assert address(other) not in page


def test_charlie_finds_no_such_page_and_changes_nothing(
    charlie: Client, account: BrokerAccount, sandbox: RunningSandbox
) -> None:
    before = len(sandbox.arrivals())
    for data in ({}, {"ask": "1"}, {"daily_loss_auto_liq": "1"}):
        assert charlie.post(address(account), data).status_code == 404
    assert charlie.get(address(account)).status_code == 404
    assert (len(sandbox.arrivals()), kept(account), RiskEvent.objects.count()) == (before, None, 0)
