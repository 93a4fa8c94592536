"""What takes protection away asks for the password once more over the API, and what adds to it does not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from justtrades.testing import PASSWORD, Cast, api_client_for
from risk.models import AccountRules, PackAssignment, RiskEvent, RiskLimit
from tests.factories import Chain
from tests.risk_factories import PackAssignmentFactory, RiskLimitFactory

pytestmark = pytest.mark.usefixtures("fresh_throttle")
Asked = tuple[str, str, dict[str, Any]]
"""Method, address and body."""


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    """She has a password that can be asked for."""
    cast.alice.set_password(PASSWORD)
    cast.alice.save()
    return api_client_for(cast.alice)


def changing(body: dict[str, Any], **limit: Any) -> Callable[[Chain], Asked]:
    def ask(hers: Chain) -> Asked:
        made = RiskLimitFactory(account=hers.account, **{"owner_may_unlock": False, **limit})
        return "patch", f"/api/risk/limits/{made.pk}/", body

    return ask


def removing(**limit: Any) -> Callable[[Chain], Asked]:
    terms = {"owner_may_unlock": False, **limit}
    return lambda hers: ("delete", f"/api/risk/limits/{RiskLimitFactory(account=hers.account, **terms).pk}/", {})


def freeing(**assignment: Any) -> Callable[[Chain], Asked]:
    def ask(hers: Chain) -> Asked:
        made = PackAssignmentFactory(account=hers.account, **assignment)
        return "delete", f"/api/risk/assignments/{made.pk}/", {}

    return ask


def reassigning(changed: dict[str, Any], **assignment: Any) -> Callable[[Chain], Asked]:
    def ask(hers: Chain) -> Asked:
        PackAssignmentFactory(account=hers.account, **assignment)
        usual = {"account": str(hers.account.pk), "pack": "topstep-50k", "version": 1, "start_balance": "50000"}
        return "post", "/api/risk/assignments/", {**usual, **changed}

    return ask


LOOSER = {
    "more may be lost": changing({"amount": "600"}),
    "in another unit": changing({"unit": "percent", "amount": "1"}),
    "a limit off": changing({"is_enabled": False}),
    "I may unlock it": changing({"owner_may_unlock": True}),
    "a limit gone": removing(),
    "out of the firm's rules": freeing(),
    "the firm's rules shown only": reassigning({"is_enforced": False}),
    "another firm's rules": reassigning({"pack": "apex-eod-50k"}),
    "lower floors": reassigning({"start_balance": "49999"}),
}
NOT_LOOSER = {
    "less may be lost": changing({"amount": "400"}),
    "a limit on": changing({"is_enabled": True, "amount": "9000"}, is_enabled=False),
    "nobody but staff unlocks it": changing({"owner_may_unlock": False}, owner_may_unlock=True),
    "a limit for myself": changing({"amount": "600", "is_enabled": False}, owner_may_unlock=True),
    "a limit for myself gone": removing(owner_may_unlock=True),
    "a limit gone that was off": removing(is_enabled=False),
    "out of rules that were shown only": freeing(is_enforced=False),
    "the firm's rules enforced": reassigning({}, is_enforced=False),
    "the same rules": reassigning({}),
    "higher floors": reassigning({"start_balance": "50001"}),
}


def everything() -> list[Any]:
    return [list(model.objects.values()) for model in (RiskLimit, AccountRules, PackAssignment, RiskEvent)]


@pytest.mark.parametrize("name", LOOSER)
def test_what_takes_protection_away_asks_for_the_password(name: str, alice: APIClient, hers: Chain) -> None:
    method, address, body = LOOSER[name](hers)
    before = everything()
    for password in ({}, {"password": "wrong"}):
        answer = getattr(alice, method)(address, {**body, **password}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert everything() == before
    answer = getattr(alice, method)(address, {**body, "password": PASSWORD}, format="json")
    assert answer.status_code in {200, 201, 204}, answer.content
    assert RiskEvent.objects.count() == 1
    assert PASSWORD not in answer.content.decode() + RiskEvent.objects.get().text


@pytest.mark.parametrize("name", NOT_LOOSER)
def test_what_adds_to_it_asks_nothing(name: str, alice: APIClient, hers: Chain) -> None:
    method, address, body = NOT_LOOSER[name](hers)
    answer = getattr(alice, method)(address, body, format="json")
    assert answer.status_code in {200, 201, 204}, answer.content
    assert RiskEvent.objects.count() == 1


def test_nothing_but_a_password_is_no_change(alice: APIClient, hers: Chain) -> None:
    limit = RiskLimitFactory(account=hers.account, amount=Decimal(500))
    for method, address in (("patch", f"limits/{limit.pk}"), ("put", f"rules/{hers.account.pk}")):
        answer = getattr(alice, method)(f"/api/risk/{address}/", {"password": PASSWORD}, format="json")
        assert answer.status_code == 400
    assert RiskEvent.objects.count() == 0
