"""Orders against the sandbox venue, a process of its own: placing, changing, protecting, being refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import BracketLeg, OrderRole, OrderStatus, OrderType, Side, SubmitOco, SubmitOrder, Trail
from brokers.projectx.book import REJECTED_CODE, REJECTED_TEXT
from brokers.reports import FillReport, NotSent, OrderReport, PositionReport
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.projectx.frames import SYMBOL
from tests.brokers.projectx.trader import PRICE, SandboxTrader
from tests.brokers.scripted import until


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_market_order_is_filled_and_reported(trader: SandboxTrader, side: Side) -> None:
    """A1, A2 market buy and sell: sent, accepted, order, fill and position."""
    name = trader.submit(side, 2)
    accepted = trader.accepted(name)
    entry = trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert (entry.client_order_id, entry.broker_order_id) == (name, accepted.broker_order_id)
    (fill,) = trader.client.wait(FillReport)
    assert (fill.broker_order_id, fill.side, fill.qty, fill.price) == (entry.broker_order_id, side, 2, Decimal(PRICE))
    (position,) = trader.client.wait(PositionReport)
    assert (position.symbol, position.net_qty, position.avg_price) == (SYMBOL, 2 * side.sign, Decimal(PRICE))
    assert (trader.client.sent(), len(trader.client.outcomes())) == ([name], 1)


def test_an_exit_sells_what_is_held(trader: SandboxTrader) -> None:
    """A3 an exit's own id tells what it is for."""
    trader.submit(qty=2)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    name = trader.submit(Side.SELL, 2, prefix="X-")
    assert trader.order(OrderRole.EXIT, OrderStatus.FILLED).client_order_id == name
    until(lambda: trader.net_told() == 0)
    assert (trader.net(), trader.at_venue()) == (0, [])


def test_a_limit_order_works_changes_and_is_canceled(trader: SandboxTrader) -> None:
    """B1, B2, B3 a limit order is accepted, changed and canceled, and fills at none of it."""
    trader.accepted(trader.rest(24_900, qty=2))
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    assert (working.order_type, working.price, working.qty) == (OrderType.LIMIT, Decimal(24_900), 2)
    trader.accepted(trader.change(working, qty=3, price=Decimal("24910.25")))
    assert trader.at_venue() == [("Limit", 3, 24_910.25)]
    until(lambda: trader.orders()[working.broker_order_id].price == Decimal("24910.25"))
    trader.accepted(trader.cancel(working))
    trader.order(OrderRole.ENTRY, OrderStatus.CANCELED)
    assert trader.at_venue() == []
    trader.sandbox.price("MNQ", 24_800)
    assert (trader.net(), trader.client.heard(FillReport)) == (0, [])


@pytest.mark.parametrize("refusal", ["not_found", "rejected"])
def test_a_cancel_of_a_canceled_order_has_its_aim(trader: SandboxTrader, refusal: str) -> None:
    """B4 cancel of a finished order: canceled already."""
    trader.sandbox.switches(finished_order=refusal)
    trader.rest(24_900)
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.accepted(trader.cancel(working))
    trader.accepted(trader.cancel(working))


@pytest.mark.parametrize("refusal", ["not_found", "rejected"])
def test_a_cancel_or_change_of_a_filled_order_is_too_late(trader: SandboxTrader, refusal: str) -> None:
    """B4, B5 a cancel and a change of a filled order: both too late, and it stays filled."""
    trader.sandbox.switches(finished_order=refusal)
    trader.rest(24_900)
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", 24_890)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert trader.rejected(trader.cancel(working)).code == "TOO_LATE"
    assert trader.rejected(trader.change(working, price=Decimal(24_800))).code == "TOO_LATE"
    assert trader.orders()[working.broker_order_id].status is OrderStatus.FILLED


def test_a_cancel_of_an_order_that_never_was_is_refused(trader: SandboxTrader) -> None:
    """B4 cancel of an order that the venue does not know."""
    trader.rest(24_900)
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    stranger = OrderReport(trader.ref, "1", working.status, working.side, SYMBOL, working.at, OrderRole.ENTRY, qty=1)
    assert trader.rejected(trader.cancel(stranger)).code == "OrderNotFound"


def test_a_change_to_a_price_off_the_tick_is_refused(trader: SandboxTrader) -> None:
    """B5 modify refused: the order stays as it is."""
    trader.rest(24_900)
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    assert trader.rejected(trader.change(working, price=Decimal("24900.1"))).code == "Rejected"
    assert trader.at_venue() == [("Limit", 1, 24_900)]


def test_a_stop_fills_when_its_price_is_reached(trader: SandboxTrader) -> None:
    """C1 stop."""
    trader.submit(order_type=OrderType.STOP, stop_price=Decimal(25_020))
    working = trader.order(OrderRole.ENTRY, OrderStatus.WORKING)
    assert (working.order_type, working.stop_price) == (OrderType.STOP, Decimal(25_020))
    trader.sandbox.price("MNQ", 25_021)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    assert trader.net() == 1


def test_a_trailing_stop_follows_the_price(trader: SandboxTrader) -> None:
    """C2 trailing stop: placed by the price that it starts from."""
    trader.submit()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    trader.submit(Side.SELL, prefix="S-", order_type=OrderType.TRAILING_STOP, stop_price=Decimal(24_990))
    assert trader.order(OrderRole.STOP, OrderStatus.WORKING).order_type is OrderType.TRAILING_STOP
    trader.sandbox.price("MNQ", 25_100)
    trader.sandbox.price("MNQ", 25_091)
    assert trader.net() == 1
    trader.sandbox.price("MNQ", 25_089)
    trader.order(OrderRole.STOP, OrderStatus.FILLED)
    assert trader.net() == 0


@pytest.mark.parametrize(("side", "target", "stop"), [(Side.BUY, 25_010, 24_980), (Side.SELL, 24_990, 25_020)])
def test_an_entry_is_protected_from_its_fill(trader: SandboxTrader, side: Side, target: int, stop: int) -> None:
    """D1 native bracket armed from the fill."""
    name = trader.enter(side, 2)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    target_leg = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop_leg = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    for leg in (target_leg, stop_leg):
        assert (leg.client_order_id, leg.parent_client_order_id, leg.bracket_index) == (None, name, 0)
        assert (leg.qty, leg.side) == (2, side.opposite)
    assert (target_leg.price, stop_leg.stop_price) == (Decimal(target), Decimal(stop))


def test_a_bracket_waits_for_its_entry(trader: SandboxTrader) -> None:
    """D1 legs of an entry that rests are known before they work."""
    leg = BracketLeg(1, Decimal(10), Decimal(20))
    trader.submit(order_type=OrderType.LIMIT, price=Decimal(24_900), bracket=(leg,))
    trader.order(OrderRole.STOP, OrderStatus.SUSPENDED)
    trader.order(OrderRole.TARGET, OrderStatus.SUSPENDED)
    trader.sandbox.price("MNQ", 24_890)
    assert trader.order(OrderRole.STOP, OrderStatus.WORKING).stop_price is not None
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)


@pytest.mark.parametrize(("target", "stop", "role"), [(None, 20, OrderRole.STOP), (10, None, OrderRole.TARGET)])
def test_one_leg_alone_is_possible(
    trader: SandboxTrader, target: int | None, stop: int | None, role: OrderRole
) -> None:
    """D1 stop only, target only."""
    trader.enter(target=target, stop=stop)
    trader.order(role, OrderStatus.WORKING)
    assert {o.role for o in trader.orders().values()} == {role, OrderRole.ENTRY}


def test_a_stop_that_trails_from_the_start_is_the_venues_own(trader: SandboxTrader) -> None:
    """C2 trailing stop as a bracket's leg."""
    trader.submit(bracket=(BracketLeg(1, None, Decimal(20), Trail(Decimal(10))),))
    leg = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert leg.order_type is OrderType.TRAILING_STOP
    trader.sandbox.price("MNQ", 25_050)
    trader.sandbox.price("MNQ", 25_039)
    trader.order(OrderRole.STOP, OrderStatus.FILLED)


def test_a_partly_filled_entry_is_told_as_one(trader: SandboxTrader) -> None:
    """D2 partial entry."""
    trader.fault("partial_fill", parts=[1, 2], interval=0.2)
    trader.enter(qty=3)
    trader.order(OrderRole.ENTRY, OrderStatus.PARTIALLY_FILLED)
    until(lambda: trader.order(OrderRole.STOP, OrderStatus.WORKING).qty == 1)
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    until(lambda: trader.order(OrderRole.STOP, OrderStatus.WORKING).qty == 3)
    until(lambda: trader.filled() == 3)
    assert [fill.qty for fill in trader.client.heard(FillReport)] == [1, 2]
    assert OrderStatus.PARTIALLY_FILLED in {o.status for o in trader.client.heard(OrderReport)}


def test_a_rejected_leg_is_reported_as_rejected(trader: SandboxTrader) -> None:
    """D3 leg rejected."""
    trader.fault("reject", leg="stop", mode="exchange")
    name = trader.enter()
    trader.order(OrderRole.ENTRY, OrderStatus.FILLED)
    leg = trader.order(OrderRole.STOP, OrderStatus.REJECTED)
    assert (leg.parent_client_order_id, leg.reject_code, leg.reject_text) == (name, REJECTED_CODE, REJECTED_TEXT)
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    assert trader.at_venue() == [("Limit", 1, PRICE + 10)]


@pytest.mark.parametrize(
    ("price", "done", "other"),
    [(25_011, OrderRole.TARGET, OrderRole.STOP), (24_979, OrderRole.STOP, OrderRole.TARGET)],
)
def test_one_exits_fill_ends_the_other(trader: SandboxTrader, price: int, done: OrderRole, other: OrderRole) -> None:
    """D4 one exit's fill ends the other."""
    trader.enter()
    trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.sandbox.price("MNQ", price)
    trader.order(done, OrderStatus.FILLED)
    trader.order(other, OrderStatus.CANCELED)
    until(lambda: trader.net_told() == 0)


def test_a_legs_size_and_price_can_be_changed(trader: SandboxTrader) -> None:
    """D5 legs resized."""
    trader.enter(qty=3)
    target = trader.order(OrderRole.TARGET, OrderStatus.WORKING)
    stop = trader.order(OrderRole.STOP, OrderStatus.WORKING)
    trader.accepted(trader.change(stop, qty=2, stop_price=Decimal(24_985)))
    trader.accepted(trader.change(target, qty=2, price=Decimal(25_015)))
    assert trader.at_venue() == [("Limit", 2, 25_015), ("Stop", 2, 24_985)]
    until(lambda: [trader.orders()[leg.broker_order_id].qty for leg in (stop, target)] == [2, 2])


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"order_type": OrderType.LIMIT, "price": Decimal("24900.1")}, "Invalid price"),
        ({"order_type": OrderType.STOP, "stop_price": Decimal("25000.3")}, "Invalid price"),
        ({"bracket": (BracketLeg(1, None, Decimal("0.25")),)}, "at least 4 ticks away"),
    ],
)
def test_a_price_that_the_venue_does_not_take_is_refused_in_its_words(
    trader: SandboxTrader, terms: dict[str, object], text: str
) -> None:
    """E1 off-tick price, and a leg that is too near."""
    rejected = trader.rejected(trader.submit(**terms))
    assert rejected.code == "OrderRejected"
    assert text in rejected.text
    assert [o for o in trader.client.heard(OrderReport) if o.status is OrderStatus.REJECTED] == []


def test_a_size_of_nothing_is_refused(trader: SandboxTrader) -> None:
    """E2 size."""
    assert trader.rejected(trader.submit(qty=0)).code == "OrderRejected"
    assert trader.entries() == 0


@pytest.mark.parametrize(("style", "code"), [("code_5", "OutsideTradingHours"), ("code_2", "OrderRejected")])
def test_an_order_in_a_closed_session_is_refused(trader: SandboxTrader, style: str, code: str) -> None:
    """E3 closed session."""
    trader.sandbox.switches(session="closed", closed_session=style)
    assert trader.rejected(trader.submit()).code == code


def test_an_order_beyond_the_margin_is_refused(trader: SandboxTrader) -> None:
    """E4 margin."""
    rejected = trader.rejected(trader.submit(qty=100_000))
    assert (rejected.code, rejected.text) == ("InsufficientFunds", "the account's funds do not suffice")


@pytest.mark.parametrize("symbol", ["MNQZ9", "QQQZ6"])
def test_a_contract_that_the_venue_does_not_list_is_refused(trader: SandboxTrader, symbol: str) -> None:
    """E5 unknown symbol."""
    name = "unknown-symbol-000000000001"
    trader.put(SubmitOrder(name, trader.ref, symbol, Side.BUY, 1))
    assert trader.rejected(name).code == "CONTRACT_NOT_FOUND"
    assert trader.entries() == 0


def test_an_account_that_broke_a_rule_is_refused(trader: SandboxTrader) -> None:
    trader.fault("inactive", code=4)
    rejected = trader.rejected(trader.submit())
    assert (rejected.code, rejected.text) == ("AccountViolation", "the account has broken one of the firm's rules")


def test_brackets_that_the_account_is_not_set_to_tell_the_owner_what_to_switch(
    trader: SandboxTrader, sandbox: RunningSandbox
) -> None:
    """D1 native brackets need a switch on the firm's platform."""
    sandbox.switches(bracket_mode="position")
    assert "Auto OCO Brackets" in trader.rejected(trader.enter()).text


def test_what_the_venue_cannot_be_told_never_leaves(trader: SandboxTrader) -> None:
    two = tuple(BracketLeg(1, Decimal(10), Decimal(20)) for _ in range(2))
    trader.not_sent(trader.submit(qty=2, bracket=two))
    pair = SubmitOco("T-" + "a" * 26, "S-" + "a" * 26, trader.ref, SYMBOL, Side.SELL, 1, Decimal(2), Decimal(1))
    trader.put(pair)
    assert {trader.client.outcome(name) for name in (pair.client_order_id, pair.stop_client_order_id)} == set(
        trader.client.heard(NotSent)[1:]
    )
    assert (trader.entries(), trader.client.sent()) == (0, [])


def test_an_accounts_orders_go_out_in_their_order(trader: SandboxTrader) -> None:
    names = [trader.rest(24_000 + n) for n in range(20)]
    for name in names:
        trader.accepted(name)
    entered = [entry["clOrdId"] for entry in trader.sandbox.account_state(trader.id)["entries"]]
    assert entered == names
    until(lambda: len(trader.client.outcomes()) == len(trader.client.sent()) == 20)
