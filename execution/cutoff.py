"""Positions that are not to outlive the last window of their trader's day: closed at its end, whatever the season."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings as product
from django.db.models import F
from django.db.models.functions import Mod

from execution.followers import follower_of
from execution.intents import Wanting, wish_exit
from execution.models import IntentSource, IntentStatus, OrderIntent, Position
from justtrades import clock
from recorders.settings import BadSettings, Settings
from traders.gates import contains
from traders.settings import resolve

log = structlog.get_logger(__name__)


def cutoff_of(settings: Settings, zone: str, now: datetime) -> datetime | None:
    """The last moment, not after `now`, at which the day's last window ended; None where nothing is to be closed.

    Wall clock times are the owner's: on the day that the clocks change the cut-off moves with them. Aware UTC.
    """
    if not settings.auto_flat_after_cutoff or not settings.time_windows:
        return None
    overnight = [window.end for window in settings.time_windows if window.end < window.start]
    end = max(overnight or [window.end for window in settings.time_windows])
    local = now.astimezone(ZoneInfo(zone))
    for day in (local.date(), local.date() - timedelta(days=1)):
        moment = datetime.combine(day, end, ZoneInfo(zone)).astimezone(UTC)
        if moment <= now:
            return moment
    return None


def flatten_at_cutoff(lane: int) -> int:
    """An exit intent for each position of the lane that outlived its trader's cut-off; how many are new."""
    now = clock.now()
    return sum(_flatten(position, cutoff) for position, cutoff in _outlived(lane, now))


def _outlived(lane: int, now: datetime) -> Iterator[tuple[Position, datetime]]:
    held = (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), product.LANES))
        .filter(lane=lane)
        .select_related("account__login", "trader__recorder", "trader__route_of")
    )
    for position in held:
        follower = follower_of(position.trader_id) if _may_cut_off(position) else None
        if follower is None:
            continue
        try:
            effective = resolve(json.dumps(position.trader.recorder.template), follower.overrides, "", follower.route)
        except BadSettings:
            log.exception("cutoff.bad_settings", trader=str(position.trader_id))
            continue
        cutoff = cutoff_of(effective.settings, follower.zone, now)
        local = now.astimezone(ZoneInfo(follower.zone)).time()
        is_outside = not any(contains(window, local) for window in effective.settings.time_windows)
        if cutoff is not None and is_outside and position.opened_at is not None and position.opened_at < cutoff:
            yield position, cutoff


def _may_cut_off(position: Position) -> bool:
    """Whether anybody has switched it on: most positions need no closer look."""
    lead = position.trader.route_of or position.trader
    return bool(
        lead.overrides.get("auto_flat_after_cutoff", position.trader.recorder.template.get("auto_flat_after_cutoff"))
    )


def _flatten(position: Position, cutoff: datetime) -> bool:
    text = f"the last time window ended at {cutoff:%H:%M} UTC, and positions are closed then"
    wish = f"cutoff:{position.id}:{cutoff:%Y%m%dT%H%M%S}"
    # One that failed is wished again, under a name of its own: the position is still there.
    failed = OrderIntent.objects.filter(
        idempotency_key__startswith=f"{IntentSource.RISK_ACTION.value}:{wish}.", status=IntentStatus.FAILED
    ).count()
    is_new = wish_exit(position, Wanting(IntentSource.RISK_ACTION, f"{wish}.{failed}", "CUTOFF", text, waits=False))
    if is_new:
        log.info("cutoff.flatten", account=position.account.name, symbol=position.symbol, net=position.net_qty)
    return is_new
