"""The thread that keeps a lane's spending in Redis: for pages, for other processes, for the lane after a restart.

Five rounds a second, each a few pipelined commands: what was spent goes out, penalties of all logins come in. A lane
that is killed forgets what it spent in its last fifth of a second; for that, and for what a bucket cannot say, a
twentieth of each rule is held back for a short time after a start, and a quarter when there was no memory to read.
FLATTEN is never held back.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator

from brokers.budget.ledger import Common, Holder, Own, Silence
from brokers.budget.login import Process, tell_untold
from brokers.budget.store import Away, Publication
from brokers.budget.windows import MICROSECONDS, microseconds

logger = logging.getLogger(__name__)

EVERY_S = 0.2
AT_ONCE = 50
"""Holders per pipeline: the interpreter is given back to whoever writes orders in between."""
HELD_FOR_S = 30
HELD_AFTER_RESTART = 20
HELD_WITHOUT_MEMORY = 4
_STOP_TIMEOUT_S = 2.0


class Exchange:
    """`round` is one exchange; `start` has a thread do them. A holder that comes again replaces the one of its name."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._holders: dict[str, Holder] = {}
        self._commons: dict[str, Common] = {}
        self._silences: dict[str, Silence] = {}
        self._epoch = ""
        self._starting = threading.Lock()
        self._restoring = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, holders: Iterable[Holder], commons: Iterable[Common], silences: Iterable[Silence]) -> None:
        """Take in what a new budget owns, with what Redis remembers of it. Waits for Redis, but not for long."""
        with self._process.lock:
            for holder in holders:
                if self._holders.get(holder.name) is not holder:
                    self._holders[holder.name] = holder
                    for own in holder.owns:
                        self._hold_back(own, HELD_WITHOUT_MEMORY)
            self._commons.update((common.key, common) for common in commons)
            self._silences.update((silence.name, silence) for silence in silences)
        try:
            self._meet_epoch()
            self._restore()
            self._hear_silences()
        except Away:
            return

    def start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="budgets", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not published yet is."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_TIMEOUT_S)
        self._process.store.probe_anywhere()
        try:
            self.round()
        except Away:
            logger.info("the last spending stays unpublished")

    def round(self) -> None:
        """Raises `store.Away`; what was not published is in the next round."""
        if self._meet_epoch():
            self._publish_everything_again()
        self._restore()
        self._tell_silences()
        self._hear_silences()
        with self._process.lock:
            commons = list(self._commons.values())
        tell_untold(self._process, commons)
        for batch in self._batches():
            self._publish(batch)

    def _run(self) -> None:
        self._process.store.probe_here()
        while not self._stopping.wait(EVERY_S):
            try:
                self.round()
            except Away:
                continue
            except Exception:  # the outermost frame of this thread: without it nothing would be published any more
                logger.exception("a round of the budgets failed")

    def _meet_epoch(self) -> bool:
        """Whether Redis has lost its memory since it was last met. The epoch's name says when it began."""
        epoch = self._process.store.epoch(f"{self._process.now()}.{uuid.uuid4().hex}")
        is_new = self._epoch not in (epoch, "")
        self._epoch = epoch
        return is_new

    def _restore(self) -> None:
        with self._restoring:
            with self._process.lock:
                holders = [holder for holder in self._holders.values() if not holder.is_restored]
            if not holders:
                return
            rows = self._process.store.published([holder.name for holder in holders])
            now = self._process.now()
            remembers_for = now - int(self._epoch.partition(".")[0])
            for holder, stored in zip(holders, rows, strict=True):
                with self._process.lock:
                    for own in holder.owns:
                        own.remember(stored, now)
                        is_whole = remembers_for >= own.window.length
                        self._hold_back(own, HELD_AFTER_RESTART if is_whole else HELD_WITHOUT_MEMORY)
                    holder.is_restored = True

    def _hold_back(self, own: Own, one_in: int) -> None:
        """Called with the process's lock held."""
        held_for = min(own.window.length, microseconds(HELD_FOR_S))
        own.window.hold(own.window.part.requests // one_in, self._process.now() + held_for)

    def _publish_everything_again(self) -> None:
        now = self._process.now()
        with self._process.lock:
            for holder in self._holders.values():
                for own in holder.owns:
                    own.publish_again()
            for common in self._commons.values():
                common.untold = list(common.alone.entries(now))
            for silence in self._silences.values():
                silence.is_untold = silence.until > now

    def _tell_silences(self) -> None:
        with self._process.lock:
            untold = [silence for silence in self._silences.values() if silence.is_untold]
            until = {silence.name: silence.until for silence in untold}
        if not until:
            return
        self._process.store.silence(self._process.now(), until)
        with self._process.lock:
            for silence in untold:
                silence.is_untold = silence.until > until[silence.name]

    def _hear_silences(self) -> None:
        heard = self._process.store.silences()
        with self._process.lock:
            for name, until in heard.items():
                if name in self._silences:
                    self._silences[name].extend(until)

    def _batches(self) -> Iterator[list[Holder]]:
        with self._process.lock:
            dirty = [holder for holder in self._holders.values() if any(own.changed for own in holder.owns)]
        for start in range(0, len(dirty), AT_ONCE):
            yield dirty[start : start + AT_ONCE]

    def _publish(self, holders: list[Holder]) -> None:
        now = self._process.now()
        with self._process.lock:
            publications = [_publication(holder, now) for holder in holders]
        try:
            self._process.store.publish(publications)
        except Away:
            with self._process.lock:
                for holder in holders:
                    for own in holder.owns:
                        own.publish_again()
            raise


def _publication(holder: Holder, now: int) -> Publication:
    buckets: dict[str, int] = {}
    gone: list[str] = []
    for own in holder.owns:
        changed, old = own.to_publish(now)
        buckets |= changed
        gone += old
    longest = max(own.window.length for own in holder.owns)
    return Publication(holder.name, buckets, gone, longest // MICROSECONDS)
