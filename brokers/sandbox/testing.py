"""Running the sandbox as a real process from tests, benchmarks and drills."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import requests

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CONTROL_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    id: int
    name: str
    username: str
    password: str


class RunningSandbox:
    """A sandbox process: its addresses, accounts and control interface."""

    def __init__(self, process: subprocess.Popen[bytes], announcement: dict[str, Any]) -> None:
        (self.venue_name,) = announcement.keys() - {"control_url"}
        venue: dict[str, Any] = announcement[self.venue_name]
        self.process = process
        self.control_url: str = announcement["control_url"]
        self.description = venue
        self.rest_url: str = venue["rest_url"]
        self.ws_url: str = venue["ws_url"]
        self.md_url: str = venue["md_url"]
        self.accounts = [SandboxAccount(**row) for row in venue["accounts"]]
        self._http = requests.Session()

    def get(self, path: str, **query: object) -> Any:
        response = self._http.get(self.control_url + path, params=query, timeout=CONTROL_TIMEOUT_SECONDS)  # type: ignore[arg-type]
        response.raise_for_status()
        return orjson.loads(response.content)

    def post(self, path: str, **fields: object) -> Any:
        response = self._http.post(self.control_url + path, json=fields, timeout=CONTROL_TIMEOUT_SECONDS)
        response.raise_for_status()
        return orjson.loads(response.content)

    def state(self) -> list[dict[str, Any]]:
        """The venue's accounts with positions, orders and entries."""
        accounts: list[dict[str, Any]] = self.get("/state")[self.venue_name]["accounts"]
        return accounts

    def account_state(self, account_id: int) -> dict[str, Any]:
        return next(account for account in self.state() if account["id"] == account_id)

    def arrivals(self, since: float = 0.0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/arrivals", since=since)
        return found

    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.get("/stats")
        return stats

    def price(self, symbol: str, price: float) -> None:
        """Last, bid and ask become exactly this, and what it triggers has happened on return."""
        self.post("/price", symbol=symbol, price=price)

    def seeded_price(self, symbol: str) -> None:
        self.post("/price", symbol=symbol, feed="seeded")

    def fault(self, account: object, kind: str, **params: object) -> dict[str, Any]:
        fault: dict[str, Any] = self.post("/faults", account=account, kind=kind, **params)
        return fault

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/faults")
        return found

    def clear_faults(self) -> None:
        self._http.delete(self.control_url + "/faults", timeout=CONTROL_TIMEOUT_SECONDS).raise_for_status()

    def switches(self, **wanted: object) -> dict[str, Any]:
        switches: dict[str, Any] = self.post("/switches", **wanted)
        return switches

    def add_accounts(self, count: int) -> list[SandboxAccount]:
        return [SandboxAccount(**row) for row in self.post("/accounts", count=count)]

    def manual(self, account: object, symbol: str, action: str, qty: int) -> None:
        self.post("/manual", account=account, symbol=symbol, action=action, qty=qty)

    def reset(self) -> None:
        self.post("/reset")

    def stop(self) -> int:
        """End the process as a supervisor would (SIGTERM); its exit code."""
        self._http.close()
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start_sandbox(accounts: int = 5, venue: str = "tradovate", **options: object) -> RunningSandbox:
    """Start a venue's sandbox on free ports. ``options`` are those of the command, such as ``seed`` or ``state_file``.

    Raises RuntimeError when it does not come up.
    """
    command = [sys.executable, "-m", "brokers.sandbox", f"--venue={venue}", f"--accounts={accounts}"]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE)
    if process.stdout is None:
        raise RuntimeError("the sandbox has no output")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the sandbox ended with {process.wait()} before it was ready")
    return RunningSandbox(process, orjson.loads(line))


@contextmanager
def running_sandbox(accounts: int = 5, venue: str = "tradovate", **options: object) -> Iterator[RunningSandbox]:
    """A sandbox for the length of a ``with`` block."""
    sandbox = start_sandbox(accounts, venue, **options)
    try:
        yield sandbox
    finally:
        sandbox.stop()
