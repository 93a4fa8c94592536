"""The way from nothing to ready: stores, schema, sandbox, demo, then every process that works."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from justtrades.environment import Environment
from justtrades.supervisor import plan
from justtrades.supervisor.announcement import Announcement, sandbox_settings
from justtrades.supervisor.child import run_to_end
from justtrades.supervisor.console import Console
from justtrades.supervisor.demofile import DemoFile
from justtrades.supervisor.family import Family
from justtrades.supervisor.files import write_private_env
from justtrades.supervisor.pidfiles import STATE_DIR_VARIABLE
from justtrades.supervisor.ports import PortBook
from justtrades.supervisor.stores import Stores, StoreUrls

USUAL_WEB_PORT, USUAL_LIVE_PORT = 8000, 8001
USUAL_SANDBOX_PORTS = {"tradovate": (8010, 8011), "projectx": (8020, 8021), "webull": (8030, 8035)}


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for."""

    host: str
    has_demo: bool
    accounts: int


@dataclass(frozen=True)
class BringUp:
    """Starts everything as children of `family`; `environment` is what the product was given before."""

    environment: Environment
    wishes: Wishes
    state_dir: Path
    addresses_file: Path
    family: Family
    ports: PortBook
    demo_file: DemoFile
    console: Console

    async def run(self) -> str:
        """Start all; returns the address of the web process. Raises RuntimeError when a step fails."""
        bind = plan.Bind(
            self.wishes.host, self.ports.choose("web", USUAL_WEB_PORT), self.ports.choose("live", USUAL_LIVE_PORT)
        )
        inherited = {**os.environ, STATE_DIR_VARIABLE: str(self.state_dir), "PYTHONUNBUFFERED": "1"}
        addresses = self._public_addresses(bind) | await self._start_stores(inherited)
        announced, _, _ = await asyncio.gather(
            self._start_sandboxes(inherited | addresses),
            self._run("migrate", inherited | addresses, "migrate", "--noinput", "--verbosity", "0"),
            self._run("static", inherited | addresses, "collectstatic", "--noinput", "--verbosity", "0"),
        )
        addresses |= sandbox_settings(announced)
        write_private_env(self.addresses_file, addresses)
        self.demo_file.record_addresses(f"{addresses['BASE_URL']}/", announced)
        if self.wishes.has_demo:
            await self._seed_demo(inherited | addresses)
        await self._start_workers(inherited | addresses, bind)
        return plan.local_url(bind.host, bind.web_port)

    def _public_addresses(self, bind: plan.Bind) -> dict[str, str]:
        given = self.environment.model_fields_set
        base_url = self.environment.BASE_URL if "BASE_URL" in given else plan.local_url(bind.host, bind.web_port)
        live_url = self.environment.LIVE_URL or plan.local_url(bind.host, bind.live_port)
        return {"BASE_URL": base_url.rstrip("/"), "LIVE_URL": live_url.rstrip("/")}

    async def _start_stores(self, env: dict[str, str]) -> dict[str, str]:
        stores = Stores(self.family, self.state_dir, self.ports, env)
        urls = await stores.start(StoreUrls(self.environment.DATABASE_URL, self.environment.REDIS_URL))
        return {"DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url}

    async def _start_sandboxes(self, env: dict[str, str]) -> dict[str, dict[str, Any]]:
        """What the sandboxes announced, by venue; nothing when the environment names another one."""
        if self.environment.SANDBOX_CONTROL_URL:
            return {}
        announced = await asyncio.gather(*(self._start_sandbox(env, venue) for venue in plan.SANDBOXES))
        return dict(zip(plan.SANDBOXES, announced, strict=True))

    async def _start_sandbox(self, env: dict[str, str], venue: str) -> dict[str, Any]:
        announcement = Announcement()
        name = plan.sandbox_name(venue)
        usual, usual_control = USUAL_SANDBOX_PORTS[venue]
        ports = (self.ports.choose(name, usual), self.ports.choose(f"{name}-control", usual_control))
        await self.family.start(plan.sandbox(env, venue, ports, self.wishes.accounts, announcement.catches))
        return await announcement.content()

    async def _run(self, name: str, env: dict[str, str], *words: str) -> list[str]:
        return await run_to_end(plan.manage(name, env, *words), self.console)

    async def _seed_demo(self, env: dict[str, str]) -> None:
        spec = plan.demo(env, self.wishes.accounts, self.state_dir / "demo.json")
        *_, made = await run_to_end(spec, self.console)
        self.demo_file.record_demo(json.loads(made))

    async def _start_workers(self, env: dict[str, str], bind: plan.Bind) -> None:
        await self.family.start(
            plan.web(env, bind),
            plan.live(env, bind),
            *(plan.lane(env, number) for number in range(self.environment.LANES)),
            plan.chores(env),
            plan.beat(env, self.state_dir / "run"),
            plan.sweeper(env),
        )
