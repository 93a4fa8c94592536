"""The lane's own second hand: what has to happen even when no bell rings and Redis is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, connection

from brokers.quotes.tradingview import TradingViewQuotes
from execution import changes, cutoff, doubt, health, planner, polls, setbacks, switchboard
from execution.crosscheck import CrossCheck
from execution.flattening import flatten
from execution.flattening.verify import Verifier
from execution.guard.guard import Guard
from execution.lane.months import MonthKeeper
from execution.lane.quotes import QuoteKeeper
from execution.lane.runtime import Lane
from execution.ownership import Ownership
from execution.reconcile.schedule import Looks
from execution.watchdog import Watchdog

log = structlog.get_logger(__name__)
TICK_S = 1.0


class Keeper:
    """Starts the lane, and once a second repeats every duty of it; a duty that fails does not stop the others."""

    def __init__(self, lane: Lane, ownership: Ownership) -> None:
        self._lane = lane
        self._ownership = ownership
        has_charts = settings.TRADINGVIEW_QUOTES and lane.index == 0
        self._guard = Guard(lane)
        self._quotes = QuoteKeeper(lane, TradingViewQuotes if has_charts else None, self._guard)
        lane.on_news = self._guard.news
        self._months = MonthKeeper(lane)
        self._verifier = Verifier(lane)
        self._looks = Looks(lane)
        self._watchdog = Watchdog(lane)
        self._crosscheck = CrossCheck(lane)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        setbacks.count_restart(self._lane.index)
        doubt.doubt_everything_in_flight(self._lane.index)
        self._lane.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=3)
        self._quotes.stop()
        self._guard.stop()
        self._lane.stop()
        self._ownership.release()

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            self._lane.is_owner = self._ownership.confirm() or self._ownership.acquire()
            self._lane.is_anothers = self._ownership.is_anothers
            if not self._lane.is_owner:
                log.error("lane.not_owned", lane=self._lane.index)
                continue
            for duty in self._duties():
                self._do(duty)

    def _duties(self) -> tuple[Callable[[], object], ...]:
        lane = self._lane
        return (
            lambda: health.beat(health.lane_name(lane.index), {"logins": len(lane.connections())}),
            lane.refresh_logins,
            lambda: planner.plan_waiting(older_than_s=0.3),
            lambda: flatten.act(lane.index),
            lambda: switchboard.cancel_halted(lane.index),
            lambda: switchboard.cancel_untimely(lane.index),
            lane.dispatch,
            self._verifier.look,
            lambda: doubt.doubt_silent(lane.index),
            lambda: doubt.look_for_unknown(lane),
            self._looks.look,
            lambda: polls.look_if_beat_is_late(lane),
            *self._watchdog.duties(),
            lambda: changes.cancel_late_entries(lane.index),
            lambda: cutoff.flatten_at_cutoff(lane.index),
            self._months.look,
            self._crosscheck.look,
            self._guard.tick,
            self._quotes.refresh,
        )

    def _do(self, duty: Callable[[], object]) -> None:
        try:
            duty()
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            log.warning("keeper.database_away", reason=type(error).__name__)
        except Exception:
            # The outermost loop of the lane's recovery: it must outlive any single fault, and say it loudly.
            log.exception("keeper.duty_failed")
