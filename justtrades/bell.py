"""The doorbell: tells a worker to look at the rows now. It may be lost; the sweepers find what no bell announced.

Ringing only puts a word on a list. One thread per process carries the words to Celery, so that a hung or dead Redis
costs neither the webhook nor the order path a moment.
"""

from __future__ import annotations

import queue
import threading

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)
MAX_WAITING = 10_000
EXPIRES_S = 30

_words: queue.Queue[tuple[str, str, str]] = queue.Queue(MAX_WAITING)
_carrier_lock = threading.Lock()
_carrier: threading.Thread | None = None


def ring(task: str, queue_name: str, row_id: object) -> None:
    """Say that `row_id` waits for the Celery task named `task`. Returns at once and never fails the caller."""
    try:
        _words.put_nowait((task, queue_name, str(row_id)))
    except queue.Full:
        log.warning("bell.full", task=task)
        return
    _start_carrier()


def _start_carrier() -> None:
    global _carrier  # noqa: PLW0603 - one thread per process, started after the fork that would lose it
    if _carrier is not None and _carrier.is_alive():
        return
    with _carrier_lock:
        if _carrier is None or not _carrier.is_alive():
            _carrier = threading.Thread(target=_carry, name="bell", daemon=True)
            _carrier.start()


def _carry() -> None:
    is_silent = False
    while True:
        task, queue_name, row_id = _words.get()
        try:
            current_app.send_task(
                task, args=[row_id], queue=queue_name, expires=EXPIRES_S, retry=False, ignore_result=True
            )
            is_silent = False
        except (OperationalError, OSError) as error:
            if not is_silent:
                log.warning("bell.silent", reason=type(error).__name__)
            is_silent = True
