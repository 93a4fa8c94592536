"""A sign-in that its owner must approve at the broker, in the broker's own app."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from brokers.access import Access, Token
from brokers.base import AccountRef
from brokers.errors import AuthFailed
from brokers.models import BrokerAccount, BrokerLogin
from brokers.registry import VENUES
from brokers.sandbox.testing import RunningSandbox
from brokers.venue import ListedAccount
from justtrades.testing import Cast
from tests.factories import BrokerLoginFactory
from tests.pages.test_connect import CONNECT, typed


class PhoneVenue:
    """A venue that lets nobody in until a phone approved, and knows who asked by the token that it gave."""

    def __init__(self) -> None:
        self.is_approved = False
        self.tokens: list[str | None] = []

    def sign_in_check(self, access: Access) -> tuple[ListedAccount, ...]:
        token = access.store.load()
        self.tokens.append(token.access if token is not None else None)
        if not self.is_approved:
            access.store.save(token or Token("waiting-7b", datetime(2030, 1, 1, tzinfo=UTC)))
            raise AuthFailed("TWO_FACTOR_PENDING", "enter the code in the app")
        return (ListedAccount(AccountRef("9", "FUT-9"), kind="FUTURES"),)


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> PhoneVenue:
    venue = PhoneVenue()
    monkeypatch.setitem(VENUES, "tradovate", replace(VENUES["tradovate"], sign_in_check=venue.sign_in_check))
    return venue


def test_a_sign_in_that_wants_a_phone_waits_for_its_owner(
    alice: Client, sandbox: RunningSandbox, phone: PhoneVenue
) -> None:
    page = alice.post(CONNECT, typed(sandbox), follow=True)
    login = BrokerLogin.objects.get()
    approve = reverse("broker_approve", args=[login.pk])
    assert page.redirect_chain[-1][0] == approve
    assert "enter the code in the app" in page.content.decode()
    assert (login.awaits_approval, login.is_enabled, BrokerAccount.objects.count()) == (True, False, 0)
    assert "Waits for you" in alice.get(reverse("brokers")).content.decode()
    assert "approve it first" in alice.post(reverse("broker_enable", args=[login.pk]), follow=True).content.decode()
    assert "still waits" in alice.post(approve).content.decode()
    phone.is_approved = True
    alice.post(approve)
    login.refresh_from_db()
    assert (login.awaits_approval, login.is_enabled, login.state_detail) == (False, True, "")
    assert BrokerAccount.objects.get().kind == "FUTURES"
    assert phone.tokens == [None, "waiting-7b", "waiting-7b"]


def test_an_approval_is_its_owners_alone(
    charlie: Client, cast: Cast, sandbox: RunningSandbox, phone: PhoneVenue
) -> None:
    login = BrokerLoginFactory(owner=cast.alice, awaits_approval=True, is_enabled=False)
    phone.is_approved = True
    assert charlie.post(reverse("broker_approve", args=[login.pk])).status_code == 404
    login.refresh_from_db()
    assert (login.awaits_approval, phone.tokens) == (True, [])
