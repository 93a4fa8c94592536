"""A limit on everything that its owner has, while not everything is watched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from justtrades import clock
from risk.models import LimitKind, LimitScope
from tests.execution.desk import planned_intents, recorder_with
from tests.execution.stands import limit, watched
from tests.factories import BrokerAccountFactory
from tests.risk_factories import AccountDayFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("silent_s", [None, 11, 9])
def test_a_users_limit_lets_nobody_in_while_one_of_its_accounts_is_not_counted(silent_s: int | None) -> None:
    recorder, (trader,) = recorder_with(1)
    limit(trader, LimitScope.USER, LimitKind.DAILY_LOSS, 500)
    watched(trader)
    other = BrokerAccountFactory(login=trader.account.login)
    a_while_ago = clock.now() - timedelta(days=3)
    AccountDayFactory(account=other, session=a_while_ago.date(), starts_at=a_while_ago, ends_at=a_while_ago)
    BrokerAccountFactory(login__owner=trader.owner, login__is_enabled=False)
    BrokerAccountFactory(login__owner=trader.owner, login__state="failed")
    if silent_s is not None:
        AccountDayFactory(account=other, checked_at=clock.now() - timedelta(seconds=silent_s))
    (intent,) = planned_intents(recorder)
    if silent_s == 9:
        assert intent.reason_code == ""
    else:
        assert (intent.reason_code, intent.reason_had) == ("MONITOR_SILENT", "daily loss not known")
        assert intent.reason_text == "not all of the owner's accounts are watched: had daily loss not known, limit 10 s"
