"""Rules of an account that two people set at the same moment, and a lock that comes while one of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from brokers.models import BrokerAccount
from risk import services
from risk.models import AccountRules, RiskEvent
from tests.factories import BrokerAccountFactory
from tests.risk_factories import RiskActionFactory

pytestmark = pytest.mark.django_db


@contextmanager
def meanwhile(happens: Callable[[], object], *, before: str = "", after: str = "") -> Iterator[None]:
    """What happens once, before or after the first statement that begins so and is about rules."""
    left = [happens]

    def hook(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if before and left and sql.startswith(before) and "risk_accountrules" in sql:
            left.pop()()
        found = execute(sql, params, many, context)
        if after and left and sql.startswith(after) and "risk_accountrules" in sql:
            left.pop()()
        return found

    with connection.execute_wrapper(hook):
        yield
    assert not left, "it did happen"


def flatten(account: BrokerAccount) -> None:
    services.set_rules(account=account, actor=account.owner, unprotected_policy="flatten")


@pytest.mark.parametrize("is_first", [True, False])
def test_what_another_sets_at_the_same_moment_stays(is_first: bool) -> None:  # noqa: FBT001
    account = BrokerAccountFactory()
    if not is_first:
        AccountRules.objects.create(account=account)
    with meanwhile(lambda: flatten(account), after="SELECT"):
        said = services.set_rules(account=account, actor=account.owner, fee_per_contract=Decimal(1))
    stored = AccountRules.objects.get()
    assert (stored.unprotected_policy, stored.fee_per_contract) == ("flatten", Decimal(1))
    assert (said.unprotected_policy, said.fee_per_contract) == ("flatten", Decimal(1))
    assert RiskEvent.objects.count() == 2


@pytest.mark.parametrize("given", [{"roll_at": time(1)}, {"roll_zone": "Europe/Berlin"}])
def test_a_lock_that_comes_in_that_moment_keeps_the_roll(given: dict[str, Any]) -> None:
    account = BrokerAccountFactory()
    AccountRules.objects.create(account=account)
    with (
        pytest.raises(ValidationError, match="unlock first"),
        meanwhile(lambda: RiskActionFactory(limit__account=account), before="UPDATE"),
    ):
        services.set_rules(account=account, actor=account.owner, fee_per_contract=Decimal(1), **given)
    stored = AccountRules.objects.get()
    assert (stored.roll, stored.fee_per_contract) == (AccountRules().roll, Decimal(0))
    assert RiskEvent.objects.count() == 0
    RiskActionFactory(limit__account=account)
    usual = {"roll_at": AccountRules().roll_at, "roll_zone": AccountRules().roll_zone}
    services.set_rules(account=account, actor=account.owner, fee_per_contract=Decimal(2), **usual)
    assert AccountRules.objects.get().fee_per_contract == Decimal(2), "the same moment as before is no change"
