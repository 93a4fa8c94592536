"""The product's real processes against a real sandbox, on servers of their own, as `manage.py up` would start them."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dj_database_url
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from justtrades.supervisor import plan
from justtrades.supervisor.ports import any_free_port
from justtrades.supervisor.postgres import EmbeddedPostgres
from justtrades.supervisor.privileges import before_exec
from justtrades.supervisor.spawn import ProcessSpec
from justtrades.supervisor.valkey import EmbeddedValkey
from tests.e2e.servers import Server

PATIENCE_S = 20.0
POLL_S = 0.03
LAST_LINES = 25
Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, timeout_s: float = PATIENCE_S) -> Found:
    """The condition's first truthy value; fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain: {what}"
        time.sleep(POLL_S)


class Plant:
    """Servers and sandbox run as long as it does; the product's processes come and go as a test asks."""

    def __init__(self, directory: Path, sandbox: RunningSandbox, *others: RunningSandbox) -> None:
        self.directory = directory
        self.sandbox = sandbox
        self.others = {other.venue_name: other for other in others}
        self.postgres = Server(EmbeddedPostgres, directory / "postgres")
        self.valkey = Server(EmbeddedValkey, directory / "valkey")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.web_url = ""

    @property
    def sandboxes(self) -> dict[str, RunningSandbox]:
        """By venue; NinjaTrader is the same backend."""
        return {"tradovate": self.sandbox, "ninjatrader": self.sandbox, **self.others}

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "STATE_DIR": str(self.directory / "state"),
            "SANDBOX_TRADOVATE_REST_URL": self.sandbox.rest_url,
            "SANDBOX_TRADOVATE_WS_URL": self.sandbox.ws_url,
            "SANDBOX_TRADOVATE_MD_URL": self.sandbox.md_url,
            "SANDBOX_CONTROL_URL": self.sandbox.control_url,
            **self._addresses(),
            "LANES": "1",
            "DEBUG_FAULTS": "true",
            "RECONCILE_EVERY_S": "8",
        }

    def _addresses(self) -> dict[str, str]:
        return {
            f"SANDBOX_{venue}_{name}".upper(): getattr(sandbox, name)
            for venue, sandbox in self.others.items()
            for name in ("rest_url", "ws_url", "md_url")
        }

    def start_web(self, name: str = "web", *, dies_at: str = "") -> str:
        """Its address, once it answers."""
        port = any_free_port()
        address = f"http://127.0.0.1:{port}"
        self._start(name, plan.web(self.environment, plan.Bind("127.0.0.1", port, 0)), dies_at)
        self.until(lambda: _answers(f"{address}/live"), f"{name} answers")
        return address

    def start_lane(self, *, dies_at: str = "", **environment: str) -> None:
        """Returns at once: logins report that they are live."""
        self._start("lane", plan.lane({**self.environment, **environment}, 0), dies_at)

    def start_sweeper(self) -> None:
        self._start("sweeper", plan.sweeper(self.environment), "")

    def run(self) -> None:
        """Everything that handles an alert; what runs already stays as it is."""
        if not self.is_running("web"):
            self.web_url = self.start_web()
        if not self.is_running("sweeper"):
            self.start_sweeper()
        if not self.is_running("lane"):
            self.start_lane()

    def is_running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def signal(self, name: str, number: signal.Signals) -> None:
        """To the process and all that it started."""
        os.killpg(self._processes[name].pid, number)

    def kill(self, name: str) -> None:
        if self.is_running(name):
            self.signal(name, signal.SIGKILL)
            self._processes[name].wait()

    def wait_for_death(self, name: str) -> None:
        """Until a process died of SIGKILL, as one that reached its kill-point does."""
        self.until(lambda: not self.is_running(name), f"{name} dies")
        assert self._processes[name].returncode == -signal.SIGKILL, self._told()

    def stop(self) -> None:
        for name in self._processes:
            self.kill(name)
        self.postgres.stop()
        self.valkey.stop()

    def until(self, condition: Callable[[], Found], what: str, timeout_s: float = PATIENCE_S) -> Found:
        """As `until`, with the last words of every process on failure."""
        try:
            return until(condition, what, timeout_s)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self._told()}") from None

    def _start(self, name: str, spec: ProcessSpec, dies_at: str) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                spec.argv,
                env={**spec.env, "JT_KILL": dies_at},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec(None, dies_by=signal.SIGKILL),  # noqa: PLW1509 - makes system calls only
            )

    def _told(self) -> str:
        logs = {name: (self.directory / f"{name}.log").read_text().splitlines() for name in self._processes}
        return "\n".join(f"[{name}] {line}" for name, lines in logs.items() for line in lines[-LAST_LINES:])


@contextmanager
def running_plant(*venues: str) -> Iterator[Plant]:
    """Servers, the Tradovate sandbox and those of `venues`; the processes are the caller's to start."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="justtrades-plant-")))
        directory.chmod(0o711)
        (directory / "state").mkdir()
        others = [stack.enter_context(running_sandbox(accounts=1, venue=venue)) for venue in venues]
        plant = Plant(directory, stack.enter_context(running_sandbox(accounts=1)), *others)
        stack.callback(plant.stop)
        plant.postgres.start()
        plant.valkey.start()
        with seen_from_here(plant):
            call_command("migrate", verbosity=0)
        yield plant


@contextmanager
def seen_from_here(plant: Plant) -> Iterator[None]:
    """This process's models, broker addresses and bells mean the plant's, too."""
    usual, usual_endpoints = dict(connection.settings_dict), settings.BROKER_ENDPOINTS
    named: dict[str, Any] = dict(dj_database_url.parse(plant.postgres.url))
    addresses = {name: (one.rest_url, one.ws_url, one.md_url) for name, one in plant.sandboxes.items()}
    connection.close()
    for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD"):
        connection.settings_dict[name] = named[name]
    settings.BROKER_ENDPOINTS = {**usual_endpoints, **{(name, "sandbox"): urls for name, urls in addresses.items()}}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(usual)
        settings.BROKER_ENDPOINTS = usual_endpoints


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).status_code < requests.codes.server_error
    except requests.RequestException:
        return False
