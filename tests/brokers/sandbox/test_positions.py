from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from brokers.sandbox.market.catalog import Catalog
from brokers.sandbox.tradovate.positions import Position

CONTRACT = Catalog(lambda: date(2026, 11, 23)).front("MNQ")
FILLS = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 9), st.integers(99_000, 101_000)), min_size=1, max_size=30
)


@given(FILLS)
def test_net_cash_and_pairs_agree_for_any_fills(fills):
    """Realised by pairs + open at the last price = value of all fills marked at the last price."""
    position = Position(CONTRACT, {"id": 1})
    pairs, value, net = [], Decimal(0), 0
    for number, (sign, qty, ticks) in enumerate(fills):
        price = ticks * CONTRACT.product.tick
        pairs += position.apply(number, sign, qty, price)
        value -= sign * qty * price
        net += sign * qty
    last = fills[-1][2] * CONTRACT.product.tick
    point = CONTRACT.product.point_value
    realized = sum((pair.profit(point) for pair in pairs), Decimal(0))
    assert position.net == net
    assert sum(lot.qty for lot in position.lots) == abs(net)
    assert abs(realized + position.open_profit(last) - (value + net * last) * point) < Decimal("1e-9")
    assert (position.average is None) == (net == 0)
    assert position.bought - position.sold == net


def test_row_has_no_price_when_flat():
    position = Position(CONTRACT, {"id": 1, "netPrice": 5.0})
    position.apply(1, 1, 2, Decimal(100))
    position.refresh_row("now", {})
    assert position.row["netPrice"] == 100.0
    position.apply(2, -1, 2, Decimal(101))
    position.refresh_row("now", {})
    assert "netPrice" not in position.row
    assert position.row["netPos"] == 0
