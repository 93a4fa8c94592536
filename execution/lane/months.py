"""Compares our calendar's front months with the broker's own, for the products that the lane trades."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Mod

from brokers import instruments
from brokers.base import Connection, ConnectionState
from brokers.errors import BrokerError
from brokers.models import BrokerLogin
from execution.lane.runtime import Lane
from execution.models import OrderIntent
from justtrades import clock
from recorders.models import Notice, NoticeKind, Recorder

log = structlog.get_logger(__name__)
EVERY_S = 600.0
PAPER = "paper"
TRADED_WITHIN = timedelta(days=7)


class MonthKeeper:
    """A look every ten minutes, in a helper thread: nothing that trades waits for it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._looked_at = float("-inf")

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < EVERY_S:
            return
        live = {c.login_id: c for c in self._lane.connections() if c.state is ConnectionState.LIVE}
        # The paper venue has no calendar but ours.
        logins = BrokerLogin.objects.filter(pk__in=live).exclude(venue=PAPER)
        asked = logins.values_list("id", flat=True).first()
        if asked is None:
            return
        self._looked_at = now
        self._lane.loop.background(lambda: self._compare(live[asked]))

    def _compare(self, live: Connection) -> None:
        try:
            for root in traded_roots(self._lane.index):
                compare_month(root, live.front_month(root))
        except BrokerError as error:
            log.warning("months.look_failed", reason=str(error))
        finally:
            connection.close()


def traded_roots(lane: int) -> list[str]:
    """Roots of the products that traders of the lane had intents for lately."""
    recent = OrderIntent.objects.filter(created_at__gte=clock.now() - TRADED_WITHIN)
    mine = recent.annotate(lane=Mod(F("lane_slot"), settings.LANES)).filter(lane=lane)
    symbols = mine.order_by().values_list("symbol", flat=True).distinct()
    return sorted({instruments.product_of(symbol).root for symbol in symbols})


def compare_month(root: str, theirs: str | None) -> None:
    """Open a notice for each recorder that trades `root` while the months differ, and end it when they agree."""
    ours = instruments.resolve(root, clock.now().date()).symbol
    notices = Notice.objects.filter(kind=NoticeKind.CONTRACT, subject=root, ended_at__isnull=True)
    if theirs is None or theirs == ours:
        notices.update(ended_at=clock.now())
        return
    text = f"{root}: the calendar's front month is {ours}, the broker's own is {theirs}. Alerts trade {ours}."
    recent = OrderIntent.objects.filter(created_at__gte=clock.now() - TRADED_WITHIN)
    symbols = recent.order_by().values_list("symbol", flat=True).distinct()
    traded = recent.filter(symbol__in=[symbol for symbol in symbols if instruments.product_of(symbol).root == root])
    for recorder in Recorder.objects.filter(traders__intents__in=traded).distinct():
        Notice.objects.update_or_create(
            recorder=recorder, kind=NoticeKind.CONTRACT, subject=root, ended_at=None,
            defaults={"owner_id": recorder.owner_id, "text": text},
        )  # fmt: skip
