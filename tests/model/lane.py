"""Our side of the story: a recorder with followers, and the one lane that trades for them, on real rows.

Everything of the product that decides is the product itself; what is modelled is only what lies around it: the wire
with its delays, the second hand of the lane's keeper, and a process that dies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import time_machine

from brokers.base import AccountRef, ConnectionState, OrderRole, Side
from brokers.reports import Accepted, ConnectionReport, Event, Rejected, SyncReport, Unknown
from execution import changes, dispatch, doubt, planning
from execution.flattening import flatten
from execution.flattening.verify import Verifier
from execution.models import Fill, ObjectKind, Position, Transition
from execution.reconcile.schedule import Looks
from execution.reports.apply import apply_events
from execution.submitting import Routed
from execution.watchdog import Watchdog
from justtrades import clock
from recorders.models import Recorder
from tests.model.broker import Broker
from traders.models import Trader

STREAM_LAG = timedelta(seconds=1)
"""Reports of one connection lag no longer behind each other. That it says nothing at all is another thing."""
ANSWER_WITHIN = timedelta(seconds=5)
SILENT_FOR = timedelta(seconds=10)
"""A connection that has said nothing for so long is left, and the next one begins with the broker's whole truth."""
STEP = timedelta(milliseconds=5)


class Died(BaseException):
    """The process is gone: nothing between here and the process's edge may catch it."""


@dataclass(eq=False)
class Line:
    """One follower's login: the connection to its broker, and what is on its way on it."""

    trader: Trader
    broker: Broker
    looks: list[Event] = field(default_factory=list)
    silent_since: datetime | None = None
    state: ConnectionState = ConnectionState.LIVE

    @property
    def login_id(self) -> UUID:
        return self.trader.account.login_id

    def channels(self) -> dict[str, list[Event]]:
        books = self.broker.books
        return {"stream": books.stream, "money": books.money, "replies": self.broker.replies, "looks": self.looks}

    def query(self, _account: AccountRef) -> SyncReport:
        return self.broker.sync()

    def reconnect(self) -> None:
        """Whatever was under way is lost; the first that the new connection says is all that there is."""
        for channel in self.channels().values():
            channel.clear()
        self.silent_since = None
        now = clock.now()
        self.broker.books.stream += [ConnectionReport(ConnectionState.LIVE, now), self.broker.sync()]

    def overdue(self, now: datetime) -> list[Event]:
        """What can lag no longer, taken off the wire in the order in which it was said."""
        found: list[Event] = []
        for name, channel in self.channels().items():
            within = STREAM_LAG if name in {"stream", "money"} else ANSWER_WITHIN
            due = [] if self.silent_since is not None and name != "looks" else channel
            taken = [event for event in due if event.at <= now - within]
            del channel[: len(taken)]
            found += taken
        return sorted(found, key=lambda event: event.at)

    def note_belief(self) -> None:
        """A broker that was made flat by hand is believed: our record is closed, or a close of ours that waits for its
        order takes the person's for it. What was ours there is from then on the matter of who closed it.
        """
        books = self.broker.books
        if books.flat_since is None:
            return
        mine = Position.objects.filter(trader=self.trader).values("id")
        told = Transition.objects.filter(object_kind=ObjectKind.POSITION, object_id__in=mine, at__gt=books.flat_since)
        closed = [int(net) for net in told.filter(detail__startswith="closed").values_list("from_state", flat=True)]
        theirs = [order.id for order in books.orders.values() if order.role is OrderRole.EXTERNAL]
        taken = Fill.objects.filter(account=self.trader.account, applied_at__gt=books.flat_since, order__role="exit")
        closed += [-Side(fill.side).sign * fill.qty for fill in taken.filter(broker_order_id__in=theirs)]
        if any(fill.broker_order_id in theirs for fill in taken):
            # Then the close is taken for the person's: the two have changed places, and nobody has more or less.
            closes = [order.id for order in books.orders.values() if order.role is OrderRole.EXIT]
            nobodys = Fill.objects.filter(account=self.trader.account, order=None, broker_order_id__in=closes)
            closed += [Side(fill.side).sign * fill.qty for fill in nobodys]
        if closed:
            books.close_by_hand(sum(closed))

    def give_up_waiting(self, now: datetime) -> list[Event]:
        """On a silent connection an answer is waited for only so long."""
        late = [r for r in self.broker.replies if isinstance(r, Accepted | Rejected) and r.at <= now - ANSWER_WITHIN]
        if self.silent_since is None or not late:
            return []
        self.broker.replies = [reply for reply in self.broker.replies if reply not in late]
        return [Unknown(reply.client_order_id, "no answer within five seconds", now) for reply in late]


class Lane:
    """`index`, `submit`, `dispatch`, `loop`, `inbox`, `looked_at` and `connection_of` are what the duties ask of it."""

    index = 0

    def __init__(self, recorder: Recorder, lines: Sequence[Line], clock_hand: time_machine.Coordinates) -> None:
        self.recorder = recorder
        self.lines = {line.login_id: line for line in lines}
        self.hand = clock_hand
        self.is_dead = False
        self.loop = self
        self.inbox = self
        self.begin()

    def begin(self) -> None:
        """What a new process has in memory."""
        self.looked_at: dict[tuple[UUID, str], datetime] = {}
        self.verifier = Verifier(self)
        self.looks = Looks(self)
        self.watchdog = Watchdog(self)

    def pass_time(self, span: timedelta) -> None:
        self.hand.shift(span)
        for line in self.lines.values():
            line.broker.arrive()

    def submit(self, routed: Sequence[Routed]) -> None:
        for login_id, request in routed:
            self.lines[login_id].broker.submit(request)

    def dispatch(self) -> None:
        dispatch.dispatch_due(self.index, self.submit)

    def connection_of(self, login_id: UUID) -> Any:
        return self.lines[login_id]

    def background(self, errand: Callable[[], None]) -> None:
        errand()

    def put(self, login_id: UUID, events: Sequence[Event]) -> None:
        """Where the answer to a look comes in: it takes its time, as all that goes over the wire."""
        self.lines[login_id].looks += events

    def alive(self, errand: Callable[[], object]) -> None:
        """Do something in the lane's process, which may die of it."""
        if self.is_dead:
            return
        self.pass_time(STEP)
        try:
            errand()
        except Died:
            self.die()
        for line in self.lines.values():
            line.note_belief()

    def die(self) -> None:
        """Everything in memory is gone, and so is all that was on its way to the process."""
        self.is_dead = True
        self.watchdog = Watchdog(self)
        for line in self.lines.values():
            for channel in line.channels().values():
                channel.clear()

    def restart(self) -> None:
        self.is_dead = False
        self.begin()
        self.alive(lambda: doubt.doubt_everything_in_flight(self.index))
        for line in self.lines.values():
            line.reconnect()

    def plan(self) -> None:
        while (planned := planning.plan_next(self.recorder.pk, self.index)) is not None:
            dispatch.send(planned.requests, self.submit)
            self.dispatch()

    def deliver(self, line: Line, events: Sequence[Event]) -> None:
        """A batch is applied, and what follows from it goes out."""
        if not events:
            return

        def take_in() -> None:
            apply_events([(line.login_id, event) for event in events])
            self.dispatch()

        self.alive(take_in)

    def second(self) -> None:
        """One round of the keeper's duties, after what can lag no longer has come in."""
        for line in self.lines.values():
            now = clock.now()
            if line.silent_since is not None and now - line.silent_since >= SILENT_FOR:
                line.reconnect()
            self.deliver(line, [*line.overdue(now), *line.give_up_waiting(now)])
        for duty in (
            self.plan,
            lambda: flatten.act(self.index),
            self.dispatch,
            self.verifier.look,
            lambda: doubt.doubt_silent(self.index),
            lambda: doubt.look_for_unknown(self),
            self.looks.look,
            *self.watchdog.duties(),
            lambda: changes.cancel_late_entries(self.index),
        ):
            self.alive(duty)

    def net_of(self, line: Line) -> int:
        return sum(Position.objects.filter(trader=line.trader).values_list("net_qty", flat=True))
