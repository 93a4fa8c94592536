"""Any story of alerts, fills, faults, deaths and time, told to the product and to a model broker at once.

After each step no entry was taken twice and no exit made anything bigger. At the end everything comes to rest: both
sides' books agree, what is held is under its stop, what is flat has nothing working, and every invariant holds of the
whole story.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.conf import settings
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from brokers.base import AccountRef, OrderRole, OrderType, Side
from execution import explain
from execution.clearing import pace
from execution.flattening import flatten
from execution.models import IntentSource
from justtrades import clock
from recorders.receive import Inbox, receive_alert
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, RecorderFactory, TraderFactory
from tests.model.broker import Broker, Fault, duplicates, restart_numbers
from tests.model.lane import Died, Lane, Line
from tests.model.orders import LEGS, TICK
from tests.model.rest import come_to_rest

STARTS = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SYMBOL = "MNQZ6"
ALONE = "modelplain"
OF_WEB = ("webhook.pre_commit", "webhook.post_commit", "webhook.pre_ring")
OF_LANE = ("plan.mid", "dispatch.pre_mark", "dispatch.pre_send", "dispatch.post_send", "bracket.pre_arm", "fills.mid")
USUAL: dict[str, Any] = {"initial_position_size": 0, "add_position_size": 0}
TARGETS = [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}]
TWO_TARGETS = {**USUAL, "targets": TARGETS, "stop_distance": 20}
ADDS = {**TWO_TARGETS, "same_direction": "add"}
RE_ENTERS = {**USUAL, "same_direction": "re_enter"}
SETTINGS = (USUAL, TWO_TARGETS, ADDS, RE_ENTERS)
PLACES = st.integers(0, 1)
POSITIONS = st.integers(-3, 3)


class Story(RuleBasedStateMachine):
    """One recorder, one follower at a broker that links orders, and one at a broker that does not."""

    def __init__(self) -> None:
        super().__init__()
        self.error_before = sys.exc_info()[1]
        restart_numbers()
        explain._stored.clear()
        pace.windows.forget()
        self.travel = time_machine.travel(STARTS, tick=False)
        self.hand = self.travel.start()
        self.rows = transaction.atomic()
        self.rows.__enter__()
        self.alerts = 0
        self.flattens = 0
        self.strategy = 0
        self.sent: list[bytes] = []
        self.held_back: list[bytes] = []

    @initialize(chosen=st.sampled_from(SETTINGS))
    def open(self, chosen: dict[str, Any]) -> None:
        recorder = RecorderFactory(settings=chosen)
        self.lines = []
        for number, venue in enumerate(("tradovate", ALONE)):
            login = BrokerLoginFactory(owner=recorder.owner, venue=venue)
            account = BrokerAccountFactory(login=login, broker_id=str(number + 1), name=venue)
            trader = TraderFactory(recorder=recorder, account=account)
            ref = AccountRef(account.broker_id, account.name)
            self.lines.append(Line(trader, Broker(ref, links=venue != ALONE, symbol=SYMBOL)))
        self.lane = Lane(recorder, self.lines, self.hand)
        self.inbox = Inbox(recorder.id, recorder.owner_id, is_enabled=True)

    # What the strategy says.

    @rule(action=st.sampled_from(["buy", "sell", "close"]), contracts=st.integers(1, 3), held_back=st.booleans())
    def alert(self, action: str, contracts: int, held_back: bool) -> None:  # noqa: FBT001 - drawn
        self._alert(held_back, action=action, contracts=str(contracts))

    @rule(to=POSITIONS, held_back=st.booleans())
    def move(self, to: int, held_back: bool) -> None:  # noqa: FBT001 - drawn
        """The strategy says from where to where it went."""
        before, self.strategy = self.strategy, to
        self._alert(
            held_back,
            action="buy" if to >= before else "sell",
            contracts=str(abs(to - before)),
            position=_side(to),
            position_size=str(abs(to)),
            prev_position=_side(before),
            prev_position_size=str(abs(before)),
        )

    @rule(to=POSITIONS)
    def trade(self, to: int) -> None:
        """The strategy goes there, and nobody is slow."""
        self.move(to, held_back=False)
        self.work()
        while any([line.broker.fill_market() for line in self.lines]):
            self.work()

    @precondition(lambda self: self.sent)
    @rule(back=st.integers(1, 4))
    def resend(self, back: int) -> None:
        self._receive(self.sent[-min(back, len(self.sent))])

    @precondition(lambda self: self.held_back)
    @rule(back=st.integers(1, 4))
    def arrive_late(self, back: int) -> None:
        self._receive(self.held_back.pop(-min(back, len(self.held_back))))

    # What the market and the brokers do.

    @rule(place=PLACES, qty=st.sampled_from([None, 1]))
    def fill(self, place: int, qty: int | None) -> None:
        self.lines[place].broker.fill_market(qty)

    @rule(ticks=st.sampled_from([-45, -25, -9, 9, 25, 45]), is_slow=st.booleans())
    def walk(self, ticks: int, is_slow: bool) -> None:  # noqa: FBT001 - drawn
        """A slow market leaves us the time to hear of everything, and to cancel what a venue does not cancel itself."""
        for line in self.lines:
            if is_slow:
                self._catch_up(line)
            line.broker.move(ticks, is_told=self._is_told(line))

    @rule(place=PLACES, roles=st.lists(st.sampled_from(sorted(LEGS)), min_size=1, max_size=3), is_slow=st.booleans())
    def reach(self, place: int, roles: list[OrderRole], is_slow: bool) -> None:  # noqa: FBT001 - drawn
        """The market goes to where an exit rests, and on to others."""
        line = self.lines[place]
        broker = line.broker
        for role in roles:
            if is_slow:
                self._catch_up(line)
            at = [one.price for one in broker.books.working() if one.role == role and one.price is not None]
            if at:
                broker.move(int((at[0] - broker.price) / TICK), is_told=self._is_told(line))

    @rule(place=PLACES, fault=st.sampled_from(Fault))
    def fail(self, place: int, fault: Fault) -> None:
        self.lines[place].broker.fault = fault

    @rule(place=PLACES)
    def lose_stop(self, place: int) -> None:
        """Somebody cancels a stop at the broker."""
        books = self.lines[place].broker.books
        for order in [order for order in books.working() if order.role is OrderRole.STOP][:1]:
            books.cancel(order)

    @rule(place=PLACES)
    def find_nobody(self, place: int) -> None:
        """A market order found no counterparty for what is left of it, and the exchange ended it."""
        books = self.lines[place].broker.books
        for order in [order for order in books.working() if order.kind is OrderType.MARKET][:1]:
            books.cancel(order)

    @rule(place=PLACES, side=st.sampled_from(Side))
    def trade_by_hand(self, place: int, side: Side) -> None:
        self.lines[place].broker.trade_by_hand(side, 1)

    # What the wire does.

    @rule(place=PLACES, channel=st.sampled_from(["stream", "money", "replies", "looks"]), count=st.integers(1, 6))
    def deliver(self, place: int, channel: str, count: int) -> None:
        line = self.lines[place]
        if self.lane.is_dead or (line.silent_since is not None and channel != "looks"):
            return
        events = line.channels()[channel]
        taken, events[:count] = events[:count], []
        self.lane.deliver(line, taken)

    @rule(place=PLACES)
    def replay(self, place: int) -> None:
        """The broker tells its whole truth again, before all that is still on its way."""
        line = self.lines[place]
        if line.silent_since is None:
            self.lane.deliver(line, [line.broker.sync()])

    @rule(place=PLACES)
    def fall_silent(self, place: int) -> None:
        line = self.lines[place]
        line.silent_since = line.silent_since or clock.now()

    # What people and monitors decide.

    @rule(place=PLACES)
    def flatten(self, place: int) -> None:
        """A loss limit was reached."""
        account = self.lines[place].trader.account
        self.flattens += 1
        key = f"risk_action:{self.flattens}"
        wish = flatten.Wish(IntentSource.RISK_ACTION, key, "DAILY_LOSS", "day: had -1001, limit -1000")
        flatten.begin(account, wish)

    # What becomes of us.

    @rule()
    def work(self) -> None:
        self.lane.alive(self.lane.plan)
        for line in self.lines:
            self._catch_up(line)

    @rule(seconds=st.sampled_from([0.3, 1, 1, 2.5, 6, 31, 60]))
    def wait(self, seconds: float) -> None:
        self.lane.pass_time(timedelta(seconds=seconds))
        self.lane.second()

    @rule(point=st.sampled_from((*OF_WEB, *OF_LANE)))
    def arm(self, point: str) -> None:
        settings.KILL_POINT = point

    @rule()
    def kill(self) -> None:
        self.lane.die()
        self.lane.restart()

    @precondition(lambda self: self.lane.is_dead)
    @rule()
    def restart(self) -> None:
        self.lane.restart()

    # What must hold.

    @invariant()
    def the_brokers_saw_nothing_wrong(self) -> None:
        """Ours is asked at the end: transitions are only ever added, so that what was wrong at any step still shows."""
        brokers = [line.broker for line in self.lines]
        found = duplicates(brokers) + [text for broker in brokers for text in broker.books.wrongs]
        assert not found, found

    def teardown(self) -> None:
        settings.KILL_POINT = ""
        try:
            if hasattr(self, "lane") and sys.exc_info()[1] is self.error_before:
                come_to_rest(self.lane)
                self.the_brokers_saw_nothing_wrong()
        finally:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)
            self.travel.stop()

    def _alert(self, held_back: bool, **fields: str) -> None:  # noqa: FBT001 - drawn
        self.alerts += 1
        price = self.lines[0].broker.price
        body = json.dumps({
            "ticker": "MNQ1!", "price": str(price), "alert_number": self.alerts,
            "fired_at": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), **fields,
        }).encode()  # fmt: skip
        if held_back:
            self.held_back.append(body)
        else:
            self._receive(body)

    def _receive(self, body: bytes) -> None:
        """The web process may die, and the sender sends again."""
        self.lane.pass_time(timedelta(milliseconds=5))
        self.sent.append(body)
        try:
            receive_alert(inbox=self.inbox, body=body, source_ip=None)
        except Died:
            receive_alert(inbox=self.inbox, body=body, source_ip=None)

    def _is_told(self, line: Line) -> bool:
        return not (self.lane.is_dead or line.silent_since or any(line.channels().values()))

    def _catch_up(self, line: Line) -> None:
        """Everything that is on its way arrives, until nothing more follows from it."""
        if line.silent_since is not None:
            return
        while not self.lane.is_dead and any(line.channels().values()):
            events = [event for channel in line.channels().values() for event in channel]
            for channel in line.channels().values():
                channel.clear()
            self.lane.deliver(line, sorted(events, key=lambda event: event.at))


def _side(position: int) -> str:
    return "flat" if position == 0 else "long" if position > 0 else "short"
