"""Which processes are ours, written down, so that the next start can end what a killed supervisor left behind.

A pid alone proves nothing: it may belong to a stranger by now. A stray is ended only if it started when we wrote down
that it did, or if it sits in the process group we made and carries our state directory in its environment.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

from justtrades.supervisor.files import write_private

STATE_DIR_VARIABLE = "STATE_DIR"
_CLOCK_TOLERANCE_S = 2.0
_GRACE_S = 5.0


class PidFiles:
    """One file per child under `directory`."""

    def __init__(self, directory: Path, state_dir: Path) -> None:
        self._directory = directory
        self._state_dir = str(state_dir)
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, pid: int) -> None:
        try:
            started = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        write_private(self._file(name), json.dumps({"pid": pid, "started": started}))

    def remove(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def reap_strays(self) -> list[str]:
        """End everything that the files name and that is provably ours; returns what was ended, for the log."""
        strays: dict[int, psutil.Process] = {}
        ended: list[str] = []
        for file in sorted(self._directory.glob("*.pid")):
            found = list(self._strays_of(**json.loads(file.read_text())))
            ended += [f"{file.stem} (pid {stray.pid})" for stray in found]
            strays.update({stray.pid: stray for stray in found})
        _end(list(strays.values()))
        for file in self._directory.glob("*.pid"):
            file.unlink()
        return ended

    def _strays_of(self, pid: int, started: float) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                is_leader = process.pid == pid and abs(process.create_time() - started) < _CLOCK_TOLERANCE_S
                if is_leader or (_group_of(process) == pid and self._carries_our_mark(process)):
                    yield process
            except psutil.NoSuchProcess:
                continue

    def _carries_our_mark(self, process: psutil.Process) -> bool:
        try:
            return str(process.environ().get(STATE_DIR_VARIABLE)) == self._state_dir
        except psutil.AccessDenied:
            return False

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.pid"


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        _send(process, signal.SIGINT if "postgres" in process.name() else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=_GRACE_S)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=_GRACE_S)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
