"""The adapter's orders against the sandbox venue: each case is one of the acceptance specification's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from brokers.base import AccountRef, CancelOrder, OrderRole, OrderStatus, OrderType, Side, SubmitOrder
from brokers.reports import Accepted, PositionReport, Rejected, Sent, SyncReport
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.scripted import until
from tests.brokers.webull.trader import AAPL, MNQ, Trader, entry_id, exit_id


@pytest.mark.parametrize(("side", "net"), [(Side.BUY, 2), (Side.SELL, -2)])
def test_a_market_order_fills_and_moves_the_position(trader: Trader, side: Side, net: int) -> None:
    """A1 A2 G2 G4: accepted, filled once, long or short."""
    name = trader.submit(side, 2)
    accepted = trader.outcome(name)
    filled = trader.order(name, OrderStatus.FILLED)
    trader.wait_net(net)
    assert isinstance(accepted, Accepted)
    assert accepted.broker_order_id == filled.broker_order_id
    assert filled.role is OrderRole.ENTRY
    assert [sent.client_order_id for sent in trader.heard(Sent)] == [name]
    assert sum(fill.qty for fill in trader.fills()) == 2
    assert {fill.side for fill in trader.fills()} == {side}
    assert trader.net() == net


def test_a_market_exit_closes_the_position(trader: Trader) -> None:
    """A3 G4: a plain exit order, and the position is reported flat."""
    trader.submit()
    trader.wait_net(1)
    name = trader.submit(Side.SELL, name=exit_id())
    assert trader.order(name, OrderStatus.FILLED).role is OrderRole.EXIT
    trader.wait_net(0)
    assert trader.heard(PositionReport)[-1].avg_price is None


def test_a_limit_rests_and_is_canceled(trader: Trader) -> None:
    """B1 B2 G1: the open order is reported with its terms, then canceled without a fill."""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900.25"))
    working = trader.order(name, OrderStatus.WORKING)
    assert (working.order_type, working.price, working.qty) == (OrderType.LIMIT, Decimal("24900.25"), 1)
    change = trader.cancel(working)
    trader.order(name, OrderStatus.CANCELED)
    assert isinstance(trader.outcome(change), Accepted)
    assert trader.fills() == []


def test_a_limit_is_moved_and_resized(trader: Trader) -> None:
    """B3: the venue has the new terms and the report says them."""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900"))
    working = trader.order(name, OrderStatus.WORKING)
    change = trader.change(working, qty=3, price=Decimal("24950.50"))
    assert isinstance(trader.outcome(change), Accepted)
    until(lambda: trader.orders()[name].price == Decimal("24950.50"))
    assert trader.orders()[name].qty == 3
    assert trader.working() == [("Limit", 3, 24950.5)]


def test_a_finished_order_cannot_be_canceled(trader: Trader) -> None:
    """B4: the venue's refusal, with its code."""
    name = trader.submit()
    filled = trader.order(name, OrderStatus.FILLED)
    refused = trader.outcome(trader.cancel(filled))
    assert isinstance(refused, Rejected)
    assert refused.code.endswith("ORDER_CAN_NOT_BE_CANCEL")


def test_an_order_that_nobody_knows_cannot_be_canceled(trader: Trader) -> None:
    """B4: looked for in the venue's lists before it is refused."""
    trader.connection.submit([CancelOrder("M-" + "0" * 26, trader.futures, "0000NONE")])
    refused = trader.outcome("M-" + "0" * 26)
    assert isinstance(refused, Rejected)
    assert refused.code == "ORDER_NOT_FOUND"


def test_a_change_off_the_tick_is_refused_and_changes_nothing(trader: Trader) -> None:
    """B5: the order works on at its old terms."""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900"))
    working = trader.order(name, OrderStatus.WORKING)
    refused = trader.outcome(trader.change(working, price=Decimal("24900.10")))
    assert isinstance(refused, Rejected)
    assert trader.working() == [("Limit", 1, 24900.0)]


def test_a_limit_does_not_become_a_stop(trader: Trader) -> None:
    """B5: refused before it is sent, as the venue has no such change."""
    name = trader.submit(order_type=OrderType.LIMIT, price=Decimal("24900"))
    working = trader.order(name, OrderStatus.WORKING)
    trader.events.clear()
    stopped = type(working)(**{**_fields(working), "order_type": OrderType.STOP, "price": None})
    refused = trader.outcome(trader.change(stopped, stop_price=Decimal("25100")))
    assert isinstance(refused, Rejected)
    assert refused.code == "UNSUPPORTED_ORDER"


def test_a_protective_stop_works_until_it_is_hit(trader: Trader) -> None:
    """C1: it is good till canceled, and its fill closes the position."""
    trader.submit()
    trader.wait_net(1)
    name = trader.protect(Side.SELL, 1, "24980")
    working = trader.order(name, OrderStatus.WORKING)
    assert (working.role, working.stop_price) == (OrderRole.STOP, Decimal("24980"))
    trader.sandbox.price("MNQ", 24_970)
    trader.order(name, OrderStatus.FILLED)
    trader.wait_net(0)


def test_a_trailing_stop_keeps_the_distance_that_its_price_had(trader: Trader) -> None:
    """C2: the venue wants a distance; it is measured from the market of now."""
    trader.submit()
    trader.wait_net(1)
    name = trader.submit(
        Side.SELL, name=exit_id("S-"), order_type=OrderType.TRAILING_STOP, stop_price=Decimal("24980"),
        is_protective=True,
    )  # fmt: skip
    trader.order(name, OrderStatus.WORKING)
    ((kind, qty, before),) = trader.working()
    trader.sandbox.price("MNQ", 25_100)
    until(lambda: trader.working()[0][2] > before)
    trader.sandbox.price("MNQ", 25_070)
    trader.order(name, OrderStatus.FILLED)
    assert (kind, qty, before) == ("TrailingStop", 1, 24_980.0)


def test_a_trailing_stop_follows_closer_when_it_is_changed(trader: Trader) -> None:
    """B3 C2: only its distance can change, its size cannot."""
    trader.submit()
    trader.wait_net(1)
    name = trader.submit(
        Side.SELL, name=exit_id("S-"), order_type=OrderType.TRAILING_STOP, stop_price=Decimal("24980"),
        is_protective=True,
    )  # fmt: skip
    working = trader.order(name, OrderStatus.WORKING)
    assert isinstance(trader.outcome(trader.change(working, stop_price=Decimal("24990"))), Accepted)
    until(lambda: trader.working()[0][2] == 24_990.0)
    refused = trader.outcome(trader.change(working, qty=2))
    assert isinstance(refused, Rejected)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"order_type": OrderType.LIMIT, "price": Decimal("24900.10")}, "OPENAPI_PARAM_ERR"),
        ({"qty": 0}, "OPENAPI_PARAM_ERR"),
        ({"qty": 1_000_000}, "OPENAPI_DAY_BUYING_POWER_INSUFFICIENT"),
    ],
)
def test_what_the_venue_refuses_is_rejected_with_its_code(trader: Trader, terms: dict[str, object], code: str) -> None:
    """E1 E2 E4: off the tick, no size, no money; nothing is looked for afterwards."""
    refused = trader.outcome(trader.submit(**terms))  # type: ignore[arg-type]
    assert isinstance(refused, Rejected)
    assert refused.code == code
    assert trader.entries() == []


def test_a_closed_market_refuses(trader: Trader) -> None:
    """E3"""
    trader.sandbox.switches(session="closed")
    refused = trader.outcome(trader.submit())
    assert isinstance(refused, Rejected)
    assert refused.code == "OPENAPI_FUTURES_CAN_NOT_TRADING_FOR_NON_TRADING_HOURS"


@pytest.mark.parametrize("symbol", ["MNQZ9", "NOSUCH9", "MNQ1!", "MNQ"])
def test_an_unknown_contract_is_refused_before_it_is_sent(trader: Trader, symbol: str) -> None:
    """E5: neither a month that the venue does not list, nor a name that is no contract's."""
    name = entry_id()
    trader.connection.submit([SubmitOrder(name, trader.futures, symbol, Side.BUY, 1)])
    refused = trader.outcome(name)
    assert isinstance(refused, Rejected)
    assert refused.code in ("UNKNOWN_CONTRACT", "ACCOUNT_CLASS")
    assert trader.entries() == []


def test_each_market_has_its_own_accounts(trader: Trader) -> None:
    """Futures do not go to the individual account nor stocks to the futures one, and nobody else's is used."""
    stranger = AccountRef("SOMEBODY-ELSE", "not ours")
    wrong = [(trader.stocks, MNQ), (trader.futures, AAPL), (stranger, MNQ)]
    names = [entry_id() for _ in wrong]
    trader.connection.submit(
        [SubmitOrder(n, account, symbol, Side.BUY, 1) for n, (account, symbol) in zip(names, wrong, strict=True)]
    )
    outcomes = [trader.outcome(name) for name in names]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Rejected)} == {"ACCOUNT_CLASS"}
    assert trader.entries() == trader.entries(trader.stocks) == []


def test_a_partly_filled_order_that_is_canceled_keeps_its_fill(trader: Trader) -> None:
    """G3: the fill is told, and the order ends as canceled."""
    trader.fault("partial_fill", parts=[2], leg="entry")
    name = trader.submit(qty=5, order_type=OrderType.LIMIT, price=Decimal("25010"))
    partly = trader.order(name, OrderStatus.PARTIALLY_FILLED)
    trader.cancel(partly)
    trader.order(name, OrderStatus.CANCELED)
    assert [fill.qty for fill in trader.fills()] == [1, 1]
    trader.wait_net(2)


def test_an_order_from_the_owners_own_hand_is_external(trader: Trader, sandbox: RunningSandbox) -> None:
    """G5: its order and position are reported, and it is nobody's entry."""
    sandbox.manual(trader.login.id, MNQ, "Buy", 3)
    trader.wait(SyncReport)
    trader.wait_net(3)
    evidence = trader.connection.query(trader.futures)
    (manual,) = evidence.orders
    assert (manual.role, manual.status, manual.qty) == (OrderRole.EXTERNAL, OrderStatus.FILLED, 3)


def test_an_accounts_requests_go_in_their_order(trader: Trader) -> None:
    """An entry that comes after a flatten opens after it."""
    trader.submit()
    trader.wait_net(1)
    trader.flatten()
    name = trader.submit(Side.SELL, 2)
    trader.order(name, OrderStatus.FILLED)
    until(lambda: trader.net() == -2)


def _fields(order: object) -> dict[str, object]:
    return {name: getattr(order, name) for name in order.__slots__}  # type: ignore[attr-defined]
