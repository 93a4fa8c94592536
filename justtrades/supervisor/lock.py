"""One supervisor per state directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another supervisor owns the state directory; `pid` is what it wrote down."""

    def __init__(self, state_dir: Path, pid: str) -> None:
        super().__init__(
            f"already running here: pid {pid or 'unknown'} owns {state_dir}. "
            "Stop that one first, or run this one with another STATE_DIR."
        )


def own(state_dir: Path, lock_file: Path) -> IO[str]:
    """Take the directory for as long as the returned file stays open. Raises AlreadyRunning."""
    lock = lock_file.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        pid = lock.read().strip()
        lock.close()
        raise AlreadyRunning(state_dir, pid) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
