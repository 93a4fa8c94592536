"""Keeps quotes flowing for what accounts hold and others ask for: for screens, paper fills, and stops at break-even."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F
from django.db.models.functions import Mod
from redis.exceptions import RedisError

from brokers import sessions
from brokers.base import OnQuote
from brokers.models import BrokerLogin
from brokers.quotes import cache, demand
from brokers.quotes.quote import Quote, source_of
from brokers.quotes.tradingview import OnLateQuote, TradingViewQuotes
from execution import breakeven
from execution.breakeven import Trigger
from execution.lane.feeds import Feeds
from execution.lane.runtime import Lane
from execution.models import Position
from execution.valuation import known_contract
from justtrades import clock

log = structlog.get_logger(__name__)
STORE_EVERY_S = 0.25
ASK_EVERY_S = 5.0
MakeCharts = Callable[[OnLateQuote], TradingViewQuotes]


class Monitor(Protocol):
    """Who counts by every trade; see `execution.guard.guard.Guard`."""

    def trade(self, symbol: str, source: str, price: Decimal, at: datetime) -> None: ...

    def held(self) -> set[tuple[str, str]]: ...


class QuoteKeeper:
    """`refresh` is called once a second. Between, a thread of its own shares what came and looks what is asked for.

    `charts` tells prices that are for screens only. `monitor` hears of every trade, and says what it holds besides.
    """

    def __init__(self, lane: Lane, charts: MakeCharts | None = None, monitor: Monitor | None = None) -> None:
        self._lane = lane
        self._monitor = monitor
        self._feeds = Feeds(self._listener)
        self._charts = None if charts is None else charts(self._on_chart)
        self._guard = threading.Lock()
        self._sources: dict[UUID, str] = {}
        self._charted: set[str] = set()
        self._held: set[tuple[str, str]] = set()
        self._asked: set[str] = set()
        self._newest: dict[tuple[str, str], Quote] = {}
        self._unsaved: dict[tuple[str, str], Quote] = {}
        self._triggers: dict[str, list[Trigger]] = {}
        self._reached: set[Trigger] = set()
        self._stopping = threading.Event()
        self._asked_others_at = float("-inf")
        self._is_cache_away = False
        self._thread = threading.Thread(target=self._run, name="quotes", daemon=True)

    def refresh(self) -> None:
        """Subscribe to what is held now and asked for, and drop what is not."""
        if not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()
            if self._charts is not None:
                self._charts.start()
        self._held = self._what_is_held()
        self._triggers = breakeven.triggers_of(self._lane.index)
        self._learn_sources()
        self._follow()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)
        with self._guard:
            self._feeds.stop()
        if self._charts is not None:
            self._charts.stop()

    def _what_is_held(self) -> set[tuple[str, str]]:
        """Symbols, each with the source that its accounts go by."""
        lane = Mod(F("account__login__lane_slot"), settings.LANES)
        held = Position.objects.exclude(net_qty=0).annotate(lane=lane).filter(lane=self._lane.index)
        rows = held.order_by().values_list("symbol", "account__login__venue", "account__login__environment")
        ours = {(symbol, source_of(venue, environment)) for symbol, venue, environment in rows.distinct()}
        # By hand at the broker more may be held than our own traders know of.
        return ours if self._monitor is None else ours | self._monitor.held()

    def _learn_sources(self) -> None:
        """The source of each login of the lane; a login never changes its venue."""
        login_ids = {one.login_id for one in self._lane.connections()}
        rows = BrokerLogin.objects.filter(id__in=login_ids - self._sources.keys())
        for login_id, venue, environment in rows.values_list("id", "venue", "environment"):
            self._sources[login_id] = source_of(venue, environment)

    def _follow(self) -> None:
        symbols = {symbol for symbol, _ in self._held} | self._asked
        with self._guard:
            self._feeds.refresh(
                self._lane.connections(), self._sources, symbols=symbols, is_open=_is_any_open(symbols, clock.now())
            )
            if self._charts is not None:
                self._charts.subscribe(symbols - self._charted)
                self._charts.unsubscribe(self._charted - symbols)
                self._charted = symbols

    def _listener(self, source: str) -> OnQuote:
        def on_quote(symbol: str, bid: Decimal | None, ask: Decimal | None, last: Decimal | None, at: datetime) -> None:
            self._feeds.heard(source, symbol)
            key = (symbol, source)
            before = self._newest.get(key) or Quote(symbol, None, None, None, at, source)
            quote = replace(
                before,
                bid=before.bid if bid is None else bid,
                ask=before.ask if ask is None else ask,
                last=before.last if last is None else last,
                at=at,
            )
            if last is not None:
                # Every trade is looked at: the market may come back before anybody looks again.
                now = clock.now()
                self._look(quote, now)
                if self._monitor is not None and quote.is_fresh(now):
                    self._monitor.trade(symbol, source, last, at)
            self._newest[key] = self._unsaved[key] = quote

        return on_quote

    def _on_chart(self, quote: Quote) -> None:
        self._unsaved[quote.symbol, quote.source] = quote

    def _look(self, quote: Quote, now: datetime) -> None:
        """Note the stops whose turn has come. An old or a late price moves nothing."""
        if quote.last is None or not quote.is_fresh(now):
            return
        last = quote.last
        reached = [t for t in self._triggers.get(quote.symbol, ()) if t.is_reached(last) and t.heeds(quote.source)]
        self._reached.update(reached)

    def _run(self) -> None:
        while not self._stopping.wait(STORE_EVERY_S):
            try:
                self._share()
                self._is_cache_away = False
            except RedisError as error:
                if not self._is_cache_away:
                    log.warning("quotes.cache_away", reason=type(error).__name__)
                self._is_cache_away = True
            except Exception:
                # The outermost frame of this thread: quotes must outlive a fault of one source.
                log.exception("quotes.round_failed")
            self._move_stops()
        connection.close()

    def _share(self) -> None:
        """Tell the others what came, hear what they ask for, and what they have that no stream of ours tells."""
        self._store()
        self._ask_others()
        asked = demand.wanted()
        if asked != self._asked:
            self._asked = asked
            self._follow()
        foreign = [t for triggers in self._triggers.values() for t in triggers if t.source not in self._feeds.names]
        now = clock.now()
        for source in {trigger.source for trigger in foreign}:
            symbols = {trigger.symbol for trigger in foreign if trigger.source == source}
            for quote in cache.latest(symbols, source).values():
                self._look(quote, now)

    def _store(self) -> None:
        taken: dict[tuple[str, str], Quote] = {}
        while self._unsaved:
            key, quote = self._unsaved.popitem()
            taken[key] = quote
        try:
            cache.store(taken.values())
        except RedisError:
            for key, quote in taken.items():
                self._unsaved.setdefault(key, quote)
            raise

    def _ask_others(self) -> None:
        """For what is held and no stream of this lane tells."""
        now = time.monotonic()
        if now - self._asked_others_at < ASK_EVERY_S:
            return
        self._asked_others_at = now
        own = self._feeds.names
        demand.want({symbol for symbol, source in self._held if source not in own})

    def _move_stops(self) -> None:
        if not self._reached:
            return
        reached, self._reached = self._reached, set()
        try:
            if breakeven.move_stops(reached):
                self._lane.dispatch()
        except DatabaseError as error:
            connection.close()
            # The next trade beyond the trigger finds it again.
            log.warning("quotes.break_even_delayed", reason=type(error).__name__)


def _is_any_open(symbols: Iterable[str], now: datetime) -> bool:
    """Whether the exchange trades any of them at this moment."""
    return any(_is_open(symbol, now) for symbol in symbols)


def _is_open(symbol: str, now: datetime) -> bool:
    contract = known_contract(symbol)
    return contract is not None and sessions.is_open(contract.product, now)
