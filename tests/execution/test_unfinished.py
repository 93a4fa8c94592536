"""Exits whose order ended before all was closed: which are sent again, and which must not be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from brokers.base import OrderRole, OrderStatus
from brokers.models import BrokerAccount
from execution.models import (
    BrokerPosition,
    IntentKind,
    IntentStatus,
    Order,
    OrderIntent,
    Reconciliation,
    Transition,
)
from execution.reports.outcomes import MAX_EXIT_ATTEMPTS
from execution.watchdog.flat import end_exits_of_flat
from execution.watchdog.unfinished import send_again
from justtrades import clock
from tests.execution.desk import MNQ, held
from tests.factories import BrokerPositionFactory, FillFactory, OrderFactory, OrderIntentFactory, TraderFactory

pytestmark = pytest.mark.django_db


def exit_with(status: OrderStatus, *, ago_s: float = 3, filled: int = 0, attempts: int = 1, **given: Any) -> Order:
    """An exit under way, of a position of 2, whose order became `status` so long ago."""
    intent = OrderIntentFactory(
        kind=IntentKind.EXIT,
        leg="exit",
        symbol=MNQ,
        side="sell",
        qty=2,
        status=IntentStatus.DISPATCHED,
        attempts=attempts,
        **given,
    )
    at = clock.now() - timedelta(seconds=ago_s)
    return OrderFactory(intent=intent, role=OrderRole.EXIT.value, status=status.value, filled_qty=filled, updated_at=at)


def holding(order: Order, ours: int, theirs: int) -> None:
    assert order.trader is not None
    held(order.trader, ours)
    BrokerPositionFactory(account=order.account, symbol=MNQ, net_qty=theirs)


def again() -> int:
    """Nothing need be asked for it."""
    return send_again(0, unexpected)


def unexpected(account: BrokerAccount) -> None:
    raise AssertionError(f"the books of {account} were asked for")


def state(order: Order) -> tuple[str, bool]:
    """Of its intent, and whether it would go under another name."""
    intent = OrderIntent.objects.get(pk=order.intent_id)
    return intent.status, intent.client_order_id != order.client_order_id


@pytest.mark.parametrize(
    ("status", "more", "ours", "theirs", "expected"),
    [
        (OrderStatus.CANCELED, {"filled": 1}, 1, 1, True),
        (OrderStatus.EXPIRED, {}, -2, -2, True),
        (OrderStatus.FILLED, {"filled": 2}, 1, 1, True),
        (OrderStatus.FILLED, {"filled": 1}, 1, 1, False),
        (OrderStatus.FILLED, {"filled": 1, "ago_s": 31}, 1, 1, True),
        (OrderStatus.CANCELED, {"ago_s": 1}, 2, 2, False),
        (OrderStatus.CANCELED, {}, 2, 0, False),
        (OrderStatus.CANCELED, {}, 2, -1, False),
        (OrderStatus.WORKING, {}, 2, 2, False),
        (OrderStatus.UNKNOWN, {}, 2, 2, False),
    ],
)
def test_an_exit_goes_again_when_its_order_is_over_and_something_is_left(
    status: OrderStatus, more: dict[str, Any], ours: int, theirs: int, *, expected: bool
) -> None:
    order = exit_with(status, **more)
    holding(order, ours, theirs)
    assert again() == expected
    assert state(order) == (("cleared", True) if expected else ("dispatched", False))
    told = Transition.objects.filter(object_id=order.intent_id).values_list("from_state", "to_state")
    assert list(told) == ([("dispatched", "cleared")] if expected else [])


def test_the_last_try_makes_room_for_the_watchdog() -> None:
    order = exit_with(OrderStatus.CANCELED, attempts=MAX_EXIT_ATTEMPTS)
    holding(order, 2, 2)
    assert again() == 0
    assert state(order)[0] == "failed"


def test_an_exit_that_went_again_is_judged_by_its_last_order() -> None:
    order = exit_with(OrderStatus.CANCELED)
    holding(order, 2, 2)
    OrderFactory(
        intent=order.intent, role=OrderRole.EXIT.value, status=OrderStatus.WORKING.value, client_order_id="X-2"
    )
    assert again() == 0


def test_two_exits_of_a_position_do_not_go_again_beside_each_other() -> None:
    order = exit_with(OrderStatus.CANCELED)
    holding(order, 2, 2)
    other = exit_with(OrderStatus.CANCELED, trader=order.trader)
    assert [again(), again()] == [1, 0]
    assert {state(order)[0], state(other)[0]} == {"cleared", "dispatched"}


def test_nothing_goes_again_that_could_close_the_share_of_another_trader() -> None:
    order = exit_with(OrderStatus.CANCELED)
    held(TraderFactory(account=order.account, owner=order.owner, recorder__owner=order.owner), 1)
    holding(order, 2, 1)
    assert again() == 0


def test_what_is_known_from_before_its_end_is_no_proof_and_the_broker_is_asked() -> None:
    order, asked = exit_with(OrderStatus.CANCELED), []
    holding(order, 2, 2)
    BrokerPosition.objects.update(reported_at=clock.now() - timedelta(seconds=4))
    assert (send_again(0, asked.append), state(order)[0]) == (0, "dispatched")
    assert asked == [order.account]
    Reconciliation.objects.create(account=order.account, compared_at=clock.now())
    assert (again(), state(order)[0]) == (1, "cleared")


def test_where_the_broker_holds_less_than_we_think_all_that_is_there_is_closed() -> None:
    """An order for our own size could open something, where the account has other traders, or trades by hand."""
    order = exit_with(OrderStatus.CANCELED)
    TraderFactory(account=order.account, owner=order.owner, recorder__owner=order.owner)
    holding(order, 2, 1)
    assert (again(), state(order)[0]) == (1, "failed")
    flatten = OrderIntent.objects.get(kind=IntentKind.FLATTEN)
    assert (flatten.account_id, flatten.symbol, flatten.side) == (order.account_id, MNQ, "sell")
    assert again() == 0


def test_a_fill_that_waits_for_its_price_is_waited_for() -> None:
    order = exit_with(OrderStatus.CANCELED)
    holding(order, 2, 2)
    fill = FillFactory(order=order, price=None, qty=1)
    assert again() == 0
    fill.delete()
    assert again() == 1


@pytest.mark.parametrize(("ago_s", "net", "expected"), [(7, 0, "done"), (5, 0, "dispatched"), (7, 1, "dispatched")])
def test_an_exit_that_nobody_answered_ends_with_its_order_once_nothing_is_left(
    ago_s: float, net: int, expected: str
) -> None:
    order = exit_with(OrderStatus.FILLED, ago_s=ago_s, filled=2)
    assert order.trader is not None
    held(order.trader, net)
    end_exits_of_flat(0)
    assert state(order)[0] == expected
