"""Quotes are for screens: a login without them goes on trading, and nobody is told an old price as a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from brokers.access import Access, Endpoints
from brokers.base import OrderRole, OrderStatus
from brokers.errors import RateLimited
from brokers.sandbox.testing import RunningSandbox
from brokers.tradovate import quotes as quotes_module
from brokers.tradovate.gate import Gate
from brokers.tradovate.quotes import QuoteStream
from brokers.tradovate.venue import VENUE
from tests.brokers.scripted import SocketServer, until
from tests.brokers.tradovate.trader import SYMBOL, Trader
from tests.brokers.tradovate.venue import Line

Seen = list[tuple[str, Decimal | None, Decimal | None, Decimal | None, datetime]]
NO_PLAN = "has no market data in its plan"


@pytest.fixture
def quoted(
    sandbox: RunningSandbox, new_trader: Callable[..., Trader]
) -> Iterator[Callable[[str], tuple[Trader, QuoteStream, Seen]]]:
    streams: list[QuoteStream] = []

    def start(md_url: str) -> tuple[Trader, QuoteStream, Seen]:
        def connect(login_id: Any, access: Access, sink: Any, loop: Any) -> Any:
            endpoints = Endpoints(access.endpoints.rest_url, access.endpoints.ws_url, md_url)
            return VENUE.connect(login_id, Access(access.credentials, endpoints, access.store), sink, loop)

        trader = new_trader(connect).live()
        seen: Seen = []
        streams.append(trader.client.connection.quotes(lambda *quote: seen.append(quote)))
        streams[-1].start()
        streams[-1].subscribe([SYMBOL])
        return trader, streams[-1], seen

    yield start
    for stream in streams:
        stream.stop()


def test_a_quote_carries_the_venues_own_time(
    sandbox: RunningSandbox, quoted: Callable[[str], tuple[Trader, QuoteStream, Seen]]
) -> None:
    _, _, seen = quoted(sandbox.md_url)
    until(lambda: seen)
    before = datetime.now(UTC)
    sandbox.price("MNQ", 25_123)
    until(lambda: seen[-1][3] == 25_123)
    assert abs((seen[-1][4] - before).total_seconds()) < 5


def test_a_login_without_market_data_says_so_once_and_goes_on_trading(
    sandbox: RunningSandbox,
    quoted: Callable[[str], tuple[Trader, QuoteStream, Seen]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.switches(md_entitlement=False)
    trader, stream, seen = quoted(sandbox.md_url)
    stream.subscribe(["ESZ6"])
    until(lambda: NO_PLAN in caplog.text)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    assert (seen, caplog.text.count(NO_PLAN)) == ([], 1)


def test_a_token_that_only_the_quotes_refuse_stays_the_logins(
    quoted: Callable[[str], tuple[Trader, QuoteStream, Seen]], caplog: pytest.LogCaptureFixture
) -> None:
    server = SocketServer()
    trader, stream, _ = quoted(server.url)
    line = Line(server.accepted())
    line.reply(line.expect("authorize")[0], "Access is denied", status=401)
    until(lambda: NO_PLAN in caplog.text)
    until(lambda: stream._session.stream.due > 0)
    trader.enter()
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    signed_in = [a for a in trader.sandbox.arrivals() if a["endpoint"] == "auth/accesstokenrequest"]
    assert [a["username"] for a in signed_in].count(trader.account.username) == 1
    server.close()


def test_what_is_asked_for_again_is_subscribed_again(
    quoted: Callable[[str], tuple[Trader, QuoteStream, Seen]],
) -> None:
    """The first subscription may have been refused, or its answer lost."""
    server = SocketServer()
    _, stream, _ = quoted(server.url)
    line = Line(server.accepted())
    line.reply(line.expect("authorize")[0])
    line.reply(line.expect("md/subscribeQuote")[0], "Try later", status=503)
    stream.subscribe([SYMBOL])
    assert line.expect("md/subscribeQuote")[2] == f'{{"symbol":"{SYMBOL}"}}'
    server.close()


def test_a_contract_that_could_not_be_looked_up_is_quoted_once_it_is_asked_for_again(
    sandbox: RunningSandbox,
    quoted: Callable[[str], tuple[Trader, QuoteStream, Seen]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, stream, seen = quoted(sandbox.md_url)
    until(lambda: seen)
    with monkeypatch.context() as spent:
        spent.setattr(Gate, "spend", Mock(side_effect=RateLimited(datetime.now(UTC), "the budget is spent")))
        stream.subscribe(["ESZ6"])
        until(lambda: "no quotes for ESZ6: the budget is spent" in caplog.text)
    stream.subscribe(["ESZ6"])
    until(lambda: any(quote[0] == "ESZ6" for quote in seen))


def test_the_market_data_token_is_used_where_there_is_one_and_else_the_access_token() -> None:
    class Tokens:
        market_data, access = "md", "access"

    session = quotes_module.QuoteSession.__new__(quotes_module.QuoteSession)
    tokens = Tokens()
    assert session.socket_token(tokens) == "md"  # type: ignore[arg-type]
    tokens.market_data = ""
    assert session.socket_token(tokens) == "access"  # type: ignore[arg-type]
