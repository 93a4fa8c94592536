"""The price goes through a daily-loss limit: who is over it is closed and locked, nobody else is touched."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from execution.models import Flatten, FlattenStatus, IntentStatus
from risk.models import AccountDay, LimitKind, LimitScope, RiskAction, RiskLimit
from tests.e2e.house import PRICE, Follower, House, symbol
from tests.e2e.plant import Plant

LIMIT = Decimal(100)
OVER = 60.0
"""Points: one MNQ contract loses 120 dollars."""


def limit(follower: Follower, amount: Decimal = LIMIT, **fields: object) -> RiskLimit:
    account = follower.trader.account
    usual = {"scope": LimitScope.ACCOUNT, "account": account, "kind": LimitKind.DAILY_LOSS, "amount": amount}
    return RiskLimit.objects.create(owner=account.owner, **{**usual, **fields})


def is_watched(follower: Follower) -> bool:
    """The monitor counts the open position at today's price."""
    return AccountDay.objects.filter(account=follower.trader.account, open_positions=1, open_pnl__isnull=False).exists()


def test_over_the_limit_is_flat_and_locked_and_the_others_are_not_touched(
    plant: Plant, make_house: Callable[..., House]
) -> None:
    house = make_house(targets=[], stop_distance=2000)
    followers = house.follow(4)
    house.await_live()
    over, under = followers[:2], followers[2:]
    for follower in over:
        limit(follower)
    for follower in under:
        limit(follower, LIMIT * 10)
    counted = AccountDay.objects.filter(account__in=[one.trader.account_id for one in followers])
    plant.until(lambda: counted.count() == len(followers), "each account's day is counted")
    house.post("buy")
    house.await_protected(+1)
    for follower in followers:
        plant.until(lambda f=follower: is_watched(f), "it is watched")  # type: ignore[misc]
    plant.sandbox.price(symbol(), PRICE - OVER)
    for follower in over:
        plant.until(lambda f=follower: f.net == 0 and f.is_flat_at_venue, "it is flat")  # type: ignore[misc]
        account = follower.trader.account
        plant.until(lambda a=account: Flatten.objects.filter(account=a, status=FlattenStatus.FLAT).exists(), "verified")  # type: ignore[misc]
        action = RiskAction.objects.get(account=account)
        assert (action.status, action.code, action.allowed) == ("flat", "DAILY_LOSS", -LIMIT)
        assert action.had is not None and action.had <= -LIMIT
    assert all(one.net == one.venue_net == 1 for one in under)
    house.post("close")
    house.await_flat()
    house.post("buy")
    for follower in under:
        plant.until(lambda f=follower: f.net == 1, "who is not locked trades on")  # type: ignore[misc]
    for follower in over:
        entry = plant.until(lambda f=follower: f.intents[-1].finished_at and f.intents[-1], "the lock answers")  # type: ignore[misc]
        assert (entry.status, entry.reason_code) == (IntentStatus.DENIED, "RISK_LOCK")
