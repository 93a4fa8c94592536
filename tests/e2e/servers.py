"""PostgreSQL and Valkey that a test may kill, freeze and bring back; durable, so what was committed stays."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from pathlib import Path

import psutil

from justtrades.supervisor.ports import any_free_port
from justtrades.supervisor.postgres import EmbeddedPostgres
from justtrades.supervisor.privileges import before_exec
from justtrades.supervisor.valkey import EmbeddedValkey

START_TIMEOUT_S = 20.0


class Server:
    """One server process of ours, on the same port for all its lives."""

    def __init__(self, kind: type[EmbeddedPostgres] | type[EmbeddedValkey], directory: Path) -> None:
        self._server = kind(directory, any_free_port(), secrets.token_urlsafe(24))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._server.url()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers; a PostgreSQL that was killed may need a moment until its orphans are gone."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._try_start(deadline):
            assert time.monotonic() < deadline, f"{self._server.command()[0]} did not start"
        if isinstance(self._server, EmbeddedPostgres):
            self._server.create_database()

    def kill(self) -> None:
        """As a power cut: no good-bye, nothing flushed."""
        assert self._process is not None
        children = psutil.Process(self._process.pid).children()
        self._process.kill()
        self._process.wait()
        psutil.wait_procs(children, timeout=10)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self.kill()

    def _try_start(self, deadline: float) -> bool:
        self._server.initialise()
        account = self._server.account() if isinstance(self._server, EmbeddedPostgres) else None
        with self._server.data_dir.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                self._server.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec(account, dies_by=signal.SIGKILL),  # noqa: PLW1509 - makes system calls only
            )
        while not self._server.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
