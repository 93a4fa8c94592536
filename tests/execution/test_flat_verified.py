"""What a look at the broker's books is worth: only what it saw, at the moment at which it was taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.base import OrderRole, OrderStatus, Side
from brokers.models import BrokerAccount
from brokers.reports import FillReport, OrderReport, PositionReport, SyncReport
from execution.flattening import flatten
from execution.flattening.end import finish
from execution.flattening.verify import HANDS, Verifier
from execution.guard import decide
from execution.models import Flatten, FlattenStatus, ObjectKind, Order, OrderIntent, Position, Transition
from execution.reports.apply import apply_events
from justtrades import clock
from risk.models import ActionStatus
from tests.execution.closing import Books, FlatDesk, later, ref, sent_to, wish_for
from tests.execution.desk import MNQ, held
from tests.factories import (
    BrokerAccountFactory,
    BrokerPositionFactory,
    FillFactory,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    TraderFactory,
)
from tests.risk_factories import RiskActionFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db


@dataclass
class Later:
    """Helper threads that have not got to it yet."""

    waiting: list[Callable[[], object]] = field(default_factory=list)

    def background(self, action: Callable[[], object]) -> None:
        self.waiting.append(action)

    def work(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def account() -> BrokerAccount:
    return BrokerAccountFactory()


@pytest.fixture
def trader(account: BrokerAccount) -> Trader:
    return TraderFactory(account=account, recorder__owner=account.owner)


@pytest.fixture
def desk(account: BrokerAccount, monkeypatch: pytest.MonkeyPatch) -> FlatDesk:
    # Looks run in this thread here, whose connection is the test's own.
    monkeypatch.setattr("execution.flattening.verify.database.close", lambda: None)
    return FlatDesk(Books(account.login_id))


def acted_on(account: BrokerAccount, seconds_ago: float = 2, **wish: object) -> Flatten:
    made = wish_for(account, **wish)  # type: ignore[arg-type]
    flatten.act_on([made])
    later(made, seconds_ago)
    return flatten.under_way(0).get(pk=made.pk)


def seen(account: BrokerAccount, net: int = 0, seconds_ago: float = 0) -> SyncReport:
    at = clock.now() - timedelta(seconds=seconds_ago)
    positions = (open_at_broker(account, net),) if net != 0 else ()
    return SyncReport(at, (ref(account),), (), (), positions)


def open_at_broker(account: BrokerAccount, net: int) -> PositionReport:
    return PositionReport(ref(account), MNQ, net, Decimal(25_000), clock.now())


def status_of(wish: Flatten) -> str:
    return Flatten.objects.get(pk=wish.pk).status


def test_a_look_that_comes_in_after_it_was_called_flat_closes_nothing(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    wish = acted_on(account)
    slow, verifier = seen(account, 2), Verifier(desk)
    verifier._judge(wish, seen(account))
    assert status_of(wish) == FlattenStatus.FLAT
    held(trader, 1)
    verifier._judge(wish, slow)
    assert desk.sent == [], "what was opened since is nobody's to close"


def test_a_look_from_before_a_close_tells_nothing_about_it(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    held(trader, 2)
    wish = acted_on(account)
    desk.dispatch()
    OrderIntent.objects.update(status="done")
    Order.objects.update(status="filled")
    Position.objects.update(net_qty=0)
    for net in (2, 0):
        Verifier(desk)._judge(wish, seen(account, net, seconds_ago=3))
    assert (len(desk.sent), status_of(wish)) == (1, FlattenStatus.ACTING)
    Verifier(desk)._judge(wish, seen(account))
    assert status_of(wish) == FlattenStatus.FLAT


def test_looks_do_not_pile_up_and_each_account_is_looked_at_once_for_all_its_wishes(
    account: BrokerAccount, desk: FlatDesk
) -> None:
    desk.loop = threads = Later()  # type: ignore[assignment]
    accounts = [BrokerAccountFactory(login=account.login) for _ in range(HANDS + 2)]
    for number, one in enumerate(accounts):
        for wish in "ab":
            acted_on(one, key=f"{wish}{number}")
    verifier = Verifier(desk)
    for _ in range(3):
        verifier._asked_at.clear()
        verifier.look()
    assert len(threads.waiting) == HANDS, "the lane's other threads are for orders"
    threads.work()
    assert desk.books.asked == len(accounts), "one after another, without waiting for the next second"
    assert {one.status for one in Flatten.objects.all()} == {FlattenStatus.FLAT}
    verifier._asked_at.clear()
    acted_on(account, key="c")
    verifier.look()
    threads.work()
    assert desk.books.asked == len(accounts) + 1, "who was answered may be asked again"


def test_a_look_that_fails_does_not_end_the_looking(account: BrokerAccount, desk: FlatDesk) -> None:
    desk.books.is_silent = True
    wish = acted_on(account)
    verifier = Verifier(desk)
    verifier.look()
    verifier.look()
    assert desk.books.asked == 1, "not again at once"
    desk.books.is_silent = False
    verifier._asked_at = {one: at - timedelta(seconds=3) for one, at in verifier._asked_at.items()}
    verifier.look()
    assert status_of(wish) == FlattenStatus.FLAT


def test_a_share_is_flat_although_its_owner_holds_the_contract_by_hand(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    PositionFactory(trader=trader, symbol=MNQ, net_qty=0)
    by_hand = OrderReport(ref(account), "77", OrderStatus.WORKING, Side.SELL, MNQ, clock.now(), OrderRole.EXTERNAL)
    desk.books.orders, desk.books.positions = [by_hand], [open_at_broker(account, 1)]
    wish = acted_on(account, trader_id=trader.pk)
    verifier = Verifier(desk)
    verifier.look()
    assert status_of(wish) == FlattenStatus.ACTING, "the order might be an exit of the trader's that we never heard of"
    apply_events([(account.login_id, one) for one in desk.told])
    verifier._asked_at.clear()
    verifier.look()
    assert (status_of(wish), desk.sent) == (FlattenStatus.FLAT, [])


@pytest.mark.parametrize("is_counted", [False, True])
def test_a_share_is_not_flat_while_the_look_knows_a_fill_of_it_that_our_books_do_not(
    account: BrokerAccount, trader: Trader, desk: FlatDesk, is_counted: object
) -> None:
    PositionFactory(trader=trader, symbol=MNQ, net_qty=0)
    entry = OrderFactory(
        intent=OrderIntentFactory(trader=trader, symbol=MNQ), symbol=MNQ, status="filled", broker_order_id="500"
    )
    applied_at = clock.now() if is_counted else None
    FillFactory(order=entry, account=account, broker_order_id="500", broker_fill_id="f1", applied_at=applied_at)
    wish = acted_on(account, trader_id=trader.pk)
    fill = FillReport(ref(account), "f1", "500", MNQ, Side.BUY, 1, None, clock.now())
    sync = SyncReport(clock.now(), (ref(account),), (), (fill,), (open_at_broker(account, 1),))
    Verifier(desk)._judge(wish, sync)
    assert status_of(wish) == (FlattenStatus.FLAT if is_counted else FlattenStatus.ACTING)
    assert desk.told == ([] if is_counted else [sync])


def test_what_is_still_held_of_a_share_is_closed_and_the_rest_left_alone(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    wish = acted_on(account, trader_id=trader.pk)
    held(trader, 2)
    Verifier(desk)._judge(wish, seen(account, 3))
    (intent,) = OrderIntent.objects.all()
    assert (intent.trader_id, intent.qty, status_of(wish)) == (trader.pk, 2, FlattenStatus.ACTING)


def test_what_was_opened_after_the_look_is_not_wiped_from_our_books(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    wish = acted_on(account)
    BrokerPositionFactory(account=account, symbol=MNQ, net_qty=0, reported_at=clock.now())
    look = seen(account)
    PositionFactory(trader=trader, symbol=MNQ, net_qty=2, updated_at=clock.now())
    Verifier(desk)._judge(wish, look)
    assert (status_of(wish), Position.objects.get().net_qty) == (FlattenStatus.ACTING, 2)
    assert not Transition.objects.filter(object_kind=ObjectKind.FLATTEN, to_state=FlattenStatus.FLAT).exists()
    Verifier(desk)._judge(wish, seen(account))
    assert (status_of(wish), Position.objects.get().net_qty) == (FlattenStatus.FLAT, 0), "the look is the newer one"


def test_two_wishes_for_one_contract_are_one_close_with_one_transition(
    account: BrokerAccount, trader: Trader, desk: FlatDesk
) -> None:
    held(trader, 2)
    for key in ("a", "b"):
        wish_for(account, key=key)
    assert flatten.act(0) == 1
    flatten.act(0)
    written = Transition.objects.filter(object_kind=ObjectKind.INTENT).values_list("object_id", flat=True)
    assert list(written) == [OrderIntent.objects.get().pk]
    desk.dispatch()
    assert sent_to(desk) == [("FlattenPosition", MNQ)]


def test_what_is_opened_between_the_look_and_its_verdict_is_found_again(account: BrokerAccount, trader: Trader) -> None:
    action = RiskActionFactory(limit__account=account, trader=trader, status=ActionStatus.FLATTENING)
    wish = Flatten.objects.create(
        owner=account.owner, account=account, trader=trader, risk_action=action, source="risk_action", key="k"
    )
    seen_at = clock.now()
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1, updated_at=clock.now())
    assert finish(wish, seen_at)
    assert decide.act_again([account.pk]) == 1
