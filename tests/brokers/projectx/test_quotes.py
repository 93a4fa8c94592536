"""What the market hub says of a price, merged message by message."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.projectx.quotes import MarketSession
from tests.brokers.projectx.frames import MNQ, SYMBOL
from tests.brokers.projectx.test_auth import sign_in
from tests.brokers.projectx.venue import Venue

AT = "2026-11-23T14:52:32.1Z"
Told = tuple[str, Decimal | None, Decimal | None, Decimal | None, datetime]


@pytest.fixture
def told() -> list[Told]:
    return []


@pytest.fixture
def session(venue: Venue, told: list[Told]) -> MarketSession:
    session = MarketSession(sign_in(venue), venue.endpoints().md_url, lambda *quote: told.append(quote))
    session.add(MNQ, SYMBOL)
    return session


def prices(told: list[Told]) -> list[tuple[float | None, ...]]:
    return [tuple(None if price is None else float(price) for price in row[1:4]) for row in told]


def test_a_quote_says_only_what_changed(session: MarketSession, told: list[Told]) -> None:
    """L1 partial quotes: what is not said is as it was."""
    for quote in (
        {"lastPrice": 25000.5, "bestBid": 25000.25, "bestAsk": 25000.75, "timestamp": AT},
        {"symbol": "F.US.MNQ", "bestBid": 25000.5, "lastUpdated": AT},
        {"symbol": "F.US.MNQ", "lastPrice": None, "volume": 3, "timestamp": AT},
    ):
        session.on_event("GatewayQuote", [MNQ, quote])
    assert prices(told) == [(25000.25, 25000.75, 25000.5), (25000.5, 25000.75, 25000.5), (25000.5, 25000.75, 25000.5)]
    assert {row[0] for row in told} == {SYMBOL}
    assert told[0][4].isoformat() == "2026-11-23T14:52:32.100000+00:00"


@pytest.mark.parametrize("wrap", [lambda *trades: list(trades), lambda *trades: trades[-1]])
def test_a_trade_moves_the_last_price(session: MarketSession, told: list[Told], wrap: Any) -> None:
    """L1 trades come alone or in a list."""
    trades = [{"symbolId": "F.US.MNQ", "price": price, "timestamp": AT, "type": 0, "volume": 1} for price in (1, 2.25)]
    session.on_event("gatewaytrade", [MNQ, wrap(*trades)])
    assert prices(told) == [(None, None, 2.25)]


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("GatewayQuote", ["CON.F.US.ENQ.Z26", {"lastPrice": 1}]),
        ("GatewayDepth", [MNQ, {"price": 1}]),
        ("GatewayQuote", [MNQ]),
        ("GatewayQuote", []),
        ("GatewayTrade", [MNQ, {"volume": 1}]),
        ("GatewayTrade", [MNQ, []]),
        ("GatewayQuote", [MNQ, "text"]),
    ],
)
def test_what_is_no_price_of_ours_is_passed_over(
    session: MarketSession, told: list[Told], target: str, arguments: list[Any]
) -> None:
    session.on_event(target, arguments)
    assert told == []


def test_old_prices_are_forgotten_when_the_hub_goes_away(session: MarketSession, told: list[Told]) -> None:
    session.on_event("GatewayQuote", [MNQ, {"lastPrice": 1, "bestBid": 1, "timestamp": AT}])
    session.on_down("a test")
    session.on_event("GatewayQuote", [MNQ, {"bestAsk": 2, "timestamp": AT}])
    assert prices(told) == [(1, None, 1), (None, 2, None)]
