"""A broker whose whole books are asked for, and what an owner is shown of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine

from brokers.base import OrderRole, OrderStatus, Side
from brokers.reports import FillReport, OrderReport, PositionReport
from execution.models import Break
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.venue import Venue

Part = OrderReport | FillReport | PositionReport
OTHER = "900"


class Truth(Venue):
    """A broker whose whole books are asked for at moments that the test chooses. It begins two long, with a stop."""

    def __init__(self, **intent: Any) -> None:
        super().__init__(**intent)
        self.start = clock.now()
        self.apply(*self.told())
        self.books: list[Part] = [*self.told(), self.at_venue(2)]

    def told(self) -> list[Part]:
        long_ago = clock.now() - timedelta(seconds=20)
        return [
            self.report(OrderStatus.FILLED),
            self.fill("1", at=long_ago),
            self.leg(OrderRole.STOP, "501", qty=2, stop_price=Decimal(95)),
        ]

    def at_venue(self, net: int, average: str | None = "100") -> PositionReport:
        price = None if net == 0 or average is None else Decimal(average)
        return PositionReport(self.account, MNQ, net, price, clock.now())

    def by_hand(self, number: str, side: Side, qty: int, **fields: Any) -> list[Part]:
        """A trade that somebody made at the broker: its order and its execution."""
        order = self.foreign(OrderStatus.FILLED, number, side=side, qty=qty)
        terms = {"broker_order_id": number, "side": side, "at": clock.now() - timedelta(seconds=20), **fields}
        return [order, self.fill(f"f{number}", qty, **terms)]

    def foreign(self, status: OrderStatus, number: str = OTHER, **fields: Any) -> OrderReport:
        """An order that is not ours."""
        return self.report(status, number, **{"role": OrderRole.EXTERNAL, "client_order_id": None, **fields})

    def look(self, after_s: float, *parts: Part) -> None:
        """What the broker says `after_s` seconds after the start."""
        with time_machine.travel(self.start + timedelta(seconds=after_s), tick=False):
            self.apply(self.sync(*parts))

    def looks(self, *parts: Part, times: int = 2, since_s: float = 60) -> None:
        for number in range(times):
            self.look(since_s + 3 * number, *parts)

    @property
    def net(self) -> int:
        position = self.position
        assert position is not None
        return position.net_qty


def shown() -> list[tuple[str, str]]:
    """Kind and state of what an owner is shown."""
    return sorted(Break.objects.filter(is_suspected=False).values_list("kind", "state"))


def pauses() -> bool:
    return Break.objects.filter(state="open", pauses_entries=True).exists()
