"""What a day's limits count of a position is what the broker is believed to hold, whatever told us of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine

from brokers.base import OrderRole, OrderStatus, Side
from execution.flattening.end import finish
from execution.guard.rebase import rebase
from execution.guard.watching import Watching
from execution.models import Break, Flatten, Order, Position
from execution.reconcile import resolve
from execution.watchdog.flat import adopt_flat
from justtrades import clock
from risk.models import AccountDay
from tests.execution.desk import MNQ
from tests.execution.truth import OTHER, Part, Truth
from tests.execution.watchers import fill, watched_account, watching

pytestmark = pytest.mark.django_db


def counted(watched: Watching, account_id: UUID) -> dict[str, int]:
    watched.reload(clock.now())
    watched.take_fills(clock.now())
    return {symbol: one.net_qty for symbol, one in watched.days[account_id].book.held.items()}


def closed_unseen(broker: Truth) -> None:
    """The broker is flat in two looks, and no fill says why."""
    flat: list[Part] = [broker.report(OrderStatus.FILLED), broker.leg(OrderRole.STOP, "501", OrderStatus.CANCELED)]
    broker.looks(*flat, broker.at_venue(0))
    with time_machine.travel(broker.start + timedelta(seconds=65), tick=False):
        assert adopt_flat(0) == 1


def believed_empty(broker: Truth) -> None:
    broker.looks(times=3)
    row = Break.objects.get()
    resolve.resolve(actor=row.owner, row=row, how="broker")


def flattened(broker: Truth) -> None:
    account = broker.intent.account
    wish = Flatten.objects.create(owner=account.owner, account=account, reason_code="KILL", status="acting")
    finish(wish, clock.now())
    assert not Position.objects.exclude(net_qty=0).exists()


@pytest.mark.parametrize("end", [closed_unseen, believed_empty, flattened])
def test_a_position_that_is_gone_without_a_fill_is_counted_no_more(end: Callable[[Truth], None]) -> None:
    broker = Truth()
    account_id = broker.intent.account_id
    watched = watching(broker.intent.account)
    assert counted(watched, account_id) == {MNQ: 2}
    end(broker)
    assert counted(watched, account_id) == {}
    assert watched.days[account_id].book.realized == 0, "at a price that nobody knows"


def test_what_is_left_as_not_ours_is_counted_as_the_accounts() -> None:
    broker = Truth()
    watched = watching(broker.intent.account)
    broker.looks(*broker.books[:-1], broker.at_venue(3, "101"))
    row = Break.objects.get()
    resolve.resolve(actor=row.owner, row=row, how="leave")
    assert counted(watched, row.account_id) == {MNQ: 3}
    assert broker.net == 2


def test_a_close_by_hand_with_its_fill_is_counted_once() -> None:
    broker = Truth()
    watched = watching(broker.intent.account)
    hand = broker.by_hand(OTHER, Side.SELL, 2, price="110")
    broker.look(60, *broker.told(), *hand, broker.at_venue(0))
    with time_machine.travel(broker.start + timedelta(seconds=61.5), tick=False):
        assert adopt_flat(0) == 1
    assert counted(watched, broker.intent.account_id) == {}
    assert watched.days[broker.intent.account_id].book.realized == 40
    assert AccountDay.objects.get().start_holdings == {}


def test_what_was_opened_by_hand_and_no_fill_told_of_is_counted_once_it_is_said_twice() -> None:
    broker = Truth()
    Position.objects.all().delete()
    account_id = broker.intent.account_id
    broker.look(60, *broker.told()[:1], broker.at_venue(0))
    watched = watching(broker.intent.account)
    counts = []
    for at in (120, 180):
        broker.look(at, *broker.told()[:1], broker.at_venue(5))
        counts.append(counted(watched, account_id)[MNQ])
    assert counts == [2, 5]


def test_a_close_whose_fill_is_still_to_come_is_counted_with_its_fill() -> None:
    broker = Truth()
    account_id = broker.intent.account_id
    watched = watching(broker.intent.account)
    stop = broker.leg(OrderRole.STOP, "501", OrderStatus.FILLED, qty=2)
    with time_machine.travel(broker.start + timedelta(seconds=60), tick=False):
        broker.apply(stop, broker.at_venue(0))
    with time_machine.travel(broker.start + timedelta(seconds=62), tick=False):
        assert adopt_flat(0) == 1
    assert counted(watched, account_id) == {MNQ: 2}
    broker.look(
        64, *broker.told()[:1], stop, broker.at_venue(0), broker.fill("2", broker_order_id="501", side=Side.SELL)
    )
    assert counted(watched, account_id) == {}


@pytest.mark.parametrize(("net", "average", "total"), [(0, None, 40), (0, 25_030, 80), (1, None, 20), (4, 25_015, 0)])
def test_what_a_day_has_won_so_far_stays_won(net: int, average: int | None, total: int) -> None:
    """Ten points won with two, two more at 25,020: `total` is the day's result with the market at 25,010."""
    account = watched_account()
    for side, price in (("buy", 25_000), ("sell", 25_010), ("buy", 25_020)):
        fill(account, side, price, qty=2, filled_at=clock.now() - timedelta(seconds=25_100 - price))
    watched = watching(account, 25_010)
    rebase(account.pk, MNQ, net, None if average is None else Decimal(average))
    assert counted(watched, account.pk).get(MNQ, 0) == net
    assert watched.accounts[account.pk].assess(watched._market.prices).day == total


def test_a_fill_that_comes_after_its_position_was_given_up_is_not_counted_twice() -> None:
    broker = Truth()
    account_id = broker.intent.account_id
    watched = watching(broker.intent.account)
    closed_unseen(broker)
    Order.objects.filter(broker_order_id="501").update(status="canceled")
    hand = broker.by_hand(OTHER, Side.SELL, 2)
    flat = [broker.report(OrderStatus.FILLED), *hand, broker.at_venue(0)]
    for at in (120, 180, 240):
        broker.look(at, *flat)
    assert counted(watched, account_id) == {}
