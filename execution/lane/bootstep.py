"""Makes a Celery worker a lane: it owns the lane before it takes a message, and waits as a standby until then."""

from __future__ import annotations

import gc
import threading
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state
from django.conf import settings
from django.db import connection

from execution.lane import current
from execution.lane.keeper import Keeper
from execution.lane.runtime import Lane
from execution.ownership import LANE, Ownership

log = structlog.get_logger(__name__)
STANDBY_POLL_S = 0.5


class LaneStep(bootsteps.StartStopStep):
    """Runs before the worker's consumer, so that a standby's queue stays with the owner."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._keeper: Keeper | None = None

    def start(self, _worker: Any) -> None:
        index = settings.LANE
        ownership = Ownership(LANE, index)
        waiting = threading.Event()
        is_first_try = True
        while not ownership.acquire():
            if is_first_try:
                log.info("lane.standby", lane=index)
                is_first_try = False
            if state.should_stop is not None and state.should_stop is not False:
                return
            waiting.wait(STANDBY_POLL_S)
        lane = Lane(index)
        current.set_lane(lane)
        self._keeper = Keeper(lane, ownership)
        self._keeper.start()
        _spare_the_order_path_garbage_collection()
        connection.close()
        log.info("lane.owned", lane=index)

    def stop(self, _worker: Any) -> None:
        if self._keeper is not None:
            self._keeper.stop()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)


def _spare_the_order_path_garbage_collection() -> None:
    """A full collection over five hundred connections' books takes longer than sending five hundred orders."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
