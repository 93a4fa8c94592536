"""Signals with followers, and a lane's desk that only writes down what it is asked to send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from brokers.base import Request, Side
from execution import dispatch, planning
from execution.models import IntentStatus, OrderIntent, Position
from execution.submitting import Routed
from recorders.models import Recorder, Signal
from tests.factories import PositionFactory, RecorderFactory, SignalFactory, TraderFactory
from traders.models import Trader

MNQ = "MNQZ6"


@dataclass(slots=True)
class WritingDesk:
    """Stands where a lane would: `sent` holds every request, in order."""

    index: int = 0
    sent: list[Request] = field(default_factory=list)

    def submit(self, routed: Sequence[Routed]) -> None:
        self.sent += [request for _, request in routed]

    def dispatch(self) -> int:
        return dispatch.dispatch_due(self.index, self.submit)


def recorder_with(followers: int, **recorder: Any) -> tuple[Recorder, list[Trader]]:
    made = RecorderFactory(**recorder)
    return made, [TraderFactory(recorder=made) for _ in range(followers)]


def signal_for(recorder: Recorder, action: str = "buy", **fields: Any) -> Signal:
    usual = {"ticker": MNQ, "quantity": Decimal(1)}
    return SignalFactory(recorder=recorder, action=action, **{**usual, **fields})


def intents_of(signal: Signal) -> list[OrderIntent]:
    return list(OrderIntent.objects.filter(signal=signal).order_by("created_at", "id"))


def held(trader: Trader, net_qty: int, symbol: str = MNQ) -> None:
    """Give the trader a position."""
    PositionFactory(trader=trader, symbol=symbol, net_qty=net_qty)


def planned_intents(recorder: Recorder, action: str = "buy", **fields: Any) -> list[OrderIntent]:
    """What the next signal of the recorder becomes."""
    signal = signal_for(recorder, action, **fields)
    planning.plan_next(recorder.pk)
    return intents_of(signal)


def set_on(trader: Trader, where: str, **fields: Any) -> None:
    """Change the trader, or the row at the end of the dotted path from it."""
    row: Any = trader
    for name in filter(None, where.split(".")):
        row = getattr(row, name)
    type(row).objects.filter(pk=row.pk).update(**fields)


def fill_all() -> None:
    """What the venue would do: every cleared intent is filled, oldest first."""
    for intent in OrderIntent.objects.filter(status=IntentStatus.CLEARED).order_by("created_at", "id"):
        position, _ = Position.objects.get_or_create(
            trader=intent.trader, symbol=intent.symbol,
            defaults={"owner": intent.owner, "account": intent.account, "net_qty": 0},
        )  # fmt: skip
        if intent.kind != "cancel":
            position.net_qty += Side(intent.side).sign * intent.qty
        position.save()
        intent.status = IntentStatus.DONE
        intent.save()


def net(trader: Trader) -> int:
    return sum(Position.objects.filter(trader=trader).values_list("net_qty", flat=True))
