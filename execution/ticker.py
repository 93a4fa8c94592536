"""Open P&L as it moves: what one socket last said, and what it has to say now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from brokers.quotes.quote import Quote, QuoteBook, source_of
from execution.prices import format_money, format_price, format_ticks
from execution.selectors import list_open_positions_for
from execution.valuation import known_contract, lateness, open_pnl, open_ticks, price_that_counts


@dataclass(frozen=True, slots=True)
class Held:
    """An open position, as much of it as its worth needs. `avg_price` in points, `source` whose quotes it goes by."""

    id: str
    symbol: str
    net_qty: int
    avg_price: Decimal | None
    source: str = ""


def load_holdings(user: User) -> list[Held]:
    rows = list_open_positions_for(user).values_list(
        "id", "symbol", "net_qty", "avg_price", "account__login__venue", "account__login__environment"
    )
    return [
        Held(str(pk), symbol, net_qty, avg_price, source_of(venue, environment))
        for pk, symbol, net_qty, avg_price, venue, environment in rows
    ]


class PnlTicker:
    """Says only what changed. Positions that nobody watches count in the total and are not listed."""

    def __init__(self) -> None:
        self.must_reload = True
        self.symbols: frozenset[str] = frozenset()
        self._held: list[Held] = []
        self._watched: set[str] | None = None
        self._said: dict[str, dict[str, Any]] = {}
        self._said_total: tuple[str | None, int | None] | None = None

    def watch(self, position_ids: set[str]) -> None:
        """From now on list these only, and say them again in full."""
        self._watched = position_ids
        self._said, self._said_total = {}, None

    def hold(self, held: list[Held]) -> None:
        self._held = held
        self.symbols = frozenset(position.symbol for position in held)

    def tick(self, book: QuoteBook) -> dict[str, Any] | None:
        """The message for the browser, or None when nothing moved.

        What counts in the total may be as old as `total_at` says; a late quote shows a price and counts as unknown.
        """
        total: Decimal | None = Decimal(0)
        oldest: datetime | None = None
        now: dict[str, dict[str, Any]] = {}
        for position in self._held:
            quote = book.quote(position.symbol, position.source)
            value = _open(position, quote)
            total = None if total is None or value is None else total + value
            if quote is not None:
                oldest = quote.at if oldest is None else min(oldest, quote.at)
            if self._watched is None or position.id in self._watched:
                now[position.id] = _line(position, quote, value)
        changed = {pk: line for pk, line in now.items() if self._said.get(pk) != line}
        said_total = (None if total is None else str(total), _epoch_ms(oldest))
        if not changed and said_total == self._said_total:
            return None
        self._said, self._said_total = now, said_total
        text, at = said_total
        return {"type": "pnl", "positions": changed, "total": text, "total_text": format_money(total), "total_at": at}


def _open(position: Held, quote: Quote | None) -> Decimal | None:
    cost = None if position.avg_price is None else position.avg_price * position.net_qty
    return open_pnl(position.net_qty, cost, price_that_counts(quote), known_contract(position.symbol))


def _line(position: Held, quote: Quote | None, value: Decimal | None) -> dict[str, Any]:
    contract = known_contract(position.symbol)
    last = quote.last if quote is not None else None
    ticks = open_ticks(position.net_qty, position.avg_price, price_that_counts(quote), contract)
    return {
        "open": None if value is None else str(value),
        "ticks": ticks,
        "last": None if last is None else str(last),
        "at": _epoch_ms(None if quote is None else quote.at),
        "text": {
            "open": format_money(value),
            "ticks": format_ticks(ticks),
            "last": format_price(last, contract) + lateness(quote),
        },
    }


def _epoch_ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)
