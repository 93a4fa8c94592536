"""Tripping, hardening and releasing the kill switch, and reading what is in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from justtrades import clock
from risk import restrictions, switch
from risk.models import EventKind, RiskEvent, Switch, SwitchMode, SwitchScope
from risk.terms import terms_of
from tests.factories import BrokerAccountFactory, UserFactory
from tests.risk_factories import PackAssignmentFactory, RiskActionFactory, RiskLimitFactory, SwitchFactory

pytestmark = pytest.mark.django_db


def trip(owner: User | None, scope: SwitchScope, target: object = "", **given: Any) -> Switch:
    usual = {"mode": SwitchMode.REDUCE_ONLY, "reason": "too wild", "actor_id": None if owner is None else owner.pk}
    owner_id = None if owner is None else owner.pk
    return switch.trip(scope=scope, target=str(target), owner_id=owner_id, **{**usual, **given})


def stops(owner: User, account: UUID | None = None, recorder: UUID | None = None) -> bool:
    account = account or uuid4()
    found = restrictions.read([owner.pk], [account], clock.now())
    return found.tripped_for(owner.pk, account, recorder or uuid4()) is not None


def test_each_scope_stops_what_it_names_and_nothing_else() -> None:
    alice, bob, account, recorder = UserFactory(), UserFactory(), uuid4(), uuid4()
    for scope, target in ((SwitchScope.ACCOUNT, account), (SwitchScope.RECORDER, recorder)):
        made = trip(alice, scope, target)
        assert (stops(alice, account), stops(alice, None, recorder)) == (target is account, target is recorder)
        assert not stops(alice)
        switch.release(switch=made, actor=alice)
    trip(alice, SwitchScope.USER, alice.pk)
    assert (stops(alice), stops(bob)) == (True, False)
    trip(None, SwitchScope.PLATFORM)
    assert stops(bob)


def test_what_is_on_stays_on_and_only_gets_harder() -> None:
    alice = UserFactory()
    first = trip(alice, SwitchScope.USER, alice.pk)
    assert trip(alice, SwitchScope.USER, alice.pk, reason="again").pk == first.pk
    second = trip(alice, SwitchScope.USER, alice.pk, mode=SwitchMode.HALT, reason="now really")
    third = trip(alice, SwitchScope.USER, alice.pk)
    assert (second.pk, third.pk) == (first.pk, first.pk)
    assert (third.mode, third.reason) == (SwitchMode.HALT, "now really")
    told = RiskEvent.objects.filter(kind=EventKind.TRIPPED).order_by("id")
    assert [event.text for event in told] == ["Exits only, user: too wild", "Halt, user: now really"]


def test_a_release_is_written_down_and_lets_the_next_one_trip() -> None:
    alice = UserFactory()
    made = trip(alice, SwitchScope.USER, alice.pk)
    switch.release(switch=made, actor=alice)
    made.refresh_from_db()
    assert (made.released_by, stops(alice)) == (alice, False)
    assert RiskEvent.objects.filter(kind=EventKind.RELEASED, owner=alice, actor=alice).count() == 1
    with pytest.raises(ValidationError, match="released already"):
        switch.release(switch=made, actor=alice)
    assert trip(alice, SwitchScope.USER, alice.pk).pk != made.pk


def test_what_staff_stopped_only_staff_lets_go_on() -> None:
    alice, staff = UserFactory(), UserFactory(is_staff=True)
    by_throttle = trip(alice, SwitchScope.ACCOUNT, uuid4(), actor_id=None)
    by_staff = trip(alice, SwitchScope.USER, alice.pk, actor_id=staff.pk)
    platform = trip(None, SwitchScope.PLATFORM)
    assert [switch.may_release(alice, one) for one in (by_throttle, by_staff, platform)] == [True, False, False]
    assert [switch.may_release(UserFactory(), one) for one in (by_throttle, by_staff, platform)] == [False] * 3
    with pytest.raises(ValidationError, match="administrator"):
        switch.release(switch=by_staff, actor=alice)
    assert stops(alice)
    for one in (by_staff, platform):
        switch.release(switch=one, actor=staff)
    assert not stops(alice)


HALT, EXITS_ONLY = SwitchMode.HALT, SwitchMode.REDUCE_ONLY


@pytest.mark.parametrize(
    ("first", "second", "becomes", "owner_releases"),
    [
        (("staff", EXITS_ONLY), ("owner", HALT), ("staff", HALT), False),
        (("staff", EXITS_ONLY), ("owner", EXITS_ONLY), ("staff", EXITS_ONLY), False),
        (("staff", HALT), ("throttle", EXITS_ONLY), ("staff", HALT), False),
        (("owner", EXITS_ONLY), ("staff", EXITS_ONLY), ("staff", EXITS_ONLY), False),
        (("owner", HALT), ("staff", EXITS_ONLY), ("staff", HALT), False),
        (("throttle", EXITS_ONLY), ("staff", EXITS_ONLY), ("staff", EXITS_ONLY), False),
        (("throttle", EXITS_ONLY), ("staff", HALT), ("staff", HALT), False),
        (("staff", EXITS_ONLY), ("other staff", HALT), ("other staff", HALT), False),
        (("staff", EXITS_ONLY), ("other staff", EXITS_ONLY), ("staff", EXITS_ONLY), False),
        (("throttle", EXITS_ONLY), ("owner", HALT), ("owner", HALT), True),
        (("owner", EXITS_ONLY), ("throttle", EXITS_ONLY), ("owner", EXITS_ONLY), True),
    ],
)
def test_what_staff_stopped_stays_theirs_and_what_they_join_becomes_theirs(
    first: tuple[str, SwitchMode], second: tuple[str, SwitchMode], becomes: tuple[str, SwitchMode], *,
    owner_releases: bool,
) -> None:  # fmt: skip
    alice = UserFactory()
    people = {"owner": alice, "staff": UserFactory(is_staff=True), "other staff": UserFactory(is_staff=True)}
    ids = {name: person.pk for name, person in people.items()} | {"throttle": None}
    for who, mode in (first, second):
        made = trip(alice, SwitchScope.USER, alice.pk, actor_id=ids[who], mode=mode, reason=f"says {who}")
    stored = Switch.objects.get()
    assert (stored.actor_id, stored.mode, stored.reason) == (ids[becomes[0]], becomes[1], f"says {becomes[0]}")
    assert (made.actor_id, made.mode, made.reason) == (stored.actor_id, stored.mode, stored.reason)
    assert switch.may_release(alice, stored) == owner_releases
    told = RiskEvent.objects.filter(kind=EventKind.TRIPPED).order_by("id").values_list("actor", "text")
    changed = () if becomes == first else ((second[0], f"{becomes[1].label}, user: says {second[0]}"),)
    assert list(told) == [
        (ids[who], text) for who, text in ((first[0], f"{first[1].label}, user: says {first[0]}"), *changed)
    ]  # fmt: skip


def test_without_a_reason_nothing_is_tripped() -> None:
    alice = UserFactory()
    with pytest.raises(ValidationError) as refused:
        trip(alice, SwitchScope.USER, alice.pk, reason="  ")
    assert (list(refused.value.message_dict), Switch.objects.count()) == (["reason"], 0)


@pytest.mark.parametrize(
    ("words", "hers", "everybodys"),
    [
        ({"scope": "planet"}, True, False),
        ({"scope": "planet", "owner": None}, True, True),
        ({"mode": "softly"}, True, False),
        ({"scope": "account", "mode": "softly", "target": str(UUID(int=7))}, True, False),
        ({"scope": "account", "target": ""}, True, False),
        ({"scope": "user", "owner": None}, True, True),
        ({"scope": "account", "target": str(UUID(int=7))}, False, False),
    ],
)
def test_words_that_nobody_knows_count_as_on(words: dict[str, Any], *, hers: bool, everybodys: bool) -> None:
    alice = UserFactory()
    SwitchFactory(**{"owner": alice, "actor": None, "target": str(alice.pk), **words})
    assert (stops(alice), stops(UserFactory())) == (hers, everybodys)


@pytest.mark.parametrize("words", [{"kind": "luck"}, {"unit": "shells"}, {"basis": "dawn"}])
def test_a_limit_that_nobody_can_read_stops_its_owner(words: dict[str, str]) -> None:
    limit = RiskLimitFactory(**words)
    assert (stops(limit.owner, limit.account.pk), stops(UserFactory())) == (True, False)


def test_locks_limits_and_packs_are_read_while_they_count() -> None:
    account = BrokerAccountFactory()
    limit = RiskLimitFactory(account=account)
    RiskLimitFactory(account=account, kind="weekly_loss", is_enabled=False)
    RiskLimitFactory()
    usual = {"account": account, "limit": limit}
    now = clock.now()
    for number, given in enumerate((
        {"locks_until": now - timedelta(seconds=1)}, {"unlocked_at": now}, {"text": "short"},
        {"text": "long", "locks_until": now + timedelta(hours=2)},
    )):  # fmt: skip
        RiskActionFactory(**usual, limit_key=f"limit:{number}", **given)
    PackAssignmentFactory(account=account)
    PackAssignmentFactory(is_enforced=False)
    found = restrictions.read([account.owner_id], [account.pk], now)
    lock = found.lock_for(account.pk, uuid4())
    assert lock is not None
    assert (lock.text, lock.had, lock.limit) == ("long", "-$512.50", "-$500.00")
    assert len(found.locks[account.pk]) == 2
    (read,) = found.limits
    assert (read.target, read.terms) == (("account", account.pk), terms_of(limit))
    assert [(one.pack, one.start_balance) for one in found.packs.values()] == [("topstep-50k", 50_000)]
    assert restrictions.read([UserFactory().pk], [uuid4()], now).is_empty
