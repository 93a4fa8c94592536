"""The end of a story: the faults are over, everything is told, and both sides' books must agree."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from execution.flattening.flatten import live_orders
from execution.invariants import Scope, check
from execution.models import Break, BreakState, Order, OrderIntent, Position
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import IN_FLIGHT
from justtrades import clock
from tests.factories import HeartbeatFactory
from tests.model.lane import Lane, Line

LONGEST_S = 120
STUCK_S, QUIET_S = 30, 4
"""Nothing has changed for so long: watches that look once a second are through, and what a person traded is adopted,
for which two looks must agree and no exit may be under way.
"""


def come_to_rest(lane: Lane) -> None:
    for line in lane.lines.values():
        line.broker.fault = None
    lane.pass_time(timedelta(seconds=9))
    lane.restart()
    quiet, before = 0, ""
    for _ in range(LONGEST_S):
        _everything_arrives(lane)
        if quiet >= QUIET_S:
            _minute_is_over(lane)
        lane.pass_time(timedelta(seconds=1))
        lane.second()
        now = _state(lane)
        quiet, before = quiet + 1 if now == before else 0, now
        if quiet >= (STUCK_S if _busy(lane) or _differs(lane) else QUIET_S):
            break
    HeartbeatFactory(name="lane.0", beat_at=clock.now())
    found = [f"never came to rest: {text}" for text in _busy(lane)]
    broken = check(Scope(clock.now(), lane.recorder.owner_id))
    found += [f"{name}: {text}" for name, texts in broken.items() for text in texts if not _is_race(lane, name, text)]
    found += _differs(lane)
    assert not found, found


def _everything_arrives(lane: Lane) -> None:
    """Orders at market are filled, and every report of it is applied."""
    for line in lane.lines.values():
        while line.broker.fill_market():
            pass
        while any(line.channels().values()):
            events = [event for channel in line.channels().values() for event in channel]
            for channel in line.channels().values():
                channel.clear()
            lane.deliver(line, sorted(events, key=lambda event: event.at))


def _minute_is_over(lane: Lane) -> None:
    """Each account's books are looked at once a minute: nothing waits for longer until what it waits for is seen."""
    for line in lane.lines.values():
        lane.deliver(line, [line.broker.sync()])


def _busy(lane: Lane) -> list[str]:
    owner = lane.recorder.owner
    # Where the books differ for good a person decides; until then what was to close more than there was waits.
    waits = Break.objects.filter(owner=owner, state=BreakState.OPEN).values("account_id")
    intents = OrderIntent.objects.filter(owner=owner, status__in=sorted(LIVE_INTENTS)).exclude(account_id__in=waits)
    orders = Order.objects.filter(owner=owner, status__in=sorted(IN_FLIGHT)).exclude(account_id__in=waits)
    wished = Order.objects.filter(owner=owner, wanted_qty__isnull=False).exclude(account_id__in=waits)
    return [
        *(f"intent {one.kind} {one.side} {one.qty} {one.status} {one.reason_code}" for one in intents),
        *(f"order {one.role} {one.side} {one.qty} {one.status}" for one in orders),
        *(f"order {one.role} {one.broker_order_id} is to have {one.wanted_qty}" for one in wished),
    ]


def _state(lane: Lane) -> str:
    owner = lane.recorder.owner
    positions = Position.objects.filter(owner=owner).order_by("pk").values_list("pk", "net_qty", "unprotected_since")
    orders = Order.objects.filter(owner=owner).order_by("pk").values_list("pk", "status", "qty", "filled_qty")
    intents = OrderIntent.objects.filter(owner=owner).order_by("pk").values_list("pk", "status", "attempts")
    return f"{list(positions)} {list(orders)} {list(intents)}"


def _is_race(lane: Lane, name: str, text: str) -> bool:
    """What the market did faster than anybody can cancel shows in our rows, too; whatever else did is the broker's to
    tell (`Books.wrongs`).
    """
    raced = [line.trader.pk for line in lane.lines.values() if line.broker.books.races]
    positions = Position.objects.filter(trader__in=raced).values_list("pk", flat=True)
    return name == "I7" and any(text.startswith(f"position {pk}: ") for pk in positions)


def _differs(lane: Lane) -> list[str]:
    return [text for line in lane.lines.values() for text in _disagreements(lane, line)]


def _disagreements(lane: Lane, line: Line) -> list[str]:
    """Where the broker's books and ours differ, once nothing is under way."""
    books, net, name = line.broker.books, lane.net_of(line), line.broker.account.name
    # A broker that is flat is believed, whoever made it so; and where we hold just what is there, it is not to be told
    # whose of two orders alike was which.
    ours = books.net if books.net in {0, net} else books.ours
    found = []
    if ours != net:
        found.append(f"{name}: we hold {net:+d} of {ours:+d}, the broker {books.net:+d}, {books.by_hand:+d} by hand")
    if ours != 0 and books.stop_cover() != abs(ours):
        found.append(f"{name}: {ours:+d} of ours at the broker, under stops for {books.stop_cover()}")
    if net == 0:
        found += [f"{name}: flat, and {order.role} {order.id} works" for order in books.live()]
    live = live_orders(Q(account=line.trader.account, broker_order_id__isnull=False))
    known = {order.id for order in books.live()}
    found += [f"{name}: order {one.broker_order_id} works only in our rows" for one in live
              if one.broker_order_id not in known]  # fmt: skip
    return found
