"""What takes protection away asks for the password on its page, and then does what was typed before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from justtrades.testing import PASSWORD
from risk.models import AccountEquity, AccountRules, PackAssignment, RiskEvent, RiskLimit
from tests.factories import Chain
from tests.pages.test_risk_commands import with_password
from tests.risk_factories import AccountEquityFactory, PackAssignmentFactory, RiskLimitFactory

__all__ = ["with_password"]
PAGES: dict[str, tuple[dict[str, Any], str]] = {
    "risk_limit_edit": ({"amount": "600", "unit": "dollars", "is_enabled": "on"}, "Daily loss 600 $ on"),
    "risk_limit_remove": ({}, "is removed."),
    "risk_high_water": ({}, "count from what it is worth now"),
    "risk_pack": ({"pack": "topstep-50k:1", "start_balance": "48000", "is_enforced": "on"}, "under these rules"),
    "risk_pack_remove": ({}, "no firm"),
}


def everything() -> list[Any]:
    return [
        list(model.objects.values()) for model in (RiskLimit, AccountRules, PackAssignment, AccountEquity, RiskEvent)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_it_asks_and_comes_back_with_what_was_typed(name: str, with_password: Client, hers: Chain) -> None:
    limit = RiskLimitFactory(account=hers.account, owner_may_unlock=False)
    AccountEquityFactory(account=hers.account)
    PackAssignmentFactory(account=hers.account)
    typed, words = PAGES[name]
    address = reverse(name, args=[limit.pk if name.startswith("risk_limit") else hers.account.pk])
    before = everything()
    asked = with_password.post(address, typed)
    assert asked.status_code == 302
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert everything() == before
    done = with_password.post(asked["Location"], {"password": PASSWORD, "next": address}, follow=True)
    assert words in done.content.decode()
    assert everything() != before


def test_tightening_asks_nothing(with_password: Client, hers: Chain) -> None:
    limit = RiskLimitFactory(account=hers.account, owner_may_unlock=False)
    PackAssignmentFactory(account=hers.account)
    for name, pk, typed in (
        ("risk_limit_edit", limit.pk, {"amount": "400", "unit": "dollars", "is_enabled": "on"}),
        ("risk_pack", hers.account.pk, {"pack": "topstep-50k:1", "start_balance": "51000", "is_enforced": "on"}),
    ):
        assert with_password.post(reverse(name, args=[pk]), typed)["Location"] == reverse("risk"), name
    assert RiskLimit.objects.get().amount == Decimal(400)
