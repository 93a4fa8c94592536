"""Starting what is measured, and the clients that measure it, as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

from dotenv import dotenv_values

from execution.selftest.product import Product
from justtrades.environment import ROOT
from justtrades.supervisor import plan
from justtrades.supervisor.ports import LOOPBACK, any_free_port

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 10.0
_CLIENT_TIMEOUT_S = 120.0
_POLL_S = 0.05


def addresses(product: Product) -> dict[str, str]:
    """The servers of a running product, as settings."""
    found = dotenv_values(product.state_dir / "run" / "addresses.env")
    return {name: value for name, value in found.items() if value is not None}


def run_json(module: str, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> Any:
    """The JSON line that one of our clients prints at its end. Raises subprocess.CalledProcessError."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        input=stdin,
        timeout=_CLIENT_TIMEOUT_S,
    )
    return json.loads(done.stdout)


def manage(product: Product, *words: str) -> None:
    """A `manage.py` command beside the running product. Raises subprocess.CalledProcessError."""
    env = {**os.environ, "STATE_DIR": str(product.state_dir)}
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=env, timeout=_CLIENT_TIMEOUT_S)


@contextmanager
def same_server(application: str, env: Mapping[str, str]) -> Iterator[str]:
    """The product's own web server with another WSGI callable in it; yields its address."""
    bind = plan.Bind(LOOPBACK, any_free_port(), 0)
    spec = plan.web({**os.environ, **env}, bind)
    process = subprocess.Popen([*spec.argv[:-1], application], env=dict(spec.env), cwd=ROOT, start_new_session=True)
    address = plan.local_url(bind.host, bind.web_port)
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(_STOP_TIMEOUT_S)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            with urlopen(address, data=b"{}", timeout=1):  # noqa: S310 - our own http://
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB. Raises OSError when there is no such process."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - not a file in any other sense
        line = next(line for line in status if line.startswith("VmRSS:"))
    return round(int(line.split()[1]) / 1024, 1)
