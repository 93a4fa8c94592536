"""Keeps quotes flowing for the contracts that accounts of the lane hold: for screens, and for stops at break-even."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import F
from django.db.models.functions import Mod
from redis.exceptions import RedisError

from brokers.base import ConnectionState, QuoteSource
from brokers.quotes import cache
from brokers.quotes.cache import Quote
from execution import breakeven
from execution.breakeven import Trigger
from execution.lane.runtime import Lane
from execution.models import Position

log = structlog.get_logger(__name__)
STORE_EVERY_S = 0.25


class QuoteKeeper:
    """One quote stream per lane, through the first of its logins that is live."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._source: QuoteSource | None = None
        self._subscribed: set[str] = set()
        self._newest: dict[str, Quote] = {}
        self._triggers: dict[str, list[Trigger]] = {}
        self._reached: set[Trigger] = set()
        self._fresh = threading.Event()
        self._stopping = False
        self._is_cache_away = False
        self._thread = threading.Thread(target=self._store, name="quotes", daemon=True)

    def refresh(self) -> None:
        """Subscribe to what is held now and drop what is not."""
        held = self._held_symbols()
        if held and self._source is None:
            self._open()
        if self._source is None:
            return
        self._source.subscribe(sorted(held - self._subscribed))
        self._source.unsubscribe(sorted(self._subscribed - held))
        self._subscribed = held
        self._triggers = breakeven.triggers_of(self._lane.index)

    def stop(self) -> None:
        self._stopping = True
        self._fresh.set()
        if self._source is not None:
            self._source.stop()

    def _held_symbols(self) -> set[str]:
        lane = Mod(F("account__login__lane_slot"), settings.LANES)
        held = Position.objects.exclude(net_qty=0).annotate(lane=lane).filter(lane=self._lane.index)
        return set(held.order_by().values_list("symbol", flat=True).distinct())

    def _open(self) -> None:
        live = next((c for c in self._lane.connections() if c.state is ConnectionState.LIVE), None)
        if live is None:
            return
        self._source = live.quotes(self._on_quote)
        self._source.start()
        self._thread.start()

    def _on_quote(
        self, symbol: str, bid: Decimal | None, ask: Decimal | None, last: Decimal | None, at: datetime
    ) -> None:
        before = self._newest.get(symbol, Quote(symbol, None, None, None, at))
        if last is not None:
            # Every trade is looked at: the market may come back before anybody looks again.
            self._reached.update(t for t in self._triggers.get(symbol, ()) if t.is_reached(last))
        self._newest[symbol] = replace(
            before,
            bid=before.bid if bid is None else bid,
            ask=before.ask if ask is None else ask,
            last=before.last if last is None else last,
            at=at,
        )
        self._fresh.set()

    def _store(self) -> None:
        while not self._stopping:
            self._fresh.wait()
            self._fresh.clear()
            try:
                cache.store(list(self._newest.values()))
                self._is_cache_away = False
            except RedisError as error:
                if not self._is_cache_away:
                    log.warning("quotes.cache_away", reason=type(error).__name__)
                self._is_cache_away = True
            self._move_stops()
            time.sleep(STORE_EVERY_S)

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
