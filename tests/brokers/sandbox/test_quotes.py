from __future__ import annotations

from datetime import date
from decimal import Decimal

from brokers.sandbox.market.catalog import Catalog, Contract
from brokers.sandbox.market.quotes import TICKS_PER_SECOND, PriceBoard, Quote

CATALOG = Catalog(lambda: date(2026, 11, 23))
MNQ = CATALOG.front("MNQ")


def walked(seed: int, steps: int) -> tuple[PriceBoard, list[Decimal]]:
    moved: list[Contract] = []
    board = PriceBoard(seed, moved.append)
    prices = []
    for _ in range(steps):
        board.walk([MNQ])
        prices.append(board.quote(MNQ).last)
    assert moved == [MNQ] * steps
    return board, prices


def test_walk_is_the_same_for_a_seed_and_another_for_another():
    assert walked(1, 200)[1] == walked(1, 200)[1]
    assert walked(1, 200)[1] != walked(2, 200)[1]


def test_walk_stays_on_the_grid_near_its_base_with_one_tick_between_bid_and_ask():
    board, prices = walked(1, 5000)
    assert all(MNQ.product.on_tick(price) for price in prices)
    assert all(abs(price - MNQ.product.base_price) < MNQ.product.base_price / 10 for price in prices)
    quote = board.quote(MNQ)
    assert quote.ask - quote.bid == MNQ.product.tick
    assert quote.last in (quote.bid, quote.ask)


def test_pinned_price_stands_still_and_the_walk_goes_on_from_it():
    board, _ = walked(1, 10)
    board.pin(MNQ, Decimal(20_000))
    board.walk([MNQ])
    assert board.quote(MNQ) == Quote.at(Decimal(20_000))
    board.release(MNQ)
    board.walk([MNQ])
    assert abs(board.quote(MNQ).last - 20_000) <= 2 * MNQ.product.tick


def test_a_pinned_price_is_said_again_once_a_second():
    moved: list[Contract] = []
    board = PriceBoard(1, moved.append)
    board.pin(MNQ, Decimal(20_000))
    for _ in range(3 * TICKS_PER_SECOND):
        board.walk([MNQ])
    assert moved == [MNQ] * (1 + 3)
    assert board.quote(MNQ) == Quote.at(Decimal(20_000))


def test_saved_prices_come_back():
    board, _ = walked(1, 10)
    other = CATALOG.front("ES")
    board.pin(other, Decimal(7000))
    saved = {key: {"last": str(row["last"]), "pinned": row["pinned"]} for key, row in board.dump().items()}
    again = PriceBoard(1, lambda contract: None)
    again.load(saved, CATALOG)
    assert again.quote(MNQ).last == board.quote(MNQ).last
    assert again.is_pinned(other) and again.quote(other) == board.quote(other)
