"""What an order is for: told by the id that we gave it, or by its place in a strategy."""

from __future__ import annotations

import pytest

from brokers.base import EXIT_PREFIX, STOP_PREFIX, TARGET_PREFIX, OrderRole, role_of
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import StrategyLink
from tests.brokers.tradovate.entities import BRACKETED_ENTRY, ID, Desk, command, link, order, orders, version

TAIL = "a" * 26


@pytest.mark.parametrize(
    ("client_order_id", "role"),
    [
        (TARGET_PREFIX + TAIL, OrderRole.TARGET),
        (STOP_PREFIX + TAIL, OrderRole.STOP),
        (EXIT_PREFIX + TAIL, OrderRole.EXIT),
        (ID, OrderRole.ENTRY),
        ("JT" + TAIL, OrderRole.ENTRY),
        ("TT" + TAIL, OrderRole.ENTRY),
    ],
)
def test_our_id_tells_what_an_order_is_for(client_order_id: str, role: OrderRole) -> None:
    assert role_of(client_order_id) is role
    reports = Desk().feed(order(1, "Working", "Sell"), version(1, "Limit", price=1.0), command(1, client_order_id))
    (report,) = orders(reports).values()
    assert (report.role, report.client_order_id, report.parent_client_order_id) == (role, client_order_id, None)


def test_the_id_of_a_change_is_not_the_orders() -> None:
    desk = Desk()
    desk.feed(order(1, "Working"), version(1, "Limit", price=1.0), command(1, TARGET_PREFIX + TAIL))
    reports = desk.feed(command(1, "M-" + TAIL, kind="Modify", id_=7), ("orderVersion", _changed()))
    (report,) = orders(reports).values()
    assert (report.client_order_id, report.role, report.qty) == (TARGET_PREFIX + TAIL, OrderRole.TARGET, 1)


def test_a_leg_knows_its_place_in_the_bracket() -> None:
    desk = Desk()
    changes = [*BRACKETED_ENTRY, order(16, "Suspended", "Sell"), version(16, "Stop", stopPrice=1.0), command(16)]
    reports = desk.feed(*changes, link(16, "1"))
    assert {key: report.bracket_index for key, report in orders(reports).items()} == {
        "11": None,
        "12": 0,
        "13": 0,
        "16": 1,
    }


@pytest.mark.parametrize(
    ("label", "index"),
    [("256", None), ("0", 0), ("17", 17), (3, 3), ("", None), ("x", None), ("-1", None), (None, None)],
)
def test_labels(label: object, index: int | None) -> None:
    item = {"id": 1, "orderStrategyId": 2, "orderId": 3, "label": label}
    assert entities_of("orderStrategyLink", item) == [StrategyLink(1, 2, 3, index)]


def _changed() -> dict[str, object]:
    return {"id": 7, "orderId": 1, "orderQty": 1, "orderType": "Limit", "price": 2.0}
