"""PostgreSQL and Valkey for `up`: the ones it was given, or embedded ones under the state directory."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from justtrades.supervisor.family import Family
from justtrades.supervisor.first_start import server_passwords
from justtrades.supervisor.ports import PortBook
from justtrades.supervisor.postgres import EmbeddedPostgres
from justtrades.supervisor.spawn import ProcessSpec
from justtrades.supervisor.valkey import EmbeddedValkey

USUAL_POSTGRES_PORT, USUAL_VALKEY_PORT = 54320, 63790
_START_TIMEOUT_S = 60.0
_POLL_S = 0.05


@dataclass(frozen=True)
class StoreUrls:
    """Where the two stores are; empty for one that was not given."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class Stores:
    """Starts the stores that nobody gave us, as children of `family`."""

    family: Family
    state_dir: Path
    ports: PortBook
    env: Mapping[str, str]

    async def start(self, given: StoreUrls) -> StoreUrls:
        """Returns both URLs once both answer. Raises RuntimeError when an embedded one does not come up."""
        return StoreUrls(
            given.database_url or await self._start_postgres(),
            given.redis_url or await self._start_valkey(),
        )

    async def _start_postgres(self) -> str:
        port = self.ports.choose("postgres", USUAL_POSTGRES_PORT)
        server = EmbeddedPostgres(self.state_dir / "postgres", port, server_passwords()["POSTGRES_PASSWORD"])
        server.initialise()
        argv, account = tuple(server.command()), server.account()
        # SIGINT is its fast stop: sessions end, the log is flushed. SIGTERM would wait for the last client.
        await self.family.start(ProcessSpec("postgres", argv, self.env, signal.SIGINT, grace_s=5.0, account=account))
        await _until(server.is_ready, "postgres")
        server.create_database()
        return server.url()

    async def _start_valkey(self) -> str:
        port = self.ports.choose("valkey", USUAL_VALKEY_PORT)
        server = EmbeddedValkey(self.state_dir / "valkey", port, server_passwords()["VALKEY_PASSWORD"])
        server.initialise()
        await self.family.start(
            ProcessSpec("valkey", tuple(server.command()), self.env, swallows=_is_about_the_machine)
        )
        await _until(server.is_ready, "valkey")
        return server.url()


def _is_about_the_machine(line: str) -> bool:
    # It has nothing to save in the background but its short append-only file.
    return "Memory overcommit must be enabled" in line


async def _until(is_ready: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not is_ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not answer within {_START_TIMEOUT_S:.0f} s")
        await asyncio.sleep(_POLL_S)
