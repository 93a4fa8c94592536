"""Open P&L as it moves, by the quotes of each position's own market."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.quotes.quote import Quote, QuoteBook
from execution.ticker import Held, PnlTicker, load_holdings
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, PositionFactory, TraderFactory

NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
LIVE, SANDBOX = "tradovate/live", "tradovate/sandbox"
AVERAGE = Decimal(25_000)


def quote(last: str, source: str = LIVE, *, age: float = 0, delay_s: int | None = 0) -> Quote:
    return Quote("MNQZ6", Decimal(last), None, None, NOW - timedelta(seconds=age), source, delay_s)


def book(*quotes: Quote) -> QuoteBook:
    return QuoteBook({"MNQZ6": quotes}, NOW)


def ticker(*sources: str) -> PnlTicker:
    """One contract long of each source's market, named by it."""
    made = PnlTicker()
    made.hold([Held(source, "MNQZ6", 1, AVERAGE, source) for source in sources])
    return made


def said(made: PnlTicker, *quotes: Quote) -> dict[str, Any]:
    message = made.tick(book(*quotes))
    assert message is not None
    return message


def test_each_position_is_worth_what_its_own_market_says() -> None:
    message = said(ticker(LIVE, SANDBOX), quote("25010"), quote("26000", SANDBOX))
    opens = {name: line["open"] for name, line in message["positions"].items()}
    assert opens == {LIVE: "20", SANDBOX: "2000"}
    assert message["total"] == "2020"


def test_another_source_of_the_same_market_stands_in_for_one_that_is_gone() -> None:
    message = said(ticker(LIVE), quote("25010", age=11), quote("25020", "projectx/live"), quote("1", SANDBOX))
    assert message["total"] == "40"


def test_an_old_price_counts_and_says_how_old_it_is() -> None:
    message = said(ticker(LIVE, SANDBOX), quote("25010", age=60), quote("25001", SANDBOX))
    at = int((NOW - timedelta(seconds=60)).timestamp() * 1000)
    assert message["total"] == "22"
    assert (message["total_at"], message["positions"][LIVE]["at"]) == (at, at)


@pytest.mark.parametrize(
    ("delay_s", "text"),
    [(600, "25,010.00 10 min late"), (30, "25,010.00 1 min late"), (None, "25,010.00 late")],
)
def test_a_late_price_is_shown_as_late_and_no_money_is_counted_by_it(delay_s: int | None, text: str) -> None:
    message = said(ticker(LIVE), quote("25010", "tradingview/delayed", delay_s=delay_s))
    line = message["positions"][LIVE]
    assert (line["text"]["last"], line["open"], line["ticks"]) == (text, None, None)
    assert (message["total"], message["total_text"]) == (None, "—")


def test_nothing_is_said_twice() -> None:
    made = ticker(LIVE)
    said(made, quote("25010"))
    assert made.tick(book(quote("25010"))) is None
    assert said(made, quote("25010.25"))["total"] == "20.50"


def test_without_any_quote_nothing_is_known() -> None:
    message = said(ticker(LIVE))
    assert (message["total"], message["total_at"]) == (None, None)
    assert message["positions"][LIVE]["last"] is None


@pytest.mark.django_db
def test_a_position_goes_by_the_source_of_its_login() -> None:
    login = BrokerLoginFactory(venue="tradovate", environment="demo")
    trader = TraderFactory(account=BrokerAccountFactory(login=login, owner=login.owner), owner=login.owner)
    position = PositionFactory(trader=trader, symbol="MNQZ6", net_qty=-2, avg_price=AVERAGE)
    assert load_holdings(login.owner) == [Held(str(position.pk), "MNQZ6", -2, AVERAGE, "tradovate/demo")]
