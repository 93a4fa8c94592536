"""Limits, rules, packs, high-water marks and locks: what may be set by whom, and what is written down about it."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from justtrades import clock
from justtrades.testing import Cast, make_cast
from risk import selectors, services
from risk.models import (
    AccountEquity,
    AccountRules,
    EventKind,
    PackAssignment,
    RiskAction,
    RiskEvent,
    RiskLimit,
    Unit,
)
from tests.factories import BrokerAccountFactory, RecorderFactory, TraderFactory
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    PackAssignmentFactory,
    RiskActionFactory,
    RiskLimitFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def account(cast: Cast) -> Any:
    return BrokerAccountFactory(login__owner=cast.alice)


def set_limit(cast: Cast, **given: Any) -> RiskLimit:
    usual = {"scope": "user", "kind": "daily_loss", "amount": Decimal(500), "target": {}}
    return services.set_limit(owner=cast.alice, actor=cast.alice, **{**usual, **given})


def refused(call: Any, **given: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(**given)
    error = caught.value
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


def newest_event() -> RiskEvent:
    return RiskEvent.objects.latest("id")


def test_a_limit_of_each_scope_names_what_it_is_on(cast: Cast, account: Any) -> None:
    recorder = RecorderFactory(owner=cast.alice, name="Trend")
    trader = TraderFactory(recorder=recorder, account=account)
    for scope, target in (("user", {}), ("account", {"account": account}), ("recorder", {"recorder": recorder}),
                          ("trader", {"trader": trader})):  # fmt: skip
        limit = set_limit(cast, scope=scope, target=target)
        assert (limit.unit, limit.is_enabled, limit.owner_may_unlock) == ("dollars", True, True)
    assert [event.text for event in RiskEvent.objects.order_by("id")] == [
        "Daily loss 500 $ on everything",
        f"Daily loss 500 $ on {account.name}",
        "Daily loss 500 $ on Trend",
        f"Daily loss 500 $ on Trend on {account.name}",
    ]
    assert {event.actor_id for event in RiskEvent.objects.all()} == {cast.alice.pk}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal(101), "unit": "percent"}, "amount"),
        ({"unit": "count"}, "unit"),
        ({"unit": "bananas"}, "unit"),
        ({"kind": "max_contracts", "amount": Decimal("2.5")}, "amount"),
        ({"kind": "max_contracts", "unit": "dollars"}, "unit"),
        ({"kind": "hourly_loss"}, "kind"),
        ({"scope": "planet"}, "scope"),
        ({"scope": "account"}, "account"),
        ({"basis": "monthly"}, "basis"),
    ],
)
def test_what_is_no_limit_is_refused_by_the_name_of_its_field(given: dict[str, Any], field: str, cast: Cast) -> None:
    assert list(refused(lambda: set_limit(cast, **given))) == [field]
    assert not RiskLimit.objects.exists()
    assert not RiskEvent.objects.exists()


def test_a_limit_is_on_ones_own_and_only_on_what_its_scope_names(cast: Cast, account: Any) -> None:
    theirs = BrokerAccountFactory(login__owner=cast.charlie)
    assert "account" in refused(lambda: set_limit(cast, scope="account", target={"account": theirs}))
    assert "account" in refused(lambda: set_limit(cast, scope="user", target={"account": account}))
    assert not RiskLimit.objects.exists()


def test_what_counts_is_counted_whole_and_there_is_one_limit_of_a_kind(cast: Cast) -> None:
    limit = set_limit(cast, kind="max_contracts", amount=Decimal(10))
    assert (limit.unit, str(limit)) == (Unit.COUNT, "Most contracts 10")
    assert "kind" in refused(lambda: set_limit(cast, kind="max_contracts", amount=Decimal(20)))


LOOSER: list[dict[str, Any]] = [
    {"amount": Decimal(600)},
    {"unit": "percent", "amount": Decimal(1)},
    {"is_enabled": False},
    {"owner_may_unlock": True},
]
TIGHTER: list[dict[str, Any]] = [{"amount": Decimal(400)}, {"amount": Decimal(500)}]


@pytest.mark.parametrize("changes", [*LOOSER, *TIGHTER])
def test_a_limit_is_not_loosened_while_it_locks(changes: dict[str, Any], cast: Cast, account: Any) -> None:
    limit = RiskLimitFactory(account=account, owner_may_unlock=False)
    lock = RiskActionFactory(limit=limit)
    if changes in TIGHTER:
        services.change_limit(limit=limit, actor=cast.alice, **changes)
        assert RiskLimit.objects.get().amount == changes["amount"]
        return
    looser = next(name for name in ("unit", "amount", "is_enabled", "owner_may_unlock") if name in changes)
    said = refused(lambda: services.change_limit(limit=RiskLimit.objects.get(), actor=cast.alice, **changes))
    assert said == {looser: ["It keeps entries out now: unlock first, then loosen it."]}
    assert not RiskEvent.objects.exists()
    RiskAction.objects.filter(pk=lock.pk).update(locks_until=clock.now())
    services.change_limit(limit=RiskLimit.objects.get(), actor=cast.alice, **changes)
    assert all(getattr(RiskLimit.objects.get(), name) == value for name, value in changes.items())


def test_a_change_says_what_it_was(cast: Cast, account: Any) -> None:
    limit = RiskLimitFactory(account=account)
    services.change_limit(limit=limit, actor=cast.alice, amount=Decimal("250.5"), is_enabled=False)
    event = newest_event()
    assert (event.kind, event.subject) == (EventKind.LIMIT_SET, str(limit.pk))
    assert event.text == f"Daily loss 250.5 $ (off) on {account.name}, was Daily loss 500 $"


def test_a_locked_limit_cannot_be_removed(cast: Cast, account: Any) -> None:
    limit = RiskLimitFactory(account=account)
    lock = RiskActionFactory(limit=limit)
    assert refused(services.remove_limit, limit=limit, actor=cast.alice)
    assert RiskLimit.objects.exists()
    services.unlock(action=lock, actor=cast.alice)
    services.remove_limit(limit=limit, actor=cast.alice)
    assert not RiskLimit.objects.exists()
    assert RiskAction.objects.get().limit is None
    assert newest_event().kind == EventKind.LIMIT_REMOVED


@pytest.mark.parametrize(
    ("who", "fields", "is_allowed"),
    [
        ("alice", {}, True),
        ("alice", {"limit__owner_may_unlock": False}, False),
        ("bob", {"limit__owner_may_unlock": False}, True),
        ("charlie", {}, False),
        ("alice", {"limit_key": "setting:x"}, True),
        ("alice", {"limit_key": "pack:x:trailing_drawdown"}, False),
        ("bob", {"limit_key": "pack:x:trailing_drawdown"}, True),
        ("bob", {"status": "flattening"}, False),
        ("bob", {"locks_until": None}, False),
    ],
)
def test_who_may_unlock_what(who: str, fields: dict[str, Any], *, is_allowed: bool, cast: Cast, account: Any) -> None:
    no_limit = {"limit": None, "owner": cast.alice, "account": account}
    lock = RiskActionFactory(**(no_limit if "limit_key" in fields else {"limit__account": account}), **fields)
    actor = getattr(cast, who)
    if not is_allowed:
        refused(services.unlock, action=lock, actor=actor)
        lock.refresh_from_db()
        assert lock.unlocked_at is None
        assert not RiskEvent.objects.exists()
        return
    services.unlock(action=lock, actor=actor)
    lock.refresh_from_db()
    assert (lock.unlocked_by, lock.unlocked_at is not None) == (actor, True)
    event = newest_event()
    assert (event.kind, event.actor, event.owner) == (EventKind.UNLOCKED, actor, cast.alice)
    assert "this limit acts no more in the session" in event.text
    assert refused(services.unlock, action=lock, actor=actor) == {"": ["It is not locked any more."]}


def test_rules_keep_what_is_not_given(cast: Cast, account: Any) -> None:
    services.set_rules(account=account, actor=cast.alice, fee_per_contract=Decimal("2.25"))
    rules = services.set_rules(account=account, actor=cast.alice, roll_at=time(0), roll_zone="Europe/Berlin")
    assert (rules.fee_per_contract, rules.roll) == (Decimal("2.25"), (time(0), "Europe/Berlin"))
    assert AccountRules.objects.count() == 1
    for field, value in (("roll_zone", "Mars/Base"), ("unprotected_after_s", 2), ("fee_per_contract", Decimal(-1))):
        assert list(refused(services.set_rules, account=account, actor=cast.alice, **{field: value})) == [field]


def test_a_lock_is_not_cut_short_by_rolling_the_day_earlier(cast: Cast, account: Any) -> None:
    RiskActionFactory(limit__account=account)
    said = refused(services.set_rules, account=account, actor=cast.alice, roll_at=time(1))
    assert list(said) == ["roll_at"]
    services.set_rules(account=account, actor=cast.alice, fee_per_contract=Decimal(1))


def test_an_account_is_under_one_firms_rules_at_a_time(cast: Cast, account: Any) -> None:
    given = {"account": account, "actor": cast.alice, "version": 1, "start_balance": Decimal(50_000)}
    assert list(refused(services.assign_pack, **given, pack="no-such-firm")) == ["pack"]
    services.assign_pack(**given, pack="topstep-50k")
    made = services.assign_pack(**given, pack="apex-eod-50k", is_enforced=False)
    assert PackAssignment.objects.get() == made
    assert newest_event().text.endswith("from $50,000.00, shown only")
    assert list(refused(services.assign_pack, **{**given, "start_balance": Decimal(0)}, pack="topstep-50k")) == [
        "start_balance"
    ]
    services.remove_pack(assignment=made, actor=cast.alice)
    assert newest_event().kind == EventKind.PACK_REMOVED


def test_days_before_a_firms_rules_began_are_not_read(cast: Cast, account: Any) -> None:
    now = clock.now()
    PackAssignmentFactory(account=account, assigned_at=now)
    AccountDayFactory(account=account, session=date(2026, 1, 2), ends_at=now, realized=Decimal(700))
    AccountDayFactory(account=account, realized=Decimal(300), fees=Decimal(5))
    assert [row[1:] for row in selectors.list_day_results([account.pk])] == [(Decimal(300), Decimal(5))]


def test_rules_of_a_firm_that_lock_stay(cast: Cast, account: Any) -> None:
    assignment = PackAssignmentFactory(account=account)
    RiskActionFactory(limit=None, owner=cast.alice, account=account, limit_key=f"pack:{assignment.pk}:daily_loss")
    assert list(refused(services.remove_pack, assignment=assignment, actor=cast.alice)) == ["pack"]
    given = {"account": account, "actor": cast.alice, "pack": "apex-eod-50k", "version": 1}
    assert list(refused(services.assign_pack, **given, start_balance=Decimal(50_000))) == ["pack"]
    assert PackAssignment.objects.get() == assignment


def test_a_high_water_mark_starts_anew_from_what_the_account_is_worth(cast: Cast, account: Any) -> None:
    assert list(refused(services.reset_high_water, account=account, actor=cast.alice)) == ["account"]
    AccountEquityFactory(account=account, equity=Decimal(48_000))
    began = clock.now()
    services.reset_high_water(account=account, actor=cast.alice)
    equity = AccountEquity.objects.get()
    assert equity.intraday_high == equity.end_of_day_high == equity.equity == Decimal(48_000)
    assert equity.reset_at is not None
    assert began <= equity.reset_at <= clock.now() + timedelta(seconds=1)
    RiskActionFactory(limit__account=account, limit__kind="trailing_drawdown")
    assert list(refused(services.reset_high_water, account=account, actor=cast.alice)) == ["account"]
