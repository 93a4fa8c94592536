"""What a broker's answer lacks: nothing is believed to be gone by one look, nor by one that says nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from brokers.base import OrderRole, OrderStatus, Side
from brokers.models import BrokerLogin
from brokers.reports import PositionReport
from execution import doubt
from execution.models import Alarm, Break, BreakKind, BrokerPosition, IntentKind, Order, Reconciliation
from execution.reconcile.failures import EMPTY
from execution.watchdog.flat import adopt_flat
from justtrades import clock
from tests.execution.desk import MNQ
from tests.execution.truth import OTHER, Part, Truth, pauses, shown
from tests.execution.venue import Venue
from tests.factories import OrderFactory, OrderIntentFactory

pytestmark = pytest.mark.django_db


def flat_books(broker: Truth) -> dict[str, list[Part]]:
    """Answers in which the position is missing, and nothing says why."""
    orders = [broker.report(OrderStatus.FILLED), broker.leg(OrderRole.STOP, "501", qty=2)]
    return {
        "lacks it": orders,
        "calls it flat": [*orders, broker.at_venue(0)],
        "has the fill that opened it": [*broker.told(), broker.at_venue(0)],
        "says nothing at all": [],
    }


@pytest.mark.parametrize(
    ("answer", "looks_until_closed"),
    [("lacks it", 2), ("calls it flat", 2), ("has the fill that opened it", None), ("says nothing at all", None)],
)
def test_f51_an_answer_without_the_position_is_not_flat_by_itself(answer: str, looks_until_closed: int | None) -> None:
    broker = Truth()
    broker.look(60, *broker.books)
    for number in range(1, 6):
        at = 60 + 3 * number
        broker.look(at, *flat_books(broker)[answer])
        with time_machine.travel(broker.start + timedelta(seconds=at + 1.5), tick=False):
            adopt_flat(0)
        is_closed = looks_until_closed is not None and number >= looks_until_closed
        assert broker.net == (0 if is_closed else 2), number
    if answer == "has the fill that opened it":
        assert (shown(), pauses()) == ([("quantity", "open")], True), "two of the broker's books contradict each other"
    elif answer == "says nothing at all":
        assert shown() == [("unreadable", "open")]
        assert Order.objects.get(broker_order_id="501").status == "working"
    else:
        broker.look(90, *flat_books(broker)[answer])
        assert shown()[-1] == ("quantity", "resolved")
        assert not pauses()
        assert "our books were closed" in Break.objects.get(kind=BreakKind.QUANTITY).resolution


def test_f51_empty_answers_of_one_outage_do_not_close_a_position_that_no_order_guards() -> None:
    broker = Truth()
    Order.objects.filter(broker_order_id="501").update(status="canceled")
    books = [*broker.told()[:2], broker.at_venue(2)]
    broker.look(60, *books)
    for at in (120, 123, 130):
        broker.look(at)
        with time_machine.travel(broker.start + timedelta(seconds=at + 1.5), tick=False):
            adopt_flat(0)
    row = BrokerPosition.objects.get()
    assert (row.net_qty, row.gone_at, broker.net) == (2, None, 2)
    assert (shown(), Alarm.objects.get().code) == ([("unreadable", "open")], "BOOKS_UNREADABLE")
    assert Break.objects.get().theirs == EMPTY
    # One full answer that lacks it is the first one, not the second.
    broker.look(140, *broker.told()[:1])
    assert (BrokerPosition.objects.get().net_qty, broker.net) == (2, 2)
    broker.look(180, *books)
    assert (shown(), broker.net) == ([("unreadable", "resolved")], 2)


def test_an_empty_answer_agrees_with_fills_that_say_that_all_was_closed() -> None:
    broker = Truth()
    Order.objects.filter(broker_order_id="501").update(status="canceled")
    broker.look(60, *broker.told()[:2], broker.at_venue(2))
    with time_machine.travel(broker.start + timedelta(seconds=65), tick=False):
        broker.apply(*broker.by_hand(OTHER, Side.SELL, 2))
    broker.look(120)
    assert (BrokerPosition.objects.get().net_qty, shown()) == (0, [])
    assert Reconciliation.objects.get().failed_looks == 0


def test_an_empty_answer_is_no_look_for_an_order_that_nobody_knows_of() -> None:
    broker = Truth()
    Order.objects.filter(broker_order_id="501").update(status="canceled")
    exit_ = OrderIntentFactory(
        trader=broker.intent.trader, symbol=MNQ, kind=IntentKind.EXIT, leg="exit", side="sell", status="unknown",
        signal__status="planned", dispatched_at=broker.start + timedelta(seconds=58),
    )  # fmt: skip
    unknown = OrderFactory(intent=exit_, role="exit", status="unknown", broker_order_id=None)
    BrokerLogin.objects.update(state="live")
    broker.looks(times=4)
    unknown.refresh_from_db()
    assert (unknown.status, unknown.queries_without_trace) == ("unknown", 0)
    broker.looks(*broker.told()[:2], broker.at_venue(2), since_s=120)
    unknown.refresh_from_db()
    assert unknown.status != "unknown", "full answers that lack it say that it was never placed"


def test_a_position_that_comes_back_after_one_answer_without_it_was_never_gone() -> None:
    broker = Truth()
    broker.look(60, *flat_books(broker)["lacks it"])
    assert BrokerPosition.objects.get().gone_at is not None
    broker.look(63, *broker.books)
    row = BrokerPosition.objects.get()
    assert (row.net_qty, row.gone_at, Break.objects.count()) == (2, None, 0)


def test_a_close_by_hand_with_its_fill_is_believed_at_once() -> None:
    broker = Truth()
    hand = broker.by_hand(OTHER, Side.SELL, 2)
    broker.look(60, *broker.told(), *hand, broker.at_venue(0))
    assert BrokerPosition.objects.get().net_qty == 0
    with time_machine.travel(broker.start + timedelta(seconds=61.5), tick=False):
        assert adopt_flat(0) == 1
    assert broker.net == 0


def test_a_look_that_began_before_our_last_fill_says_nothing_of_it() -> None:
    broker = Venue()
    began = clock.now() - timedelta(seconds=1)
    broker.apply(
        broker.report(OrderStatus.FILLED), broker.fill("1"), PositionReport(broker.account, MNQ, 2, None, began)
    )
    old = broker.sync(PositionReport(broker.account, MNQ, 0, None, began))
    broker.apply(type(old)(began, old.accounts, (), (), old.positions))
    assert BrokerPosition.objects.get().net_qty == 2
    assert not Break.objects.exists()


@pytest.mark.parametrize(
    ("listed", "looks", "status"),
    [(True, 1, "working"), (True, 2, "canceled"), (False, 2, "working"), (False, 4, "canceled")],
    ids=["once", "twice", "an empty list twice", "an empty list four times"],
)
def test_a_stop_that_the_broker_lists_no_more_guards_nothing(listed: bool, looks: int, status: str) -> None:  # noqa: FBT001
    broker = Truth()
    orders = [broker.report(OrderStatus.FILLED)] if listed else []
    for number in range(looks):
        broker.look(60 + 3 * number, *orders, broker.at_venue(2))
    assert Order.objects.get(broker_order_id="501").status == status
    position = broker.position
    assert position is not None
    assert (position.unprotected_since is None) == (status == "working")


def test_a_stop_that_we_took_for_ended_and_works_is_ours_again() -> None:
    broker = Truth()
    Order.objects.filter(broker_order_id="501").update(status="canceled")
    broker.look(60, *broker.books)
    assert Order.objects.get(broker_order_id="501").status == "canceled"
    broker.look(63, *broker.books)
    assert Order.objects.get(broker_order_id="501").status == "working"


@pytest.mark.parametrize(
    ("ages", "asked"),
    [
        ([1.9], 0),
        ([2.1], 1),
        ([2.1, 3.0, 4.9], 1),
        ([2.1, 5.2, 8, 10.3, 15, 20.4, 30], 4),
        ([2.1, 5.2, 10.3, 20.4, 40.5, 50, 60.6, 80.7], 7),
    ],
)
def test_an_unknown_order_is_looked_for_at_two_five_ten_and_twenty_seconds(ages: list[float], asked: int) -> None:
    broker = Venue()
    Order.objects.update(status="unknown")
    desk = AskingDesk()
    for age in ages:
        with time_machine.travel(broker.order.submit_started_at + timedelta(seconds=age), tick=False):
            doubt.look_for_unknown(desk)
    assert desk.asked == asked
    assert Alarm.objects.filter(code="ORDER_UNKNOWN").count() == (1 if max(ages) > 30 else 0)


class AskingDesk:
    """A lane that only counts what it is asked to look at."""

    def __init__(self) -> None:
        self.index, self.asked, self.state = 0, 0, "live"
        self.looked_at: dict[Any, Any] = {}
        self.loop = self.inbox = self

    def connection_of(self, _login_id: object) -> AskingDesk:
        return self

    def background(self, _action: object) -> None:
        self.asked += 1
