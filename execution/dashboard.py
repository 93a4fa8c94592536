"""What each panel of the trading pages shows. Every function reads for one user and costs a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import QueryDict
from redis.exceptions import RedisError

from accounts.selectors import Person
from brokers.base import ConnectionState
from brokers.models import BrokerLogin
from brokers.quotes import cache
from brokers.quotes.quote import QuoteBook
from brokers.selectors import list_logins_for
from execution import selectors
from execution.cards import recorders_panel
from execution.prices import format_money
from execution.reconcile.panel import breaks_panel
from execution.riskpage.brief import brief
from execution.rows import fill_row, legs_by_trader, order_row, position_row, signal_row
from execution.timing import time_signals
from execution.valuation import known_contract, open_pnl, price_that_counts
from justtrades import clock
from justtrades.requests import words_of
from recorders.models import Signal
from recorders.selectors import list_recorders_for, list_signals_for
from recorders.silence import list_open_notices_for

PAGE_ROWS = 100
PANEL_ROWS = 12
NOTICES_SHOWN = 5
DEGRADED = (ConnectionState.CONNECTING, ConnectionState.STALE)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Quotes:
    """The newest quotes, or none with `is_reachable` false while the cache is out of reach.

    `moments` are those of the quotes that were used.
    """

    book: QuoteBook
    is_reachable: bool
    moments: list[datetime] = field(default_factory=list)

    @property
    def newest_at(self) -> datetime | None:
        return max(self.moments, default=None)

    @property
    def oldest_at(self) -> datetime | None:
        """How old a sum of them may be."""
        return min(self.moments, default=None)

    def counting(self, symbol: str, source: str) -> Decimal | None:
        """The price that money is counted by."""
        quote = self.book.quote(symbol, source)
        if quote is not None:
            self.moments.append(quote.at)
        return price_that_counts(quote)


@dataclass(slots=True)
class Connections:
    """A user's enabled logins by how they are; the counts are of logins."""

    live: int = 0
    degraded: int = 0
    down: int = 0
    troubled: list[BrokerLogin] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.live + self.degraded + self.down


@dataclass(frozen=True, slots=True)
class ContractLine:
    """All open positions of one contract together."""

    symbol: str
    positions: int
    net_qty: int
    open_text: str
    open: Decimal | None


def read_quotes(symbols: set[str]) -> Quotes:
    try:
        return Quotes(cache.book(symbols), is_reachable=True)
    except RedisError as error:
        log.warning("dashboard.quotes_out_of_reach", reason=type(error).__name__)
        return Quotes(QuoteBook({}, clock.now()), is_reachable=False)


def is_newest(query: QueryDict) -> bool:
    """Whether a panel of the dashboard asks, which shows the newest rows only, and not a page of them all."""
    return query.get("view") == "newest"


def paged(rows: QuerySet[Any], query: QueryDict) -> Page[Any]:
    return Paginator(rows, PANEL_ROWS if is_newest(query) else PAGE_ROWS).get_page(query.get("page"))


def newest_or_page(rows: QuerySet[Any], query: QueryDict) -> tuple[Page[Any] | None, list[Any]]:
    """The newest few without counting the rest, which a long history makes dear; or a page, which needs the count."""
    if is_newest(query):
        return None, list(rows[:PANEL_ROWS])
    page = paged(rows, query)
    return page, list(page.object_list)


def connections_of(user: Person) -> Connections:
    found = Connections()
    for login in list_logins_for(user).filter(is_enabled=True):
        if login.state == ConnectionState.LIVE:
            found.live += 1
            continue
        found.troubled.append(login)
        if login.state in DEGRADED:
            found.degraded += 1
        else:
            found.down += 1
    return found


def status_panel(user: Person, _query: QueryDict) -> dict[str, Any]:
    exposures = selectors.list_exposures_for(user)
    quotes = read_quotes({exposure.symbol for exposure in exposures})
    lines = contract_lines(exposures, quotes)
    known = [line.open for line in lines if line.open is not None]
    total = sum(known, Decimal(0)) if len(known) == len(lines) else None
    realized = selectors.realized_pnl_for(user)
    return {
        "connections": connections_of(user),
        "protection": selectors.protection_for(user),
        "contracts": lines,
        "open": total,
        "open_text": format_money(total),
        "realized": realized,
        "realized_text": format_money(realized),
        "quotes": quotes,
        "notices": list(list_open_notices_for(user)[:NOTICES_SHOWN]),
        "risk": brief(user),
    }


def contract_lines(exposures: Iterable[selectors.Exposure], quotes: Quotes) -> list[ContractLine]:
    """A line for each contract, over all sources that its positions go by."""
    by_symbol: dict[str, list[selectors.Exposure]] = {}
    for exposure in exposures:
        by_symbol.setdefault(exposure.symbol, []).append(exposure)
    return [_contract_line(symbol, parts, quotes) for symbol, parts in by_symbol.items()]


def _contract_line(symbol: str, parts: list[selectors.Exposure], quotes: Quotes) -> ContractLine:
    contract = known_contract(symbol)
    values = [open_pnl(part.net_qty, part.cost, quotes.counting(symbol, part.source), contract) for part in parts]
    known = [value for value in values if value is not None]
    total = sum(known, Decimal(0)) if len(known) == len(values) else None
    positions, net_qty = sum(part.positions for part in parts), sum(part.net_qty for part in parts)
    return ContractLine(symbol, positions, net_qty, format_money(total), total)


def positions_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    rows = selectors.list_open_positions_for(user)
    words = words_of(query)
    if words:
        rows = rows.filter(
            Q(account__name__icontains=words) | Q(symbol__icontains=words) | Q(trader__recorder__name__icontains=words)
        )
    if query.get("show") == "unprotected":
        rows = rows.filter(unprotected_since__isnull=False)
    page = paged(rows, query)
    held = list(page.object_list)
    quotes = read_quotes({position.symbol for position in held})
    legs = legs_by_trader(selectors.list_protective_orders(held)) if held else {}
    return {
        "page": page,
        "positions": [position_row(position, quotes.book, legs) for position in held],
        "contracts": contract_lines(selectors.list_exposures_for(user), quotes),
        "quotes": quotes,
        "is_newest": is_newest(query),
    }


def signals_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    """`limit` rows of the newest, or a page of all that match the filters."""
    rows = list_signals_for(user).defer("body").order_by("-received_at")
    words, status, recorder = words_of(query), words_of(query, "status"), words_of(query, "recorder")
    if words:
        rows = rows.filter(Q(ticker__icontains=words) | Q(action__icontains=words) | Q(recorder__name__icontains=words))
    if status:
        rows = rows.filter(status=status)
    if recorder:
        rows = rows.filter(recorder__in=list_recorders_for(user).filter(name=recorder))
    return _signal_rows(rows, query)


def _signal_rows(rows: QuerySet[Signal], query: QueryDict) -> dict[str, Any]:
    page, signals = newest_or_page(rows, query)
    ids = [signal.pk for signal in signals]
    outcomes, timings = selectors.count_outcomes(ids), time_signals(ids)
    lines = [signal_row(signal, outcomes, timings) for signal in signals]
    return {"page": page, "signals": lines, "is_newest": is_newest(query)}


def orders_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    working = query.get("show", "working" if is_newest(query) else "") == "working"
    rows = selectors.list_working_orders_for(user) if working else selectors.list_orders_for(user)
    words = words_of(query)
    if words:
        rows = rows.filter(Q(account__name__icontains=words) | Q(symbol__icontains=words) | Q(role__icontains=words))
    page = paged(rows, query)
    lines = [order_row(order) for order in page.object_list]
    return {"page": page, "orders": lines, "only_working": working, "is_newest": is_newest(query)}


def fills_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    rows = selectors.list_fills_for(user)
    page, fills = newest_or_page(rows, query)
    return {"page": page, "fills": [fill_row(fill) for fill in fills], "is_newest": is_newest(query)}


PANELS: dict[str, Callable[[Person, QueryDict], dict[str, Any]]] = {
    "status": status_panel,
    "positions": positions_panel,
    "signals": signals_panel,
    "recorders": recorders_panel,
    "orders": orders_panel,
    "fills": fills_panel,
    "breaks": breaks_panel,
}
