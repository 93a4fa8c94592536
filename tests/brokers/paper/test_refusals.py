"""What the paper venue refuses, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from brokers.base import AccountRef, OrderRole, OrderStatus, OrderType, Side, SubmitOrder
from brokers.paper.terms import Terms
from tests.brokers.paper.conftest import MakeTrader
from tests.brokers.paper.trader import PRICE, THANKSGIVING_EVENING, Market, Trader
from tests.brokers.scripted import until


def test_a_price_between_two_ticks_is_refused(trader: Trader) -> None:
    """E1."""
    assert trader.refusal(trader.limit(PRICE + Decimal("0.1")))[0] == "PRICE_OFF_TICK"


def test_a_size_beyond_the_limit_is_refused_with_both_numbers(trader: Trader) -> None:
    """E2."""
    assert trader.refusal(trader.submit(qty=1001)) == ("ORDER_SIZE", "quantity: had 1001, at least 1 and at most 1000")
    assert trader.refusal(trader.submit(qty=0))[0] == "ORDER_SIZE"


def test_a_closed_market_takes_no_entries_and_keeps_what_rests(trader: Trader, market: Market) -> None:
    """E3."""
    trader.enter(1)
    trader.protect(PRICE + 10, PRICE - 20)
    until(lambda: len(trader.working()) == 2)
    market.now = THANKSGIVING_EVENING
    market.price(PRICE - 100)
    for name in (trader.submit(), trader.limit(PRICE - 200), trader.flatten()):
        assert trader.refusal(name) == ("SESSION_CLOSED", "the exchange is closed for MNQZ6")
    assert len(trader.working()) == 2
    assert trader.net() == 1


def test_what_rested_through_the_break_trades_when_the_market_opens(trader: Trader, market: Market) -> None:
    trader.enter(1)
    trader.protect(PRICE + 10, PRICE - 20)
    trader.order(OrderRole.STOP, OrderStatus.WORKING)
    market.now = THANKSGIVING_EVENING.replace(hour=23, minute=1)
    market.price(PRICE - 100)
    trader.order(OrderRole.STOP, OrderStatus.FILLED)
    assert trader.fills()[-1] == (Side.SELL, 1, Decimal(PRICE - 100))


def test_the_sandbox_market_never_closes(make_trader: MakeTrader, market: Market) -> None:
    trader = make_trader(Terms(is_always_open=True))
    market.now = THANKSGIVING_EVENING
    market.price(PRICE)
    trader.enter(1)


def test_an_entry_beyond_the_accounts_worth_is_refused(make_trader: MakeTrader) -> None:
    """E4: a fourth of a percent of 25,000 points at two dollars each is $125 a contract."""
    trader = make_trader(Terms(balance=Decimal(300)))
    assert trader.refusal(trader.submit(qty=3)) == ("MARGIN", "margin: needs $375.00, the account is worth $300.00")
    trader.enter(2)
    assert trader.refusal(trader.limit(PRICE - 10))[0] == "MARGIN"


def test_open_profit_counts_toward_the_margin_and_open_loss_against_it(make_trader: MakeTrader, market: Market) -> None:
    trader = make_trader(Terms(balance=Decimal(300)))
    trader.enter(2)
    market.price(PRICE + 50)
    trader.enter(1)
    market.price(PRICE - 50)
    assert trader.refusal(trader.submit())[0] == "MARGIN"
    trader.exit(qty=3)
    trader.wait_flat()


def test_an_exit_and_its_protection_are_never_refused_for_margin(make_trader: MakeTrader, market: Market) -> None:
    trader = make_trader(Terms(balance=Decimal(300)))
    trader.enter(2)
    market.price(PRICE - 100)
    trader.protect(PRICE + 10, PRICE - 120, qty=2)
    until(lambda: len(trader.working()) == 2)
    trader.flatten()
    trader.wait_flat()
    assert trader.cash() < 0


def test_an_unknown_symbol_is_refused_by_name(trader: Trader) -> None:
    """E5."""
    for symbol in ("XXXZ6", "MNQ1!", "MNQF6", ""):
        code, text = trader.refusal(trader.submit(symbol=symbol))
        assert code == "UNKNOWN_SYMBOL"
        assert symbol in text
    assert trader.refusal(trader.submit(symbol="MNQU6"))[0] == "CONTRACT_EXPIRED"


def test_an_order_for_another_account_is_refused(trader: Trader) -> None:
    stranger = SubmitOrder("test-stranger-0000000000000000", AccountRef("PAPER-2", "Other"), "MNQZ6", Side.BUY, 1)
    assert trader.refusal(trader.send(stranger))[0] == "UNKNOWN_ACCOUNT"


def test_a_client_order_id_is_placed_once(trader: Trader) -> None:
    """F5."""
    first = trader.order_called(trader.submit(name="same-" + "0" * 22), OrderStatus.FILLED)
    trader.submit(name="same-" + "0" * 22)
    trader.settled()
    assert len(trader.fills()) == 1
    assert list(trader.orders()) == [first.broker_order_id]


def test_a_refused_client_order_id_may_be_sent_again(trader: Trader, market: Market) -> None:
    """An exit that was refused for want of a price keeps its id."""
    market.now = THANKSGIVING_EVENING
    name = trader.submit(name="X-" + "0" * 26)
    assert trader.refusal(name)[0] == "SESSION_CLOSED"
    market.now = datetime(2026, 11, 25, 23, 5, tzinfo=UTC)
    market.price(PRICE)
    trader.submit(name=name)
    trader.order_called(name, OrderStatus.FILLED)


def test_a_market_order_is_never_filled_at_an_old_price(trader: Trader, market: Market) -> None:
    market.wait(seconds=11)
    name = trader.submit()
    trader.settled()
    assert trader.fills() == []
    market.wait(seconds=2)
    assert trader.refusal(name) == ("NO_QUOTE", "no fresh quote of MNQZ6 within 2 s")
    market.price(PRICE)
    trader.settled()
    assert trader.fills() == []


def test_an_order_without_a_quote_asks_for_it_and_fills_when_it_comes(trader: Trader, market: Market) -> None:
    market.silence()
    name = trader.submit(symbol="MESZ6")
    until(lambda: "MESZ6" in market.asked)
    market.wait(seconds=1)
    market.price(6000, symbol="MESZ6")
    trader.order_called(name, OrderStatus.FILLED)


def test_what_comes_behind_a_waiting_order_of_the_same_contract_does_not_overtake_it(
    trader: Trader, market: Market
) -> None:
    market.silence()
    entry = trader.submit()
    pair = trader.protect(PRICE + 10, PRICE - 20)
    other = trader.limit(PRICE - 500)
    assert trader.working() == []
    market.price(PRICE)
    trader.order_called(entry, OrderStatus.FILLED)
    trader.order_called(other, OrderStatus.WORKING)
    trader.order_called(pair.client_order_id, OrderStatus.WORKING)
    assert [type(event).__name__ for event in trader.events].count("Accepted") == 4


def test_a_late_quote_counts_as_none(trader: Trader, market: Market) -> None:
    """Such as TradingView's, which is for screens."""
    market.quotes["MNQZ6"] = replace(market.quotes["MNQZ6"], delay_s=600)
    name = trader.submit()
    trader.settled()
    market.wait(seconds=3)
    assert trader.refusal(name)[0] == "NO_QUOTE"


def test_a_resting_order_ignores_old_and_late_quotes(trader: Trader, market: Market) -> None:
    trader.order_called(trader.limit(PRICE - 5), OrderStatus.WORKING)
    market.quotes["MNQZ6"] = replace(market.quotes["MNQZ6"], last=Decimal(PRICE - 50), bid=None, ask=None, delay_s=None)
    trader.settled()
    assert trader.fills() == []
    market.quotes["MNQZ6"] = replace(market.quotes["MNQZ6"], delay_s=0)
    trader.settled()
    assert trader.fills() == [(Side.BUY, 1, Decimal(PRICE - 5))]


def test_an_unknown_order_can_neither_be_changed_nor_canceled(trader: Trader) -> None:
    resting = trader.order_called(trader.limit(PRICE - 5), OrderStatus.WORKING)
    gone = replace(resting, broker_order_id="77")
    assert trader.refusal(trader.cancel(gone)) == ("UNKNOWN_ORDER", "there is no order 77")
    assert trader.refusal(trader.change(gone))[0] == "UNKNOWN_ORDER"
    change = trader.change(replace(resting, order_type=OrderType.STOP))
    assert trader.refusal(change)[0] == "PRICE_MISSING"
