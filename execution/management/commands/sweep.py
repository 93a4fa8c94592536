"""`manage.py sweep`: the sweeper process; a second one waits as a standby."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection

from execution.ownership import SWEEPER, Ownership
from execution.sweep import sweep

log = structlog.get_logger(__name__)
INTERVAL_S = 1.0


class Command(BaseCommand):
    help = "Once a second, find the rows that no bell announced. Safe to run twice: one sweeps, the other waits."

    def handle(self, *_args: Any, **_options: Any) -> None:
        stopping = threading.Event()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        ownership = Ownership(SWEEPER, 0)
        while not stopping.is_set():
            if ownership.confirm() or ownership.acquire():
                _sweep_once()
            stopping.wait(INTERVAL_S)
        ownership.release()


def _sweep_once() -> None:
    try:
        sweep()
    except DatabaseError as error:
        connection.close()
        log.warning("sweep.database_away", reason=type(error).__name__)
    except Exception:
        # The outermost loop of the recovery: it must outlive any single fault, and say it loudly.
        log.exception("sweep.failed")
