"""What must hold after every fault: `execution.invariants` of our rows, and that the venue's own books say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from execution.flattening.flatten import live_orders
from execution.invariants import Rates, Scope, check
from execution.models import (
    BrokerPosition,
    Fill,
    Flatten,
    FlattenStatus,
    IntentKind,
    IntentStatus,
    OrderIntent,
    Position,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from justtrades import clock
from recorders.models import Signal, SignalStatus
from tests.e2e.house import Follower, House

OVER = {SignalStatus.PLANNED, SignalStatus.IGNORED, SignalStatus.EXPIRED, SignalStatus.REFUSED}
SETTLE_S = 20.0
SECRET_FROM = 12
"""Letters: what is shorter may stand in a text by chance."""
TELLS_TOTALS = "webull"
"""A venue that tells what is filled of an order, and not by which executions."""
OWN_VENUE = "paper"
"""It runs in the lane: its books are asked for by the lane's looks alone."""


def hold(house: House) -> None:
    """Wait until nothing of the house is under way, then check all of them. Call it when the fault is over."""
    house.plant.until(lambda: _is_quiet(house), "nothing is under way any more", SETTLE_S)
    every_promise_was_kept(house)
    our_rows_hold(house)
    for follower in house.followers:
        if follower.venue == OWN_VENUE:
            the_lane_was_told_the_same(follower)
            continue
        nothing_was_doubled_at_the_venue(follower)
        every_fill_of_the_venue_is_booked(follower)
        house.plant.until(lambda f=follower: f.net == f.venue_net, f"{follower} agrees with the venue")  # type: ignore[misc]
        no_position_is_without_its_stop(follower)
        what_is_flat_has_nothing_working(follower)


def _is_quiet(house: House) -> bool:
    accounts = [one.trader.account_id for one in house.followers]
    waiting = Signal.objects.filter(recorder=house.recorder, status=SignalStatus.RECEIVED)
    whose = Q(trader__recorder=house.recorder) | Q(account__in=accounts, kind=IntentKind.FLATTEN)
    under_way = OrderIntent.objects.filter(whose, status__in=LIVE_INTENTS)
    closing = Flatten.objects.filter(account__in=accounts, status=FlattenStatus.ACTING)
    return not waiting.exists() and not under_way.exists() and not closing.exists()


def every_promise_was_kept(house: House) -> None:
    """I1: what was answered with 200 is stored and was decided."""
    statuses = dict(Signal.objects.filter(pk__in=house.promised).values_list("pk", "status"))
    assert {str(pk) for pk in statuses} == set(house.promised)
    assert set(statuses.values()) <= OVER


def our_rows_hold(house: House) -> None:
    """I1 to I10, I13 and I14, asked of everything that belongs to the house's owner."""
    passwords = [follower.trader.account.login.secrets.get("password", "") for follower in house.followers]
    secrets = tuple(secret for secret in (house.token, *passwords) if len(secret) >= SECRET_FROM)
    scope = Scope(clock.now(), house.owner.pk, secrets=secrets, rates=Rates.configured())
    assert check(scope) == {}


def the_lane_was_told_the_same(follower: Follower) -> None:
    """I5 and I7, where nobody but the lane can look into the venue's books."""
    account = follower.trader.account
    told = BrokerPosition.objects.filter(account=account).values_list("net_qty", flat=True)
    follower.plant.until(lambda: sum(told.all()) == follower.net, f"{follower} agrees with the venue")
    assert not Fill.objects.filter(account=account, applied_at__isnull=True).exists()
    if follower.net == 0:
        assert not live_orders(Q(account=account)).exists()


def nothing_was_doubled_at_the_venue(follower: Follower) -> None:
    """I2, the venue's side: every id that we sent was taken once, and is an intent's of ours."""
    names = follower.entries_at_venue()
    assert _repeated(names) == []
    intents = OrderIntent.objects.filter(account=follower.trader.account)
    ours = set(intents.values_list("client_order_id", flat=True))
    assert set(names) <= ours
    entered = OrderIntent.objects.filter(trader=follower.trader, kind=IntentKind.ENTRY, status=IntentStatus.DONE)
    assert set(entered.values_list("client_order_id", flat=True)) <= set(names)


def every_fill_of_the_venue_is_booked(follower: Follower) -> None:
    """I5: each one once. That positions are their sum is asked of our rows."""
    fills = Fill.objects.filter(account=follower.trader.account)
    ours = fills.filter(Q(order__trader=follower.trader) | Q(order__intent__kind=IntentKind.FLATTEN))
    assert not ours.filter(applied_at__isnull=True).exists()
    if follower.venue != TELLS_TOTALS:
        assert follower.at_venue["fills"] == fills.count()


def no_position_is_without_its_stop(follower: Follower) -> None:
    """I4: working stops cover the position, in our books and at the venue."""
    open_ones = Position.objects.filter(trader=follower.trader, stop_distance__isnull=False).exclude(net_qty=0)
    for position in open_ones:
        assert position.unprotected_since is None
        closing = "Sell" if position.net_qty > 0 else "Buy"
        covered = sum(qty for action, kind, qty, _ in follower.venue_exits if kind == "Stop" and action == closing)
        assert covered == abs(position.net_qty)


def what_is_flat_has_nothing_working(follower: Follower) -> None:
    """I7: no exit outlives its position, where it could open another."""
    if follower.net == 0:
        state = follower.at_venue
        assert (state["workingOrders"], state["suspendedOrders"]) == ([], [])


def _repeated(values: Iterable[object]) -> list[object]:
    return [value for value, times in Counter(values).items() if times > 1]
