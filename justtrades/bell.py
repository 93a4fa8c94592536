"""The doorbell: tells a worker to look at the rows now. It may be lost; the sweepers find what no bell announced.

Ringing only puts a word on a list. One thread per process carries the words to Celery, so that a hung or dead Redis
costs neither the webhook nor the order path a moment. A word that still waits is not said twice: a worker that looks
later sees all that came before.
"""

from __future__ import annotations

import queue
import threading
import time

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)
MAX_WAITING = 10_000
EXPIRES_S = 30
PAUSE_S = 0.004
"""After a round of messages. In a flood of alerts this makes one message of many; a single alert does not wait."""

Word = tuple[str, str, str]

_words: queue.Queue[Word] = queue.Queue(MAX_WAITING)
_waiting: set[Word] = set()
_carrier_lock = threading.Lock()
_carrier: threading.Thread | None = None


def ring(task: str, queue_name: str, row_id: object) -> None:
    """Say that `row_id` waits for the Celery task named `task`. Returns at once and never fails the caller."""
    word = (task, queue_name, str(row_id))
    if word in _waiting:
        return
    _waiting.add(word)
    try:
        _words.put_nowait(word)
    except queue.Full:
        _waiting.discard(word)
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
        words = [_words.get()]
        while not _words.empty():
            words.append(_words.get())
        for word in words:
            is_silent = not _say(word, is_silent=is_silent)
        time.sleep(PAUSE_S)


def _say(word: Word, *, is_silent: bool) -> bool:
    """Whether Celery took it; the first failure of a row of them is logged."""
    task, queue_name, row_id = word
    # Before it is sent: whoever rings from now on may not be heard by this message.
    _waiting.discard(word)
    try:
        current_app.send_task(task, args=[row_id], queue=queue_name, expires=EXPIRES_S, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        if not is_silent:
            log.warning("bell.silent", reason=type(error).__name__)
        return False
    return True
