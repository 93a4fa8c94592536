"""A reversal: what is there is closed, and seen to be, before the other side is entered."""

from __future__ import annotations

from typing import Any

import pytest

from brokers.base import FlattenPosition, OrderRole, OrderStatus, Request, Side, SubmitOrder
from brokers.reports import Accepted, Event, Unknown
from execution import dispatch
from execution.models import IntentKind, Order, OrderIntent
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.venue import Venue
from tests.factories import OrderIntentFactory

pytestmark = pytest.mark.django_db


class Reversing(Venue):
    """An entry for two on the wire, and behind it the exit and the opposite entry of an alert 50 ms later."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Request] = []
        usual: dict[str, Any] = {
            "trader": self.intent.trader, "symbol": MNQ, "side": "sell", "qty": 2, "status": "cleared",
            "cleared_at": clock.now(), "signal__status": "planned",
        }  # fmt: skip
        self.close: OrderIntent = OrderIntentFactory(kind=IntentKind.EXIT, leg="exit", after=self.intent, **usual)
        self.reverse: OrderIntent = OrderIntentFactory(after=self.close, **usual)

    def apply(self, *events: Event) -> None:
        super().apply(*events)
        dispatch.dispatch_due(0, lambda routed: self.sent.extend(request for _, request in routed))

    def kinds(self) -> list[type[Request]]:
        return [type(request) for request in self.sent]

    def closing(self, *events: Event) -> None:
        """The exit's order as it goes."""
        self.apply(*events)


def test_the_other_side_is_entered_once_the_close_has_filled() -> None:
    venue = Reversing()
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"))
    assert venue.kinds() == [FlattenPosition]
    name = venue.close.client_order_id
    venue.apply(Accepted(name, "600", clock.now()))
    assert venue.kinds() == [FlattenPosition], "accepted is not flat"
    out = venue.report(OrderStatus.FILLED, "600", side=Side.SELL, role=OrderRole.EXIT, client_order_id=name)
    venue.apply(out, venue.fill("2", broker_order_id="600", side=Side.SELL))
    assert venue.kinds() == [FlattenPosition, SubmitOrder]


def test_an_entry_that_is_filled_and_whose_fill_is_still_to_come_is_closed_and_not_called_flat() -> None:
    venue = Reversing()
    venue.apply(venue.report(OrderStatus.FILLED))
    assert venue.kinds() == [FlattenPosition]
    venue.apply(venue.fill("1"))
    assert venue.kinds() == [FlattenPosition]


def test_nothing_is_entered_while_nobody_knows_what_became_of_the_close() -> None:
    venue = Reversing()
    venue.apply(venue.report(OrderStatus.FILLED), venue.fill("1"), venue.leg(OrderRole.STOP, "501", qty=2))
    venue.apply(Unknown(venue.close.client_order_id, "no answer", clock.now()))
    stop = venue.leg(OrderRole.STOP, "501", OrderStatus.FILLED, qty=2)
    venue.apply(stop, venue.fill("2", broker_order_id="501", side=Side.SELL))
    assert venue.position is not None
    assert venue.position.net_qty == 0
    assert venue.kinds() == [FlattenPosition], "the close may still come, and would close what was entered"
    assert Order.objects.get(client_order_id=venue.close.client_order_id).status == "unknown"
