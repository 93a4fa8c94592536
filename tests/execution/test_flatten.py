"""Closing an account, or one trader's share of it, until two sources say that nothing is left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.base import (
    AccountRef,
    OrderRole,
    OrderStatus,
    Side,
)
from brokers.models import BrokerAccount
from brokers.reports import Accepted, FillReport, OrderReport, PositionReport
from execution.flattening import flatten
from execution.flattening.verify import ALARM_AFTER, Verifier
from execution.models import (
    Alarm,
    Fill,
    Flatten,
    FlattenStatus,
    IntentKind,
    IntentSource,
    IntentStatus,
    Order,
    OrderIntent,
    Position,
)
from execution.reports.apply import apply_events
from justtrades import clock
from tests.execution.closing import Books, FlatDesk, later, ref, sent_to, wish_for
from tests.execution.desk import MNQ, held
from tests.factories import (
    BrokerAccountFactory,
    BrokerPositionFactory,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    TraderFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> BrokerAccount:
    return BrokerAccountFactory()


@pytest.fixture
def desk(account: BrokerAccount, monkeypatch: pytest.MonkeyPatch) -> FlatDesk:
    # Looks run in this thread here, whose connection is the test's own.
    monkeypatch.setattr("execution.flattening.verify.database.close", lambda: None)
    return FlatDesk(Books(account.login_id))


def test_everything_open_or_working_is_closed_whoever_opened_it(account: BrokerAccount, desk: FlatDesk) -> None:
    trader = TraderFactory(account=account, recorder__owner=account.owner)
    held(trader, 2)
    BrokerPositionFactory(account=account, symbol="MESZ6", net_qty=-1)
    manual = OrderIntentFactory(trader=trader, symbol="MGCZ6")
    OrderFactory(intent=manual, role=OrderRole.EXTERNAL.value, status="working", symbol="MGCZ6")
    elsewhere = TraderFactory()
    held(elsewhere, 5)
    wish_for(account)
    flatten.act(0)
    desk.dispatch()
    assert sent_to(desk) == [("FlattenPosition", symbol) for symbol in ("MESZ6", "MGCZ6", MNQ)]
    assert {request.account.broker_id for request in desk.sent} == {account.broker_id}
    assert {request.client_order_id[:2] for request in desk.sent} == {"X-"}
    flatten.act(0)
    desk.dispatch()
    assert len(desk.sent) == 3, "one close of a contract at a time"


def test_a_close_is_shared_out_among_those_who_held_and_the_rest_is_the_owners(
    account: BrokerAccount, desk: FlatDesk
) -> None:
    first, second = (TraderFactory(account=account, recorder__owner=account.owner) for _ in range(2))
    for trader, qty in ((first, 2), (second, 1)):
        PositionFactory(trader=trader, symbol=MNQ, net_qty=qty, avg_price=Decimal(25_000))
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=4)
    wish_for(account)
    flatten.act(0)
    desk.dispatch()
    intent = OrderIntent.objects.get(kind=IntentKind.FLATTEN)
    assert (intent.trader_id, intent.qty, intent.side) == (None, 4, "sell")
    close = FillReport(ref(account), "f1", "900", MNQ, Side.SELL, 4, Decimal(24_990), clock.now())
    report = OrderReport(ref(account), "900", OrderStatus.WORKING, Side.SELL, MNQ, clock.now(), OrderRole.EXIT)
    for event in (Accepted(intent.client_order_id, None, clock.now()), report, close):
        apply_events([(account.login_id, event)])
    assert set(Position.objects.filter(account=account).values_list("net_qty", flat=True)) == {0}
    fill = Fill.objects.get()
    assert {(trader, qty, Decimal(money)) for trader, qty, money in fill.shares} == {
        (str(first.pk), 2, Decimal(-40)),
        (str(second.pk), 1, Decimal(-20)),
    }
    assert fill.realized_pnl == Decimal(-60), "ten points of two dollars on three contracts, not on the owner's own"
    intent.refresh_from_db()
    assert intent.status == IntentStatus.DONE


def test_it_is_flat_when_our_books_and_the_brokers_say_so(account: BrokerAccount, desk: FlatDesk) -> None:
    wish = wish_for(account)
    flatten.act(0)
    verifier = Verifier(desk)
    verifier.look()
    assert desk.books.asked == 0, "nobody looks before the close had time to happen"
    later(wish, 1.5)
    verifier.look()
    wish.refresh_from_db()
    assert (wish.status, wish.flat_at is not None) == (FlattenStatus.FLAT, True)


@pytest.mark.parametrize("answer", ["nothing", "somebody else", "flat"])
def test_no_answer_and_one_source_are_not_flat(account: BrokerAccount, desk: FlatDesk, answer: str) -> None:
    trader = TraderFactory(account=account, recorder__owner=account.owner)
    held(trader, 2)
    desk.books.is_silent = answer == "nothing"
    desk.books.accounts = [AccountRef("1", "other")] if answer == "somebody else" else None
    wish = wish_for(account)
    flatten.act(0)
    later(wish, 1.5)
    Verifier(desk).look()
    wish.refresh_from_db()
    assert wish.status == FlattenStatus.ACTING
    assert desk.books.asked == 1
    assert len(desk.told) == (1 if answer == "flat" else 0), "what the look told goes into the books"


def test_what_a_look_still_finds_is_closed_again_at_once(account: BrokerAccount, desk: FlatDesk) -> None:
    wish = wish_for(account)
    held(TraderFactory(account=account, recorder__owner=account.owner), 2)
    flatten.act(0)
    desk.dispatch()
    OrderIntent.objects.update(dispatched_at=clock.now() - timedelta(seconds=4))
    desk.books.positions = [PositionReport(ref(account), MNQ, 2, Decimal(25_000), clock.now())]
    later(wish, 4)
    Verifier(desk).look()
    assert [status for _, status in sorted(OrderIntent.objects.values_list("created_at", "status"))] == [
        IntentStatus.FAILED,
        IntentStatus.DISPATCHED,
    ]
    assert len(desk.sent) == len({one.client_order_id for one in desk.sent}) == 2
    assert Order.objects.filter(status="submitting").count() == 2, "the first one's fate is still for the books to tell"


def test_one_traders_share_leaves_the_others_alone(account: BrokerAccount, desk: FlatDesk) -> None:
    mine, theirs = (TraderFactory(account=account, recorder__owner=account.owner) for _ in range(2))
    held(mine, 2)
    held(theirs, 1)
    wish_for(account, trader_id=mine.pk)
    flatten.act(0)
    (intent,) = OrderIntent.objects.all()
    assert (intent.trader_id, intent.kind, intent.source) == (mine.pk, IntentKind.EXIT, IntentSource.RISK_ACTION)


def test_what_takes_too_long_is_an_alarm_that_ends_with_it(account: BrokerAccount, desk: FlatDesk) -> None:
    trader = TraderFactory(account=account, recorder__owner=account.owner)
    held(trader, 1)
    wish = wish_for(account)
    Flatten.objects.filter(pk=wish.pk).update(began_at=clock.now() - ALARM_AFTER - timedelta(seconds=1))
    desk.books.is_silent = True
    flatten.act(0)
    Verifier(desk).look()
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.ended_at, alarm.owner_id) == ("NOT_FLAT", None, account.owner_id)
    Position.objects.update(net_qty=0)
    desk.books.is_silent = False
    later(wish, 3)
    Verifier(desk).look()
    alarm.refresh_from_db()
    assert alarm.ended_at is not None


def test_what_traders_held_against_each_other_ends_with_the_account(account: BrokerAccount, desk: FlatDesk) -> None:
    for qty in (1, -1):
        trader = TraderFactory(account=account, recorder__owner=account.owner)
        PositionFactory(trader=trader, symbol=MNQ, net_qty=qty, avg_price=Decimal(25_000))
    wish = wish_for(account)
    flatten.act(0)
    later(wish, 2)
    Verifier(desk).look()
    wish.refresh_from_db()
    assert wish.status == FlattenStatus.FLAT
    assert set(Position.objects.values_list("net_qty", flat=True)) == {0}


def test_the_same_wish_is_written_once(account: BrokerAccount) -> None:
    assert wish_for(account).pk == wish_for(account).pk
    assert wish_for(account, key="risk_action:2").pk != wish_for(account).pk
