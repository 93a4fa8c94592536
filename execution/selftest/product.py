"""The product under test: one of its own in a temporary directory, or the one that is running."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from justtrades.environment import ROOT

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
LAST_LINES = 40
_POLL_S = 0.2
# Names of servers: a product of its own must start its own, whatever the surroundings name.
_SERVERS = ("DATABASE_URL", "REDIS_URL", "SANDBOX_CONTROL_URL", "BASE_URL", "LIVE_URL")
_SANDBOXES = ("sandbox", "sandbox-projectx", "sandbox-webull")
_LISTENERS = ("web", "live", "postgres", "valkey", *_SANDBOXES, *(f"{name}-control" for name in _SANDBOXES))


class NotRunning(Exception):
    """There is no product to test, or it did not come up."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running product, known by the `demo.json` of its state directory."""

    state_dir: Path

    def demo(self) -> dict[str, Any]:
        """Raises NotRunning when nothing has been written down."""
        try:
            content: dict[str, Any] = json.loads((self.state_dir / "demo.json").read_text())
        except FileNotFoundError:
            raise NotRunning(f"{self.state_dir} has no demo.json: nothing runs there") from None
        return content

    def pids(self) -> dict[str, Any]:
        """As of now: a killed process is replaced within a moment."""
        pids: dict[str, Any] = self.demo().get("pids", {})
        return pids

    @property
    def log_file(self) -> Path:
        return self.state_dir / "up.log"


@contextmanager
def own_product(accounts: int, *, keep: bool) -> Iterator[Product]:
    """`manage.py up --demo` with durable servers of its own, stopped and removed at the end unless `keep`."""
    state_dir = Path(tempfile.mkdtemp(prefix="justtrades-selftest-"))
    # The account that a root supervisor runs PostgreSQL as has to pass through.
    state_dir.chmod(0o711)
    product = Product(state_dir)
    _reserve_ports(state_dir / "run")
    process = _start(product, accounts)
    try:
        _wait_until_up(product, process)
        yield product
    finally:
        _stop(process)
        if not keep:
            shutil.rmtree(state_dir, ignore_errors=True)


def _reserve_ports(run_dir: Path) -> None:
    """Any free ports, written where `up` remembers its own: the usual ones belong to whoever starts `make run` next."""
    run_dir.mkdir(mode=0o711)
    with ExitStack() as stack:
        probes = {name: stack.enter_context(socket.socket()) for name in _LISTENERS}
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        ports = {name: probe.getsockname()[1] for name, probe in probes.items()}
    (run_dir / "ports.json").write_text(json.dumps(ports))


def _start(product: Product, accounts: int) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if name not in _SERVERS}
    env |= {"STATE_DIR": str(product.state_dir), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--demo", "--accounts", str(accounts)]
    with product.log_file.open("wb") as log:
        return subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _wait_until_up(product: Product, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _has_pids(product):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = product.log_file.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise NotRunning("manage.py up did not come up:\n" + "\n".join(lines))
        time.sleep(_POLL_S)


def _has_pids(product: Product) -> bool:
    try:
        return bool(product.pids().get("lanes"))
    except NotRunning:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
