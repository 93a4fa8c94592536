"""The whole product, started by `manage.py up` in a state directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import requests

from justtrades.environment import ROOT
from justtrades.supervisor.ports import any_free_port
from justtrades.supervisor.privileges import before_exec

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0
READY = "Just Trades is ready."
# Given to the tests, and not to be inherited: the product is to start servers of its own.
_NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS")


def until(condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain: {what}"
        time.sleep(0.05)


class Product:
    """One `manage.py up --demo`; its output goes to a file, where `said` looks."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._log = state_dir / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        # Not the usual ports: somebody may be running the product while its tests run.
        (state_dir / "run").mkdir(exist_ok=True)
        remembered = {name: any_free_port() for name in ("web", "live", "postgres", "valkey")}
        (state_dir / "run" / "ports.json").write_text(json.dumps(remembered))

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        return {**inherited, "STATE_DIR": str(self.state_dir)}

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def demo(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.state_dir / "demo.json").read_text())
        return content

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--demo", "--accounts", "2"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=self.environment,
                stdout=log,
                stderr=log,
                preexec_fn=before_exec(None, dies_by=signal.SIGTERM),  # noqa: PLW1509 - makes system calls only
            )
        until(lambda: self.said(READY) or not self.is_running, "the banner", START_TIMEOUT_S)
        assert self.is_running, self._log.read_text()

    def stop(self) -> None:
        """As a person does, and see that nothing is left."""
        family = self.family()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_TIMEOUT_S) == 0
        assert [process for process in family if _is_alive(process)] == []

    def end(self) -> None:
        """Whatever state it is in."""
        if self._process is not None and self.is_running:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_TIMEOUT_S)

    def said(self, words: str) -> bool:
        return words in self._log.read_text()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.demo['dashboard_url']}ready", timeout=2).ok
        except requests.ConnectionError:
            return False

    def first_pid(self, kind: str) -> int | None:
        pids = self.demo["pids"][kind]
        if isinstance(pids, list):
            return int(pids[0]) if pids else None
        return None if pids is None else int(pids)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def _is_alive(process: psutil.Process) -> bool:
    """What has ended and was not collected yet, by a first process that takes its time, is no longer alive."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
