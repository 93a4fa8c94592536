"""The whole adapter against the sandbox venue, a process of its own, and against its scripted faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from brokers.base import (
    Accepted,
    AccountRef,
    BracketLeg,
    CancelOrder,
    ConnectionReport,
    ConnectionState,
    Credentials,
    Endpoints,
    FillReport,
    FlattenPosition,
    NotSent,
    OrderReport,
    OrderRole,
    OrderStatus,
    OrderType,
    PositionReport,
    Rejected,
    Side,
    SubmitOrder,
    SyncReport,
    Unknown,
)
from brokers.errors import AuthFailed
from brokers.registry import VENUES
from brokers.sandbox.testing import RunningSandbox, SandboxAccount, running_sandbox
from brokers.tradovate import desk, session
from tests.brokers.scripted import until
from tests.brokers.tradovate.venue import Client

SYMBOL = "MNQZ6"
PRICE = 25_000
_serial = itertools.count(1)


class Trader:
    """One account of the sandbox with its live connection."""

    def __init__(self, sandbox: RunningSandbox, account: SandboxAccount) -> None:
        self.sandbox = sandbox
        self.id = account.id
        self.ref = AccountRef(str(account.id), account.name)
        self.client = Client(sandbox.rest_url, sandbox.ws_url, username=account.username, password=account.password)

    def live(self) -> Trader:
        self.client.connection.start()
        self.client.wait_state(ConnectionState.LIVE)
        return self

    def enter(self, side: Side = Side.BUY, qty: int = 1, target: int | None = 10, stop: int | None = 20) -> str:
        """Submit a bracketed market entry; its client order id."""
        distances = [None if points is None else Decimal(points) for points in (target, stop)]
        return self.submit(bracket=(BracketLeg(qty, *distances),), side=side, qty=qty)

    def submit(self, side: Side = Side.BUY, qty: int = 1, **terms: object) -> str:
        client_order_id = f"test-{next(_serial):022d}"
        order = SubmitOrder(client_order_id, self.ref, SYMBOL, side, qty, **terms)  # type: ignore[arg-type]
        self.client.connection.submit([order])
        return client_order_id

    def flatten(self) -> str:
        client_order_id = f"flat-{next(_serial):022d}"
        self.client.connection.submit([FlattenPosition(client_order_id, self.ref, SYMBOL)])
        return client_order_id

    def orders(self) -> dict[str, OrderReport]:
        return {report.broker_order_id: report for report in self.client.heard(OrderReport)}

    def order(self, role: OrderRole, status: OrderStatus) -> OrderReport:
        """The order of this role, once its newest report has this status."""

        def found() -> OrderReport | None:
            return next((o for o in self.orders().values() if o.role is role and o.status is status), None)

        until(found)
        report = found()
        assert report is not None
        return report

    def wait_flat(self) -> None:
        until(lambda: self.client.heard(PositionReport) and self.client.heard(PositionReport)[-1].net_qty == 0)

    def entries(self) -> int:
        """How many orders the venue itself says were entered."""
        entries: list[object] = self.sandbox.account_state(self.id)["entries"]
        return len(entries)

    def fault(self, kind: str, **params: object) -> None:
        self.sandbox.fault(self.id, kind, **params)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(accounts=1) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> Iterator[RunningSandbox]:
    running.price("MNQ", PRICE)
    yield running
    running.clear_faults()
    running.switches(open_frame="immediate")


@pytest.fixture
def new_trader(sandbox: RunningSandbox) -> Iterator[Callable[[], Trader]]:
    traders: list[Trader] = []

    def make() -> Trader:
        traders.append(Trader(sandbox, sandbox.add_accounts(1)[0]))
        return traders[-1]

    yield make
    for trader in traders:
        trader.client.close()


@pytest.fixture
def trader(new_trader: Callable[[], Trader]) -> Trader:
    return new_trader().live()


def outcomes(trader: Trader) -> list[object]:
    return trader.client.heard((Accepted, Rejected, NotSent, Unknown))  # type: ignore[arg-type]


@pytest.mark.parametrize(("side", "target", "stop"), [(Side.BUY, 25_010, 24_980), (Side.SELL, 24_990, 25_020)])
def test_an_entry_is_filled_and_protected_from_its_fill(trader: Trader, side: Side, target: int, stop: int) -> None:
    entry_id = trader.enter(side, 2)
    entry = trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    target_leg = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop_leg = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert entry.client_order_id == entry_id
    assert (target_leg.parent_client_order_id, stop_leg.parent_client_order_id) == (entry_id, entry_id)
    assert (target_leg.price, target_leg.qty, target_leg.side) == (target, 2, side.opposite)
    assert (stop_leg.stop_price, stop_leg.qty, stop_leg.side) == (stop, 2, side.opposite)
    assert sum(fill.qty for fill in trader.client.wait(FillReport)) == 2
    (position,) = {(p.net_qty, p.avg_price) for p in trader.client.wait(PositionReport)}
    assert position == (2 * side.sign, PRICE)


def test_a_target_that_fills_ends_the_stop(trader: Trader) -> None:
    trader.enter()
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", PRICE + 10)
    trader.order(OrderRole.TARGET, OrderStatus.FILLED)
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.wait_flat()


@pytest.mark.parametrize(("target", "stop", "roles"), [(None, 20, {OrderRole.STOP}), (10, None, {OrderRole.TARGET})])
def test_one_leg_alone_is_possible(trader: Trader, target: int | None, stop: int | None, roles: set[OrderRole]) -> None:
    trader.enter(target=target, stop=stop)
    trader.order(next(iter(roles)), OrderStatus.WORKING)
    assert {o.role for o in trader.orders().values()} == roles | {OrderRole.ENTRY}


def test_several_brackets_sum_to_the_entry(trader: Trader) -> None:
    legs = tuple(BracketLeg(qty, Decimal(10 * qty), Decimal(20)) for qty in (1, 2))
    trader.submit(qty=3, bracket=legs)
    until(lambda: len([o for o in trader.orders().values() if o.status is OrderStatus.WORKING]) == 4)
    stops = [o for o in trader.orders().values() if o.role is OrderRole.STOP]
    targets = [o for o in trader.orders().values() if o.role is OrderRole.TARGET]
    assert sorted((o.qty, o.stop_price) for o in stops) == [(1, 24_980), (2, 24_980)]
    assert sorted((o.qty, o.price) for o in targets) == [(1, 25_010), (2, 25_020)]


def test_a_flatten_closes_and_leaves_nothing_working(trader: Trader) -> None:
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    flat_id = trader.flatten()
    assert trader.order(OrderRole.EXIT, OrderStatus.FILLED).client_order_id == flat_id
    trader.order(OrderRole.STOP, OrderStatus.CANCELED)
    trader.order(OrderRole.TARGET, OrderStatus.CANCELED)
    trader.wait_flat()
    state = trader.sandbox.account_state(trader.id)
    assert ([p["netPos"] for p in state["positions"]], state["workingOrders"]) in (([], []), ([0], []))


def test_a_flatten_of_nothing_still_has_an_outcome(trader: Trader) -> None:
    trader.flatten()
    (accepted,) = trader.client.wait(Accepted)
    assert accepted.broker_order_id is None


def test_a_limit_order_is_canceled_once_and_then_too_late(trader: Trader) -> None:
    trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900.25"))
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    assert working.price == Decimal("24900.25")
    cancel = CancelOrder("c" * 26, trader.ref, working.broker_order_id)
    trader.client.connection.submit([cancel])
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    trader.client.connection.submit([cancel])
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "TooLate"


def test_a_partial_fill_is_told_as_one(trader: Trader) -> None:
    trader.fault("partial_fill", parts=[1, 2], interval=0.3)
    trader.enter(qty=3)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert [fill.qty for fill in trader.client.heard(FillReport)] == [1, 2]
    assert OrderStatus.PARTIALLY_FILLED in {o.status for o in trader.client.heard(OrderReport)}


def test_a_refusal_in_the_answer_is_a_rejection(trader: Trader) -> None:
    trader.fault("reject", reason="TradingLocked", text="daily loss limit reached")
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert (rejected.code, rejected.text) == ("TradingLocked", "daily loss limit reached")
    assert trader.entries() == 0


@pytest.mark.parametrize("mode", ["async", "exchange"])
def test_a_refusal_after_the_answer_is_a_rejected_order(trader: Trader, mode: str) -> None:
    trader.fault("reject", reason="MaxOrderQtyLimitReached", text="too many", mode=mode)
    entry_id = trader.enter()
    entry = trader.order(OrderRole.ENTRY, OrderStatus.REJECTED)
    assert (entry.client_order_id, entry.reject_code, entry.reject_text) == (
        entry_id,
        "MaxOrderQtyLimitReached",
        "too many",
    )
    assert len([o for o in trader.client.heard(OrderReport) if o.role is OrderRole.ENTRY]) == 1


def test_a_trade_by_hand_is_external(trader: Trader) -> None:
    trader.sandbox.manual(trader.id, "MNQ", "Buy", 1)
    assert trader.order(OrderRole.EXTERNAL, OrderStatus.FILLED).client_order_id is None
    assert trader.client.heard(PositionReport)[-1].net_qty == 1


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_f33_f34_an_order_without_a_readable_answer_is_unknown_and_then_found(trader: Trader, kind: str) -> None:
    trader.fault(kind)
    entry_id = trader.enter()
    trader.client.wait(Unknown)
    trader.client.wait(SyncReport, 2)
    evidence = trader.client.connection.query(trader.ref)
    assert [o.status for o in evidence.orders if o.client_order_id == entry_id] == [OrderStatus.FILLED]
    assert {o.role for o in evidence.orders if o.parent_client_order_id == entry_id} == {
        OrderRole.TARGET,
        OrderRole.STOP,
    }
    assert [position.net_qty for position in evidence.positions] == [1]
    assert (trader.entries(), len(outcomes(trader))) == (1, 1)


def test_f33_an_order_lost_before_the_venue_took_it_is_unknown_and_not_found(trader: Trader) -> None:
    trader.fault("drop_before_accept")
    entry_id = trader.enter()
    trader.client.wait(Unknown)
    evidence = trader.client.connection.query(trader.ref)
    assert [o for o in evidence.orders if entry_id in (o.client_order_id, o.parent_client_order_id)] == []
    assert trader.entries() == 0


def test_f35_a_slow_account_is_unknown_and_delays_nobody(
    trader: Trader, new_trader: Callable[[], Trader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ANSWER_SECONDS", 0.5)
    other = new_trader().live()
    trader.fault("hang")
    trader.enter()
    other.enter()
    (accepted,) = other.client.wait(Accepted)
    (unknown,) = trader.client.wait(Unknown)
    assert accepted.at < unknown.at


def test_f37_a_429_is_no_success_and_silences_the_login(trader: Trader) -> None:
    trader.fault("rate_limit")
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "RATE_LIMITED"
    trader.enter()
    trader.client.wait(NotSent)
    assert trader.entries() == 0


def test_f37_a_penalty_ticket_is_waited_out(trader: Trader) -> None:
    trader.fault("penalty_ticket", seconds=1)
    trader.enter()
    (rejected,) = trader.client.wait(Rejected)
    assert rejected.code == "RATE_LIMITED"
    until(lambda: trader.enter() and trader.client.heard(Accepted))
    assert trader.client.heard(NotSent)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)


def test_f39_a_token_that_expires_under_orders_places_each_once(trader: Trader) -> None:
    trader.enter()
    trader.client.wait(Accepted)
    trader.fault("token_expiry", drop_sockets=True)
    trader.enter()
    trader.enter()
    until(lambda: len(outcomes(trader)) == 3)
    trader.client.wait_state(ConnectionState.LIVE)
    placed = [entry["uuid"] for entry in trader.sandbox.account_state(trader.id)["entries"]]
    assert len(placed) == len(set(placed))
    assert {outcome.client_order_id for outcome in trader.client.heard(Accepted)} <= set(placed)
    assert not trader.client.heard((Rejected, NotSent))  # type: ignore[arg-type]


def test_f39_over_rest_one_401_costs_one_renewal(new_trader: Callable[[], Trader]) -> None:
    trader = new_trader()
    trader.submit()
    trader.client.wait(Accepted)
    trader.fault("token_expiry")
    trader.submit()
    trader.client.wait(Accepted, 2)
    assert trader.entries() == 2


def test_f40_a_changed_password_fails_the_login(trader: Trader) -> None:
    trader.fault("bad_login")
    trader.fault("token_expiry", drop_sockets=True)
    trader.client.wait_state(ConnectionState.FAILED)
    trader.enter()
    trader.client.wait(NotSent)


def test_f41_a_silent_socket_is_stale_and_its_orders_are_found_by_the_next_sync(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(session, "HEARTBEAT_SECONDS", 0.2)
    trader.fault("silent_socket")
    entry_id = trader.enter()
    until(lambda: ConnectionState.STALE in trader.client.states())
    monkeypatch.setattr(session, "SILENCE_SECONDS", 10.0)
    trader.client.wait(Unknown)
    synced = trader.client.wait(SyncReport, 2)[-1]
    assert [o.status for o in synced.orders if o.client_order_id == entry_id] == [OrderStatus.FILLED]
    assert trader.entries() == 1


def test_f42_a_replay_after_a_reconnect_tells_no_fill_twice(trader: Trader) -> None:
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.fault("replay")
    trader.fault("shutdown")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    trader.fault("replay")
    trader.flatten()
    trader.order(OrderRole.EXIT, OrderStatus.FILLED)
    trader.wait_flat()
    told = [fill.broker_fill_id for fill in trader.client.heard(FillReport)]
    assert len(told) == len(set(told)) == 2


def test_f43_events_before_the_answer_are_applied_once(trader: Trader) -> None:
    trader.fault("events_before_reply")
    trader.enter()
    trader.client.wait(Accepted)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert len(trader.client.wait(FillReport)) == 1
    assert [o.status for o in trader.client.heard(OrderReport) if o.role is OrderRole.ENTRY] == [OrderStatus.FILLED]


def test_a_position_that_comes_late_is_still_right(trader: Trader) -> None:
    trader.fault("late_average", seconds=0.5)
    trader.enter(qty=2)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    (position,) = trader.client.wait(PositionReport)
    assert (position.net_qty, position.avg_price) == (2, PRICE)


def test_a_host_restart_is_survived(trader: Trader) -> None:
    trader.fault("shutdown", reasonCode="Maintenance")
    trader.client.wait(SyncReport, 2)
    trader.client.wait_state(ConnectionState.LIVE)
    assert trader.client.states()[2] is ConnectionState.DOWN
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)


def test_a_lazy_venue_works_too(sandbox: RunningSandbox, new_trader: Callable[[], Trader]) -> None:
    sandbox.switches(open_frame="lazy")
    new_trader().live()


def test_orders_before_the_socket_is_up_go_over_rest_with_their_bracket(new_trader: Callable[[], Trader]) -> None:
    trader = new_trader()
    entry_id = trader.enter()
    (accepted,) = trader.client.wait(Accepted)
    assert accepted.broker_strategy_id is not None
    trader.live()
    (synced,) = trader.client.wait(SyncReport)
    assert [o.client_order_id for o in synced.orders if o.role is OrderRole.ENTRY] == [entry_id]


def test_a_reconnect_tells_everything_again(trader: Trader) -> None:
    entry_id = trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.fault("shutdown")
    synced = trader.client.wait(SyncReport, 2)[-1]
    assert {(o.role, o.status, o.client_order_id or o.parent_client_order_id) for o in synced.orders} == {
        (OrderRole.ENTRY, OrderStatus.FILLED, entry_id),
        (OrderRole.TARGET, OrderStatus.WORKING, entry_id),
        (OrderRole.STOP, OrderStatus.WORKING, entry_id),
    }
    assert len(synced.fills) == 1
    assert [position.net_qty for position in synced.positions] == [1]


def test_the_sign_in_check_names_the_accounts(sandbox: RunningSandbox) -> None:
    account = sandbox.accounts[0]
    venue = VENUES["tradovate"]
    endpoints = Endpoints(sandbox.rest_url, sandbox.ws_url)
    good = Credentials("tradovate", "demo", account.username, "check", {"password": account.password})
    assert venue.sign_in_check(good, endpoints) == (AccountRef(str(account.id), account.name),)
    with pytest.raises(AuthFailed):
        venue.sign_in_check(Credentials("tradovate", "demo", account.username, "check", {"password": "no"}), endpoints)


def test_quotes_are_subscribed_and_subscribed_again(trader: Trader) -> None:
    seen: list[tuple[str, Decimal | None, Decimal | None, Decimal | None, datetime]] = []
    trader.client.connection._md_url = trader.sandbox.md_url
    quotes = trader.client.connection.quotes(lambda *quote: seen.append(quote))
    quotes.start()
    quotes.subscribe([SYMBOL])
    until(lambda: seen)
    trader.sandbox.price("MNQ", 25_123)
    until(lambda: seen[-1][:4] == (SYMBOL, 25_123, 25_123, 25_123))
    quotes._session._break_off("a test")
    until(lambda: quotes._session.stream.link is None)
    until(lambda: quotes._session.stream.link is not None)
    trader.sandbox.price("MNQ", 25_200)
    until(lambda: seen[-1][1] == 25_200)
    quotes.unsubscribe([SYMBOL])
    quotes.stop()


def test_connection_reports_carry_reasons_and_no_secrets(trader: Trader) -> None:
    trader.fault("shutdown")
    trader.client.wait(SyncReport, 2)
    reports = trader.client.heard(ConnectionReport)
    assert any("Maintenance" in report.detail for report in reports)
    assert "secret" not in repr(reports)
