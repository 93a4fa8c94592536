"""Recorded shapes of the venue's answers (L1), and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from brokers.base import OrderStatus, OrderType, Side
from brokers.errors import OutcomeUnknown, Refused
from brokers.webull import protos
from brokers.webull.instruments import check_account_class, occ_of, option_leg, traded_of
from brokers.webull.parse import accounts_of, cash_of, event_of, orders_of, positions_of, time_of
from brokers.webull.prices import price_of
from brokers.webull.reports import status_of
from brokers.webull.streaming import price_of_push
from brokers.webull.types import MASTER, NORMAL, STOP_LOSS, STOP_PROFIT, Market, Status

FUTURE = orjson.loads(
    """{"client_order_id":"c1","combo_type":"NORMAL","combo_order_id":"O1","orders":[{"symbol":"ESZ6","side":"BUY",
    "status":"SUBMITTED","fees":[{"type":"FUT_CLEARING","actual_value":"0.14","receivable_value":"0.14"}],
    "commission":{},"client_order_id":"c1","order_type":"LIMIT","instrument_type":"FUTURES","order_id":"O1",
    "support_trading_session":"CORE","entrust_type":"QTY","total_quantity":"1","filled_quantity":"0",
    "place_time":"1787870930605","place_time_at":"2026-08-27T22:48:50.605Z","time_in_force":"GTC","limit_price":"1"}]}"""
)


def _row(**changes: Any) -> dict[str, Any]:
    return {**FUTURE["orders"][0], **changes}


def _group(*rows: dict[str, Any], combo_type: str = "MASTER", name: str = "m") -> dict[str, Any]:
    return {"client_order_id": name, "combo_type": combo_type, "combo_order_id": "C1", "orders": list(rows)}


def test_a_recorded_order_is_read_whole() -> None:
    """L1"""
    (order,) = orders_of(FUTURE)
    assert (order.client_order_id, order.order_id, order.combo_type) == ("c1", "O1", NORMAL)
    assert (order.symbol, order.market, order.side) == ("ESZ6", Market.FUTURES, Side.BUY)
    assert (order.status, order.order_type, order.qty, order.filled) == (Status.SUBMITTED, OrderType.LIMIT, 1, 0)
    assert (order.limit, order.average) == (Decimal(1), None)
    assert order.at == datetime(2026, 8, 27, 22, 48, 50, 605_000, tzinfo=UTC)


@pytest.mark.parametrize("wrapped", [[FUTURE], {"data": [FUTURE], "pagination_key": "x"}])
def test_both_forms_of_a_list_are_read(wrapped: Any) -> None:
    """L1: the bare array and the envelope."""
    assert len(orders_of(wrapped["data"] if isinstance(wrapped, dict) else wrapped)) == 1


def test_a_combos_orders_are_told_apart() -> None:
    """D1: by name and type, as the venue does not say which is which."""
    entry = _row(client_order_id="m", order_type="LIMIT")
    target = _row(client_order_id="t", side="SELL", order_type="LIMIT", status="PENDING")
    stop = _row(client_order_id="s", side="SELL", order_type="STOP_LOSS", stop_price="0.5", status="PENDING")
    found = orders_of(_group(entry, target, stop))
    assert [(order.combo_type, order.master) for order in found] == [
        (MASTER, None),
        (STOP_PROFIT, "m"),
        (STOP_LOSS, "m"),
    ]
    assert [status_of(order) for order in found][1:] == [OrderStatus.SUSPENDED, OrderStatus.SUSPENDED]


def test_a_list_may_show_a_combos_exits_alone() -> None:
    """D1: their entry is filled and no longer open."""
    target = _row(client_order_id="t", side="SELL")
    stop = _row(client_order_id="s", side="SELL", order_type="STOP_LOSS")
    assert [(o.combo_type, o.master) for o in orders_of(_group(target, stop))] == [
        (STOP_PROFIT, "m"),
        (STOP_LOSS, "m"),
    ]


def test_a_strangers_combo_begins_with_its_entry() -> None:
    rows = (_row(client_order_id="a"), _row(client_order_id="b", side="SELL", order_type="STOP_LOSS"))
    assert [(o.combo_type, o.master) for o in orders_of(_group(*rows, name="other"))] == [
        (MASTER, None),
        (STOP_LOSS, "a"),
    ]


def test_an_option_goes_by_its_own_name() -> None:
    leg = {
        "id": "L1", "symbol": "AAPL", "side": "BUY", "quantity": "1", "option_type": "CALL",
        "option_expire_date": "2027-01-15", "strike_price": "220.00",
    }  # fmt: skip
    row = _row(symbol="AAPL", instrument_type="OPTION", option_strategy="SINGLE", legs=[leg])
    (order,) = orders_of(_group(row, combo_type="NORMAL"))
    assert (order.symbol, order.leg_ids) == ("AAPL270115C00220000", ("L1",))
    (spread,) = orders_of(_group({**row, "option_strategy": "VERTICAL", "legs": [leg, leg]}, combo_type="NORMAL"))
    assert spread.symbol == "AAPL VERTICAL"


def test_positions_accounts_and_cash_are_read() -> None:
    """L1 G4"""
    rows = [
        {
            "symbol": "MNQZ6",
            "quantity": "-2",
            "instrument_type": "FUTURES",
            "cost_price": "25000.25",
            "last_price": "1",
        },
        {"symbol": "AAPL", "quantity": "10.50", "instrument_type": "EQUITY", "cost_price": "2.32E2"},
    ]
    short, shares = positions_of(rows)
    assert (short.symbol, short.net, short.average) == ("MNQZ6", -2, Decimal("25000.25"))
    assert (shares.net, shares.average, shares.last) == (10, Decimal(232), None)
    assert positions_of([]) == ()
    (account,) = accounts_of(
        [{"account_id": "4MHSOMIJ88", "account_number": "TEST0001", "account_label": "Individual Margin",
          "account_class": "INDIVIDUAL_MARGIN"}]
    )  # fmt: skip
    assert (account.ref.broker_id, account.ref.name, account.kind) == (
        "4MHSOMIJ88",
        "Individual Margin …0001",
        "INDIVIDUAL_MARGIN",
    )
    assert cash_of({"total_cash_balance": "1000000.00"}) == Decimal("1000000.00")


def test_a_recorded_event_is_read() -> None:
    """L1"""
    event = event_of(
        '{"request_id":"1045474398137483264","account_id":"A1","client_order_id":"c1","order_status":"FILLED",'
        '"symbol":"AAPL","qty":"10.00","filled_price":"180.00","filled_qty":"10.00",'
        '"filled_time":"2025-11-21T06:27:43.312+0000","side":"BUY","scene_type":"FINAL_FILLED","category":"US_STOCK"}'
    )
    assert (event.account_id, event.client_order_id, event.status) == ("A1", "c1", Status.FILLED)
    assert (event.qty, event.filled, event.average) == (10, 10, Decimal("180.00"))
    assert event.at == datetime(2025, 11, 21, 6, 27, 43, 312_000, tzinfo=UTC)


@pytest.mark.parametrize("value", [1787860801043, "1787860801043", "2026-08-27T20:00:01.043+0000"])
def test_times_come_in_three_forms(value: object) -> None:
    assert time_of(value) == datetime(2026, 8, 27, 20, 0, 1, 43_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "payload",
    [{}, [{}], [{"orders": None}], "x", [_group({}, combo_type="NORMAL")],
     [_group(_row(total_quantity="many"))]],
)  # fmt: skip
def test_what_cannot_be_read_proves_nothing(payload: Any) -> None:
    """F3"""
    with pytest.raises(OutcomeUnknown):
        orders_of(payload)


def test_a_status_that_nobody_documented_is_no_end() -> None:
    """F3: neither absence nor an end may follow from it."""
    (order,) = orders_of([{**FUTURE, "orders": [_row(status="NEW")]}])
    assert status_of(order) is OrderStatus.WORKING


def test_snapshots_and_pushes_are_prices() -> None:
    """L1: a push says only a part."""
    row = {"symbol": "MESU6", "price": "7732", "bid": "7732", "ask": "7732.25", "quote_time": 1787935637686}
    price = price_of(row)
    assert (price.bid, price.ask, price.last) == (Decimal(7732), Decimal("7732.25"), Decimal(7732))
    basic = {"symbol": "AAPL", "timestamp": "1787935637686"}
    snapshot = protos.SNAPSHOT(basic=basic, price="314.6288")
    again = protos.SNAPSHOT.FromString(snapshot.SerializeToString())
    pushed = price_of_push("snapshot", again)
    assert (pushed.symbol, pushed.bid, pushed.ask, pushed.last) == ("AAPL", None, None, Decimal("314.6288"))
    quote = protos.QUOTE(basic=basic, asks=[{"price": "2", "size": "1"}], bids=[{"price": "1", "size": "1"}])
    assert price_of_push("quote", quote).bid == Decimal(1)


@pytest.mark.parametrize(
    ("symbol", "market", "name"),
    [
        ("MNQZ6", Market.FUTURES, "MNQZ6"),
        ("AAPL", Market.EQUITY, "AAPL"),
        ("NASDAQ:AAPL", Market.EQUITY, "AAPL"),
        ("BRK.B", Market.EQUITY, "BRK.B"),
        ("AAPL270115C00220000", Market.OPTION, "AAPL270115C00220000"),
        ("ES", Market.EQUITY, "ES"),
    ],
)
def test_what_a_symbol_names(symbol: str, market: Market, name: str) -> None:
    """Whoever hands a bare word to this venue means a share; a future has a month and a year."""
    traded = traded_of(symbol)
    assert (traded.market, traded.symbol) == (market, name)


def test_an_options_name_goes_there_and_back() -> None:
    leg = option_leg("AAPL270115C00220000")
    assert leg == {
        "symbol": "AAPL", "strike_price": "220.00", "option_expire_date": "2027-01-15", "instrument_type": "OPTION",
        "option_type": "CALL", "market": "US",
    }  # fmt: skip
    assert occ_of(leg, "AAPL") == "AAPL270115C00220000"
    assert option_leg("F270115P00012505")["strike_price"] == "12.505"


@pytest.mark.parametrize(("symbol", "kind"), [("MNQZ6", "INDIVIDUAL_CASH"), ("AAPL", "FUTURES"), ("AAPL", "CRYPTO")])
def test_a_symbol_and_an_account_of_different_classes_are_refused(symbol: str, kind: str) -> None:
    with pytest.raises(Refused, match="ACCOUNT_CLASS"):
        check_account_class(traded_of(symbol), kind)
