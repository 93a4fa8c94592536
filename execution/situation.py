"""What the gates need to know of each follower, asked of the database only where a setting makes it matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Count, F, Max, Q
from redis.exceptions import RedisError

from brokers.quotes import cache
from brokers.quotes.quote import QuoteBook, source_of
from brokers.sessions import session_start
from execution.models import IntentKind, IntentStatus, OrderIntent, Position
from execution.valuation import known_contract, open_pnl
from execution.winnings import Standing, read_standings, won_since
from recorders.settings import Settings
from risk.around import Watch
from traders.gates import Facts

log = structlog.get_logger(__name__)
NOT_TAKEN = (IntentStatus.DENIED, IntentStatus.EXPIRED)
COUNTED_GATE = "EVERY_NTH"
NO_COUNTS: dict[str, Any] = {"last": None, "in_session": 0, "counted": 0}


@dataclass(frozen=True, slots=True)
class Needs:
    """Which questions any of the settings raises."""

    counts: bool
    day_pnl: bool
    open_positions: bool

    @classmethod
    def of(cls, settings: Iterable[Settings]) -> Needs:
        every = list(settings)
        return cls(
            counts=any(s.signal_cooldown_s or s.max_signals_per_session or s.every_nth_signal > 1 for s in every),
            day_pnl=any(s.max_daily_loss > 0 for s in every),
            open_positions=any(s.max_open_positions for s in every),
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """Everybody's figures at one moment; `standings` of all where anybody's settings limit its day."""

    now: datetime
    premium: Decimal | None
    counts: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    day_pnl: dict[UUID, Decimal | None] = field(default_factory=dict)
    open_positions: dict[UUID, int] = field(default_factory=dict)
    standings: dict[UUID, Standing] = field(default_factory=dict)

    def facts_of(self, trader_id: UUID, account_id: UUID, zone: str) -> Facts:
        counts, standing = self.counts.get(trader_id, NO_COUNTS), self.standings.get(trader_id)
        return Facts(
            now=self.now,
            zone=zone,
            last_entry_at=counts["last"],
            entries_in_session=counts["in_session"],
            signals_counted=counts["counted"],
            day_pnl=self.day_pnl.get(trader_id, Decimal(0)),
            is_loss_lifted=standing is not None and standing.is_lifted,
            open_positions=self.open_positions.get(account_id, 0),
            premium=self.premium,
        )

    def watch_of(self, trader_id: UUID) -> Watch:
        """Of a trader in `standings`."""
        checked_at = self.standings[trader_id].checked_at
        return Watch(None if checked_at is None else (self.now - checked_at).total_seconds())


def look(
    needs: Needs,
    now: datetime,
    traders: list[UUID],
    accounts: list[UUID],
    prices: dict[str, Decimal],
    premium: Decimal | None,
) -> Situation:
    """`prices` are those that the signal itself brought, by symbol."""
    standings = read_standings(traders, now) if needs.day_pnl else {}
    return Situation(
        now=now,
        premium=premium,
        counts=_counts(traders, session_start(now)) if needs.counts else {},
        day_pnl=_day_pnl(standings, now, prices) if needs.day_pnl else {},
        open_positions=_open_positions(accounts) if needs.open_positions else {},
        standings=standings,
    )


def _counts(traders: list[UUID], since: datetime) -> dict[UUID, dict[str, Any]]:
    taken = ~Q(status__in=NOT_TAKEN)
    rows = (
        OrderIntent.objects.filter(trader_id__in=traders, kind=IntentKind.ENTRY)
        .order_by()
        .values("trader_id")
        .annotate(
            last=Max("created_at", filter=taken),
            in_session=Count("id", filter=taken & Q(created_at__gte=since)),
            counted=Count("id", filter=taken | Q(reason_code=COUNTED_GATE)),
        )
    )
    return {row["trader_id"]: dict(row) for row in rows}


def _open_positions(accounts: list[UUID]) -> dict[UUID, int]:
    rows = (
        Position.objects.filter(account_id__in=accounts)
        .exclude(net_qty=0)
        .order_by()
        .values("account_id")
        .annotate(open=Count("symbol", distinct=True))
    )
    return {row["account_id"]: row["open"] for row in rows}


def day_pnl_of(traders: list[UUID], now: datetime, prices: dict[str, Decimal]) -> dict[UUID, Decimal | None]:
    """Realised since the account's session began, after fees, plus open now, in dollars, as its monitor counts.

    None where an open position cannot be valued.
    """
    return _day_pnl(read_standings(traders, now), now, prices)


def _day_pnl(standings: dict[UUID, Standing], now: datetime, prices: dict[str, Decimal]) -> dict[UUID, Decimal | None]:
    found: dict[UUID, Decimal | None] = {**won_since(standings)}
    held = list(
        Position.objects.filter(trader_id__in=standings)
        .exclude(net_qty=0)
        .annotate(venue=F("account__login__venue"), environment=F("account__login__environment"))
    )
    book = read_quotes({position.symbol for position in held} - prices.keys(), now)
    for position in held:
        quote = book.fresh(position.symbol, source_of(position.venue, position.environment))
        last = prices.get(position.symbol, None if quote is None else quote.last)
        cost = None if position.avg_price is None else position.avg_price * position.net_qty
        value = open_pnl(position.net_qty, cost, last, known_contract(position.symbol))
        before = found[position.trader_id]
        found[position.trader_id] = None if before is None or value is None else before + value
    return found


def read_quotes(symbols: set[str], now: datetime) -> QuoteBook:
    """What every source says of these contracts; nothing while Redis is away."""
    try:
        return QuoteBook(cache.every(symbols), now)
    except RedisError as error:
        log.warning("situation.quotes_away", reason=type(error).__name__)
        return QuoteBook({}, now)
