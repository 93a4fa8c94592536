"""A limit is reached: decided once, locked, and closed, the short way or the long one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from brokers.models import BrokerAccount
from execution.guard import decide
from execution.guard.strike import can_strike, strike
from execution.guard.watching import Watching
from execution.models import Flatten, IntentKind, Order, OrderIntent, Position
from justtrades import clock
from risk.models import (
    ActionStatus,
    RiskAction,
    RiskEvent,
)
from tests.execution.desk import MNQ
from tests.execution.watchers import fill, limit, trader_on, watched_account, watching
from tests.factories import BrokerAccountFactory, PositionFactory, TraderFactory
from tests.risk_factories import RiskActionFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> BrokerAccount:
    return watched_account()


@pytest.fixture
def trader(account: BrokerAccount) -> Trader:
    return trader_on(account)


def breach_of(watched: Watching) -> list[decide.Breach]:
    return watched.ledger.new_breaches(watched.subjects)


def test_a_breach_is_decided_once_closed_and_locked(account: BrokerAccount) -> None:
    row = limit(account)
    fill(account, "buy", 25_000)
    PositionFactory(trader=TraderFactory(account=account, recorder__owner=account.owner), symbol=MNQ, net_qty=1)
    watched = watching(account, 24_900)
    breaches = breach_of(watched)
    assert (decide.decide(breaches), decide.decide(breaches)) == (1, 0)
    action = RiskAction.objects.get()
    session = watched.days[account.pk].session
    assert (action.limit, action.session, action.locks_until) == (row, session.day, session.end)
    assert (action.had, action.allowed, action.status) == (-200, -100, ActionStatus.FLATTENING)
    assert action.text == "Daily loss: had -$200.00, limit -$100.00"
    assert Flatten.objects.get().risk_action == action
    assert OrderIntent.objects.get(kind=IntentKind.FLATTEN).symbol == MNQ
    assert RiskEvent.objects.get().text == action.text
    RiskAction.objects.update(unlocked_at=clock.now())
    assert breach_of(watching(account, 24_900)) == [], "who unlocks it has the rest of the session"


def test_what_our_own_order_opens_after_the_lock_is_closed_again(account: BrokerAccount, trader: Trader) -> None:
    limit(account)
    fill(account, "buy", 25_000)
    decide.decide(breach_of(watching(account, 24_900)))
    flat_at = clock.now() - timedelta(seconds=5)
    RiskAction.objects.update(status=ActionStatus.FLAT, flat_at=flat_at)
    assert decide.act_again([account.pk]) == 0
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    assert decide.act_again([account.pk]) == 1
    assert decide.act_again([account.pk]) == 0, "it is being closed already"
    assert Flatten.objects.count() == 2


def reopened(trader: Trader) -> RiskAction:
    """A limit that locked the account, was flat, and finds a position there that our own order opened since."""
    flat: dict[str, Any] = {"status": ActionStatus.FLAT, "flat_at": clock.now() - timedelta(seconds=5)}
    made: RiskAction = RiskActionFactory(limit__account=trader.account, **flat)
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    return made


@pytest.fixture
def at_the_mark(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[Callable[[], None]], None]:
    """What happens at the moment in which an action is marked as being closed again, once."""

    def arm(happens: Callable[[], None]) -> None:
        def kill(_pid: int, _signal: int) -> None:
            settings.KILL_POINT = ""
            happens()

        settings.KILL_POINT = "guard.reopened"
        monkeypatch.setattr("justtrades.killpoints.os", SimpleNamespace(kill=kill, getpid=os.getpid))

    return arm


def die() -> None:
    raise SystemExit


def test_a_process_that_dies_while_it_closes_again_leaves_nothing_half_done(
    account: BrokerAccount, trader: Trader, at_the_mark: Callable[[Callable[[], None]], None]
) -> None:
    action = reopened(trader)
    at_the_mark(die)
    with pytest.raises(SystemExit):
        decide.act_again([account.pk])
    action.refresh_from_db()
    assert (action.status, Flatten.objects.count()) == (ActionStatus.FLAT, 0)
    assert decide.act_again([account.pk]) == 1, "the one that comes after it finds it again"
    assert Flatten.objects.get().risk_action == action
    Position.objects.update(net_qty=0)


def test_what_is_unlocked_in_the_moment_in_which_it_would_be_closed_again_is_left_alone(
    account: BrokerAccount, trader: Trader, at_the_mark: Callable[[Callable[[], None]], None]
) -> None:
    other = trader_on(BrokerAccountFactory(login=account.login))
    for one in (trader, other):
        reopened(one)
    at_the_mark(lambda: unlock_what_is_flat(1))
    assert decide.act_again([account.pk, other.account_id]) == 1
    unlocked, again = (RiskAction.objects.get(unlocked_at__isnull=is_locked) for is_locked in (False, True))
    assert (unlocked.status, again.status) == (ActionStatus.FLAT, ActionStatus.FLATTENING)
    assert Flatten.objects.get().risk_action == again
    Position.objects.update(net_qty=0)


def unlock_what_is_flat(expected: int) -> None:
    assert RiskAction.objects.filter(status=ActionStatus.FLAT).update(unlocked_at=clock.now()) == expected


def test_what_a_tick_caused_is_decided_marked_and_sent_in_one_go(account: BrokerAccount) -> None:
    limit(account)
    fill(account, "buy", 25_000, qty=2)
    watched = watching(account, 24_900)
    breaches = breach_of(watched)
    requests = strike(breaches, watched.days)
    assert requests is not None
    ((login_id, request),) = requests
    order, intent = Order.objects.get(), OrderIntent.objects.get()
    assert (login_id, request.client_order_id) == (account.login_id, intent.client_order_id)
    assert (order.status, order.side, order.qty, order.intent) == ("submitting", "sell", 2, intent)
    assert (intent.status, intent.kind, intent.trader) == ("dispatched", IntentKind.FLATTEN, None)
    act = Flatten.objects.get()
    assert (act.risk_action, act.tries, act.status) == (RiskAction.objects.get(), 1, "acting")
    assert strike(breaches, watched.days) is None, "it was decided before, and the long way finds that, too"
    assert (decide.decide(breaches), RiskAction.objects.count()) == (0, 1)
    RiskAction.objects.all().delete()
    assert strike(breaches, watched.days) is None, "a close of it is under way"
    assert RiskAction.objects.count() == 0, "and nothing is half done"


def test_only_whole_accounts_that_hold_something_go_the_short_way(account: BrokerAccount, trader: Trader) -> None:
    limit(account)
    fill(account, "buy", 25_000)
    watched = watching(account, 24_900)
    (breach,) = breach_of(watched)
    assert can_strike(breach, watched.days)
    assert not can_strike(replace(breach, trader_id=trader.pk), watched.days)
    assert not can_strike(breach, {})
