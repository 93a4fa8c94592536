"""What must hold after every fault, asked of our rows and of the venue's own books."""

from __future__ import annotations

from collections import Counter

from django.db.models import Sum

from brokers.base import OrderStatus, Side
from execution.models import Fill, IntentKind, IntentStatus, Order, OrderIntent, Position, Transition
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import LIVE as LIVE_ORDERS
from recorders.models import Signal, SignalStatus
from tests.e2e.house import Follower, House

OVER = {SignalStatus.PLANNED, SignalStatus.IGNORED, SignalStatus.EXPIRED, SignalStatus.REFUSED}
SETTLE_S = 20.0
TELLS_TOTALS = "webull"
"""A venue that tells what is filled of an order, and not by which executions."""


def hold(house: House) -> None:
    """Wait until nothing of the house is under way, then check all of them. Call it when the fault is over."""
    house.plant.until(lambda: _is_quiet(house), "nothing is under way any more", SETTLE_S)
    every_promise_was_kept(house)
    no_intent_has_two_orders(house)
    for follower in house.followers:
        nothing_was_doubled_at_the_venue(follower)
        positions_are_the_sum_of_their_fills(follower)
        house.plant.until(lambda f=follower: f.net == f.venue_net, f"{follower} agrees with the venue")  # type: ignore[misc]
        no_position_is_without_its_stop(follower)
        what_is_flat_has_nothing_working(follower)
    what_was_not_done_says_why(house)
    doubt_ended_with_evidence(house)


def _is_quiet(house: House) -> bool:
    waiting = Signal.objects.filter(recorder=house.recorder, status=SignalStatus.RECEIVED)
    under_way = OrderIntent.objects.filter(trader__recorder=house.recorder, status__in=LIVE_INTENTS)
    return not waiting.exists() and not under_way.exists()


def every_promise_was_kept(house: House) -> None:
    """I1: what was answered with 200 is stored and was decided."""
    statuses = dict(Signal.objects.filter(pk__in=house.promised).values_list("pk", "status"))
    assert {str(pk) for pk in statuses} == set(house.promised)
    assert set(statuses.values()) <= OVER


def no_intent_has_two_orders(house: House) -> None:
    """I2, our side: one live order per intent, one order per client order id."""
    orders = Order.objects.filter(intent__trader__recorder=house.recorder, role__in=["entry", "exit"])
    assert _repeated(orders.values_list("client_order_id", flat=True)) == []
    live = orders.filter(status__in=[status.value for status in LIVE_ORDERS])
    assert _repeated(live.values_list("intent_id", flat=True)) == []


def nothing_was_doubled_at_the_venue(follower: Follower) -> None:
    """I2, the venue's side: every id that we sent was taken once, and is an intent's of ours."""
    names = follower.entries_at_venue()
    assert _repeated(names) == []
    ours = set(
        OrderIntent.objects.filter(trader__account=follower.trader.account).values_list("client_order_id", flat=True)
    )
    assert set(names) <= ours
    entered = OrderIntent.objects.filter(trader=follower.trader, kind=IntentKind.ENTRY, status=IntentStatus.DONE)
    assert set(entered.values_list("client_order_id", flat=True)) <= set(names)


def positions_are_the_sum_of_their_fills(follower: Follower) -> None:
    """I5: each fill counted once."""
    fills = Fill.objects.filter(order__trader=follower.trader)
    assert not fills.filter(applied_at__isnull=True).exists()
    by_side = dict(fills.order_by().values_list("side").annotate(total=Sum("qty")))
    assert follower.net == by_side.get(Side.BUY.value, 0) - by_side.get(Side.SELL.value, 0)
    if follower.venue != TELLS_TOTALS:
        assert follower.at_venue["fills"] == Fill.objects.filter(account=follower.trader.account).count()


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


def what_was_not_done_says_why(house: House) -> None:
    """I10: a code and words for the owner, on everything that was not executed."""
    undone = {IntentStatus.DENIED, IntentStatus.EXPIRED, IntentStatus.FAILED}
    intents = OrderIntent.objects.filter(trader__recorder=house.recorder, status__in=undone)
    assert [intent for intent in intents if not (intent.reason_code and intent.reason_text)] == []
    ignored = Signal.objects.filter(recorder=house.recorder).exclude(status=SignalStatus.PLANNED)
    assert [signal for signal in ignored if not (signal.reason_code and signal.reason_text)] == []


def doubt_ended_with_evidence(house: House) -> None:
    """I6: whatever left UNKNOWN was found at the venue, or looked for twice."""
    orders = Order.objects.filter(intent__trader__recorder=house.recorder)
    left = Transition.objects.filter(object_id__in=orders.values("pk"), from_state=OrderStatus.UNKNOWN.value)
    for transition in left:
        order = orders.get(pk=transition.object_id)
        if transition.to_state == OrderStatus.NOT_PLACED.value:
            assert "2 looks" in transition.detail
            assert order.queries_without_trace >= 2
        else:
            assert order.broker_order_id is not None


def _repeated(values: object) -> list[object]:
    return [value for value, times in Counter(values).items() if times > 1]  # type: ignore[call-overload]
