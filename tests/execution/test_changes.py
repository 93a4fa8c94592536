"""Wishes on orders' rows, and what goes to the broker for them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import CHANGE_PREFIX, CancelOrder, ModifyOrder, OrderType
from execution import changes
from execution.models import Order
from justtrades import clock
from tests.execution.desk import MNQ, WritingDesk
from tests.factories import OrderFactory, OrderIntentFactory

pytestmark = pytest.mark.django_db


def wished(**fields: Any) -> Order:
    usual = {
        "intent": OrderIntentFactory(symbol=MNQ),
        "role": "stop",
        "client_order_id": None,
        "side": "sell",
        "status": "working",
        "qty": 3,
        "order_type": OrderType.STOP.value,
        "stop_price": Decimal("24995"),
        "wanted_qty": 3,
        "wanted_price": Decimal("24990.25"),
    }
    return OrderFactory(**{**usual, **fields})


def sent(desk: WritingDesk | None = None) -> list[Any]:
    desk = desk or WritingDesk()
    changes.send_changes(0, desk.submit)
    return desk.sent


def test_a_wish_states_every_term() -> None:
    order = wished()
    (request,) = sent()
    assert request == ModifyOrder(
        request.client_order_id, request.account, str(order.broker_order_id), 3, OrderType.STOP,
        stop_price=Decimal("24990.2500000000"),
    )  # fmt: skip
    assert request.client_order_id.startswith(CHANGE_PREFIX)
    assert len(request.client_order_id) <= 32


def test_a_wish_of_quantity_alone_keeps_the_price() -> None:
    wished(wanted_qty=2, wanted_price=None)
    (request,) = sent()
    assert (request.qty, request.stop_price) == (2, Decimal(24995))


def test_a_target_is_moved_by_its_limit() -> None:
    wished(role="target", order_type=OrderType.LIMIT.value, price=Decimal(25010), stop_price=None)
    (request,) = sent()
    assert (request.order_type, request.price, request.stop_price) == (OrderType.LIMIT, Decimal("24990.25"), None)


def test_a_wish_for_nothing_cancels() -> None:
    order = wished(wanted_qty=0, wanted_price=None)
    (request,) = sent()
    assert isinstance(request, CancelOrder)
    assert request.broker_order_id == order.broker_order_id


@pytest.mark.parametrize(
    "fields",
    [
        {"wanted_qty": None}, {"status": "filled"}, {"status": "suspended"}, {"broker_order_id": None},
        {"change_attempts": changes.MOST_ATTEMPTS},
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_not_asked_for(fields: dict[str, Any]) -> None:
    wished(**fields)
    assert sent() == []


def test_a_wish_is_said_once_and_again_only_when_it_is_not_confirmed_in_time() -> None:
    order = wished()
    first = sent()
    assert len(first) == 1
    assert sent() == []
    Order.objects.filter(pk=order.pk).update(change_sent_at=clock.now() - changes.REPEAT_AFTER - timedelta(seconds=1))
    (again,) = sent()
    assert again.client_order_id != first[0].client_order_id
    assert (again.qty, again.stop_price) == (first[0].qty, first[0].stop_price)


@pytest.mark.parametrize(
    ("fields", "is_gone"),
    [
        ({}, False),
        ({"stop_price": Decimal("24990.25")}, True),
        ({"stop_price": Decimal("24990.25"), "qty": 2}, False),
        ({"status": "canceled"}, True),
        ({"wanted_price": None}, True),
    ],
)
def test_a_wish_ends_when_it_came_true_or_can_no_more(fields: dict[str, Any], *, is_gone: bool) -> None:
    order = wished(**fields)
    assert changes.settle_wish(order) is is_gone
    assert (order.wanted_qty is None) is is_gone


def test_the_same_wish_twice_is_one_and_another_one_starts_anew() -> None:
    order = wished(change_attempts=4, change_sent_at=clock.now())
    assert not changes.wish_terms(order, 3, Decimal("24990.25"))
    assert order.change_attempts == 4
    assert changes.wish_terms(order, 3, Decimal(24980))
    assert (order.change_attempts, order.change_sent_at) == (0, None)


def test_limit_entries_past_their_time_are_wished_away() -> None:
    late = OrderIntentFactory(symbol=MNQ, order_type="limit", cancel_at=clock.now() - timedelta(seconds=1))
    early = OrderIntentFactory(symbol=MNQ, order_type="limit", cancel_at=clock.now() + timedelta(seconds=60))
    resting = {"role": "entry", "status": "working", "order_type": "limit"}
    orders = [OrderFactory(intent=intent, **resting) for intent in (late, early)]
    assert changes.cancel_late_entries(0) == 1
    assert [Order.objects.get(pk=order.pk).wanted_qty for order in orders] == [0, None]
