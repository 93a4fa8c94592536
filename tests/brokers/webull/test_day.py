from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.errors import OutcomeUnknown
from brokers.webull.parse import day_pnl_of
from tests.brokers.scripted import until
from tests.brokers.webull.conftest import MNQ_PRICE
from tests.brokers.webull.trader import Trader


def test_the_venues_own_day_is_realised_and_open_together(trader: Trader) -> None:
    trader.submit(qty=2)
    trader.wait_net(2)
    trader.sandbox.price("MNQ", MNQ_PRICE + 10)
    assert trader.connection.day_pnl(trader.futures) == 2 * 10 * 2
    trader.flatten()
    trader.wait_net(0)
    assert trader.connection.day_pnl(trader.futures) == 2 * 10 * 2


def test_every_round_of_looks_vouches_for_the_books(trader: Trader) -> None:
    before = datetime.now(UTC)
    until(lambda: trader.connection.books_at is not None and trader.connection.books_at > before)


@pytest.mark.parametrize(("answer", "expected"), [({"total_day_profit_loss": "-12.50"}, Decimal("-12.5")), ({}, None)])
def test_a_balance_without_the_figure_says_nothing(answer: dict[str, str], expected: Decimal | None) -> None:
    assert day_pnl_of(answer) == expected
    with pytest.raises(OutcomeUnknown):
        day_pnl_of([])
