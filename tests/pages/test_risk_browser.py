"""The risk page in a real browser: figures move, old ones look old, and unlocking asks for the password."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.urls import reverse
from playwright.sync_api import expect

from justtrades import clock
from justtrades.testing import PASSWORD, Cast
from risk.models import AccountDay, RiskAction
from tests.factories import Chain
from tests.pages.conftest import Screen
from tests.risk_factories import AccountDayFactory, PackAssignmentFactory, RiskActionFactory, RiskLimitFactory

pytestmark = pytest.mark.browser
PHONE = 390


def test_figures_move_by_themselves_and_a_lock_is_lifted_by_hand(
    screen_of: Callable[..., Screen], cast: Cast, hers: Chain
) -> None:
    # As the live process hashes: this one has a quicker way.
    hasher = Argon2PasswordHasher()
    cast.alice.password = hasher.encode(PASSWORD, hasher.salt())
    cast.alice.save()
    AccountDayFactory(account=hers.account, books_at=clock.now() - timedelta(minutes=2))
    PackAssignmentFactory(account=hers.account)
    limit = RiskLimitFactory(account=hers.account)
    screen = screen_of(cast.alice)
    page = screen.open("/risk/")
    card = page.locator(f"#account-{hers.account.pk}")
    expect(card.get_by_text("$500.00 left")).to_be_visible()
    expect(card.locator("[data-stale-ms]")).to_have_class("is-stale")
    AccountDay.objects.update(realized=Decimal(-360), books_at=clock.now())
    expect(card.get_by_text("$140.00 left")).to_be_visible()
    expect(card.locator("meter").first).to_have_attribute("value", "72")
    expect(card.locator("[data-stale-ms]")).not_to_have_class("is-stale")
    RiskActionFactory(limit=limit)
    card.get_by_role("link", name=f"Unlock {hers.account.name}").click()
    page.get_by_role("button", name="Yes, unlock it").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text(f"{hers.account.name} is unlocked")).to_be_visible()
    assert RiskAction.objects.get().unlocked_by == cast.alice
    phone = screen_of(cast.alice, width=PHONE, height=844)
    for path in ("/risk/", "/risk/switches/", reverse("risk_pack", args=[hers.account.pk])):
        assert phone.open(path).evaluate("document.documentElement.scrollWidth") <= PHONE, path
    assert screen.alarms + phone.alarms == []
