"""The bodies of our requests; pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.base import AccountRef, BracketLeg, ModifyOrder, OrderType, Side, SubmitOrder, Trail
from brokers.errors import Refused
from brokers.webull import orders
from brokers.webull.instruments import traded_of
from brokers.webull.orders import ExitPrices, close_body, leg_ids, move_body, place_body, replace_body
from brokers.webull.types import NORMAL, STOP_LOSS, Market, OrderState, Status
from tests.brokers.webull.trader import exit_id

ACCOUNT = AccountRef("A1", "Individual")
ENTRY = "JT" + "E" * 26
OPTION = "AAPL270115C00220000"


def _order(symbol: str = "MNQZ6", side: Side = Side.BUY, name: str = ENTRY, **terms: Any) -> SubmitOrder:
    return SubmitOrder(name, ACCOUNT, symbol, side, terms.pop("qty", 1), **terms)


def _body(order: SubmitOrder, reference: str | None = None) -> dict[str, Any]:
    price = None if reference is None else Decimal(reference)
    body = place_body(order, traded_of(order.symbol), price)
    assert body["account_id"] == "A1"
    first: dict[str, Any] = body["new_orders"][0]
    return first


def test_a_future_is_placed_as_documented() -> None:
    """L1"""
    order = _order(order_type=OrderType.LIMIT, price=Decimal("7732.25"))
    assert _body(order) == {
        "client_order_id": ENTRY, "combo_type": "NORMAL", "symbol": "MNQZ6", "instrument_type": "FUTURES",
        "market": "US", "side": "BUY", "order_type": "LIMIT", "limit_price": "7732.25", "quantity": "1",
        "entrust_type": "QTY", "time_in_force": "DAY",
    }  # fmt: skip


def test_an_option_is_placed_as_documented() -> None:
    """L1"""
    body = _body(_order(OPTION, order_type=OrderType.LIMIT, price=Decimal("11.25")))
    assert (body["symbol"], body["option_strategy"], body["instrument_type"]) == ("AAPL", "SINGLE", "OPTION")
    assert body["legs"] == [
        {"side": "BUY", "quantity": "1", "symbol": "AAPL", "strike_price": "220.00",
         "option_expire_date": "2027-01-15", "instrument_type": "OPTION", "option_type": "CALL", "market": "US"}
    ]  # fmt: skip
    assert "position_intent" not in body


@pytest.mark.parametrize(
    ("symbol", "side", "name", "said"),
    [
        ("AAPL", Side.BUY, ENTRY, "BUY"),
        ("AAPL", Side.SELL, ENTRY, "SHORT"),
        ("AAPL", Side.SELL, exit_id(), "SELL"),
        ("MNQZ6", Side.SELL, ENTRY, "SELL"),
    ],
)
def test_only_an_entry_sells_shares_short(symbol: str, side: Side, name: str, said: str) -> None:
    """A2: an exit that finds nothing to sell must not open the other way."""
    assert _body(_order(symbol, side, name))["side"] == said


def test_an_options_exit_says_that_it_closes() -> None:
    """J1: without its position it is refused instead of opening one."""
    assert _body(_order(OPTION, Side.SELL, exit_id()))["position_intent"] == "SELL_TO_CLOSE"
    closing = close_body("A1", exit_id(), traded_of(OPTION), -2)["new_orders"][0]
    assert (closing["position_intent"], closing["quantity"]) == ("BUY_TO_CLOSE", "2")


@pytest.mark.parametrize(
    ("terms", "lasts"),
    [
        ({}, "DAY"),
        ({"order_type": OrderType.LIMIT, "price": Decimal(1)}, "DAY"),
        ({"order_type": OrderType.STOP, "stop_price": Decimal(1), "is_protective": True}, "GTC"),
        ({"order_type": OrderType.LIMIT, "price": Decimal(1), "is_protective": True}, "GTC"),
        ({"is_protective": True}, "DAY"),
    ],
)
def test_what_protects_outlives_the_day(terms: dict[str, Any], lasts: str) -> None:
    """C1: no market order does."""
    assert _body(_order(**terms))["time_in_force"] == lasts


def test_shares_name_their_session() -> None:
    """E1: the venue refuses them without."""
    assert _body(_order("AAPL"))["support_trading_session"] == "CORE"
    assert "support_trading_session" not in _body(_order())


def test_a_bracket_is_one_request() -> None:
    """D1: one crash cannot part the entry from its exits."""
    leg = BracketLeg(2, Decimal("10"), Decimal("5"))
    order = _order("AAPL", qty=2, order_type=OrderType.LIMIT, price=Decimal("300.50"), bracket=(leg,))
    body = place_body(order, traded_of("AAPL"), None)
    entry, target, stop = body["new_orders"]
    assert body["client_combo_order_id"] == ENTRY
    assert [one["combo_type"] for one in body["new_orders"]] == ["MASTER", "STOP_PROFIT", "STOP_LOSS"]
    assert (target["limit_price"], stop["stop_price"]) == ("310.50", "295.50")
    assert {(one["side"], one["quantity"], one["time_in_force"]) for one in (target, stop)} == {("SELL", "2", "GTC")}
    assert (target["client_order_id"], stop["client_order_id"]) == leg_ids(ENTRY)
    assert {len(one["client_order_id"]) for one in (target, stop)} == {32}
    assert entry["quantity"] == "2"


def test_exits_stand_on_the_tick() -> None:
    """D1 E1: wherever the entry's average lies."""
    leg = BracketLeg(1, Decimal("10"), Decimal("5"))
    share = orders.exit_prices(Side.BUY, leg, Decimal("300.1234"), traded_of("AAPL"))
    penny = orders.exit_prices(Side.SELL, BracketLeg(1, None, Decimal("0.01")), Decimal("0.5"), traded_of("AAPL"))
    assert share == ExitPrices(Decimal("310.12"), Decimal("295.12"))
    assert penny == ExitPrices(None, Decimal("0.51"))


def test_a_trail_is_its_distance_from_the_market() -> None:
    """C2"""
    trail = _order(side=Side.SELL, order_type=OrderType.TRAILING_STOP, stop_price=Decimal(24_980))
    body = _body(trail, "25000.25")
    assert (body["order_type"], body["trailing_type"], body["trailing_stop_step"]) == (
        "TRAILING_STOP_LOSS",
        "AMOUNT",
        "20.25",
    )
    with pytest.raises(Refused, match="no distance"):
        _body(trail, "24980")


@pytest.mark.parametrize(
    "order",
    [
        _order(order_type=OrderType.LIMIT),
        _order(order_type=OrderType.STOP),
        _order(order_type=OrderType.TRAILING_STOP),
        _order(OPTION, order_type=OrderType.TRAILING_STOP, stop_price=Decimal(1)),
        _order("AAPL", bracket=(BracketLeg(1, None, Decimal(1), Trail(Decimal(1))),)),
        _order("AAPL", bracket=(BracketLeg(2, None, Decimal(1)),)),
    ],
)
def test_what_cannot_be_said_is_refused_by_us(order: SubmitOrder) -> None:
    """E2: a missing price, a trail or a size that the venue does not have."""
    with pytest.raises(Refused):
        place_body(order, traded_of(order.symbol), Decimal(100))


WORKING = OrderState(
    client_order_id="c1", order_id="O1", combo_type=NORMAL, master=None, symbol="MNQZ6", market=Market.FUTURES,
    side=Side.BUY, status=Status.SUBMITTED, order_type=OrderType.LIMIT, qty=2, filled=0, average=None,
    limit=Decimal(100), stop=None, step=None, at=None,
)  # fmt: skip


def _change(order_type: OrderType, qty: int = 2, **prices: Decimal) -> ModifyOrder:
    return ModifyOrder("M-" + "1" * 26, ACCOUNT, "O1", qty, order_type, **prices)


def test_a_change_states_all_terms() -> None:
    """B3"""
    body = replace_body(_change(OrderType.LIMIT, 3, price=Decimal("99.5")), WORKING, None)
    assert body == {
        "account_id": "A1",
        "modify_orders": [
            {"client_order_id": "c1", "quantity": "3", "limit_price": "99.5", "time_in_force": "GTC"},
        ],
    }


def test_a_limit_may_become_a_market_order_and_nothing_else() -> None:
    """B3 B5"""
    body = replace_body(_change(OrderType.MARKET), WORKING, None)
    assert body["modify_orders"] == [{"client_order_id": "c1", "order_type": "MARKET", "quantity": "2"}]
    with pytest.raises(Refused):
        replace_body(_change(OrderType.STOP, stop_price=Decimal(1)), WORKING, None)


def test_a_futures_trail_changes_its_distance_alone() -> None:
    """B3 B5 C2"""
    trailing = replace(WORKING, order_type=OrderType.TRAILING_STOP, limit=None, step=Decimal(20))
    body = replace_body(_change(OrderType.TRAILING_STOP, stop_price=Decimal(90)), trailing, Decimal(100))
    assert body["modify_orders"] == [{"client_order_id": "c1", "trailing_type": "AMOUNT", "trailing_stop_step": "10"}]
    with pytest.raises(Refused):
        replace_body(_change(OrderType.TRAILING_STOP, 3), trailing, None)


def test_an_option_names_its_leg_in_a_change() -> None:
    """B3 D1"""
    option = replace(
        WORKING, symbol=OPTION, market=Market.OPTION, combo_type=STOP_LOSS, order_type=OrderType.STOP,
        stop=Decimal(9), limit=None, leg_ids=("L1",),
    )  # fmt: skip
    body = move_body("A1", option, ExitPrices(None, Decimal("9.50")))
    assert body is not None
    assert body["modify_orders"] == [
        {"client_order_id": "c1", "stop_price": "9.50", "quantity": "2", "legs": [{"id": "L1", "quantity": "2"}]}
    ]
    assert move_body("A1", option, ExitPrices(Decimal(20), Decimal(9))) is None
