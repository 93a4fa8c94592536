"""The stop that moves to the entry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from brokers.instruments import contract_of
from execution import breakeven
from execution.models import Order, Position, Transition
from recorders.settings import read_settings
from tests.execution.desk import MNQ
from tests.factories import OrderFactory, OrderIntentFactory, PositionFactory
from traders.exits import template_of

pytestmark = pytest.mark.django_db
SETTINGS = {"stop_distance": 20, "break_even_ticks": 16, "break_even_offset_ticks": 2, "targets": [{"distance": 80}]}


def held(net_qty: int, **fields: Any) -> tuple[Position, Order]:
    exits = template_of(read_settings(SETTINGS), contract_of(MNQ), Decimal(1)).text
    usual = {"symbol": MNQ, "net_qty": net_qty, "avg_price": Decimal(25000), "exits": exits}
    position = PositionFactory(**{**usual, **fields})
    stop = OrderFactory(
        intent=OrderIntentFactory(trader=position.trader, symbol=MNQ), role="stop", client_order_id=None,
        side="sell" if net_qty > 0 else "buy", status="working", qty=abs(net_qty), order_type="stop",
        stop_price=Decimal(24995 if net_qty > 0 else 25005), target_index=0,
    )  # fmt: skip
    return position, stop


@pytest.mark.parametrize(("net_qty", "trigger", "stop"), [(2, "25004", "25000.5"), (-1, "24996", "24999.5")])
def test_the_stop_is_wished_to_the_entry_plus_the_offset(net_qty: int, trigger: str, stop: str) -> None:
    position, order = held(net_qty)
    (found,) = breakeven.triggers_of(0)[MNQ]
    assert found.price == Decimal(trigger)
    assert breakeven.move_stops([found]) == 1
    order.refresh_from_db()
    assert (order.wanted_qty, order.wanted_price) == (abs(net_qty), Decimal(stop))
    position.refresh_from_db()
    assert position.is_at_break_even
    assert "break-even" in Transition.objects.get(object_id=position.pk).detail
    assert breakeven.move_stops([found]) == 0
    assert breakeven.triggers_of(0) == {}


@pytest.mark.parametrize(
    ("is_long", "traded", "reached"),
    [(True, "25003.75", False), (True, "25004", True), (False, "25003.75", True), (False, "25004.25", False)],
)
def test_a_trigger_is_reached_at_its_price_or_beyond(traded: str, *, is_long: bool, reached: bool) -> None:
    position, _ = held(1)
    trigger = breakeven.Trigger(position.trader_id, MNQ, is_long, Decimal(25004))
    assert trigger.is_reached(Decimal(traded)) is reached


@pytest.mark.parametrize("fields", [{"net_qty": 0}, {"exits": ""}, {"is_at_break_even": True}])
def test_a_position_that_changed_meanwhile_is_left_alone(fields: dict[str, Any]) -> None:
    position, order = held(1)
    triggers = breakeven.triggers_of(0)[MNQ]
    Position.objects.filter(pk=position.pk).update(**fields)
    assert breakeven.move_stops(triggers) == 0
    order.refresh_from_db()
    assert order.wanted_qty is None
