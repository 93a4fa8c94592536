"""Run the whole product on this machine."""

from __future__ import annotations

import argparse

from django.core.management.base import BaseCommand, CommandError

from justtrades.environment import read_environment, state_dir
from justtrades.supervisor.bringup import Wishes
from justtrades.supervisor.lock import AlreadyRunning
from justtrades.supervisor.ports import LOOPBACK
from justtrades.supervisor.runner import supervise


class Command(BaseCommand):
    help = "Start every process, with embedded PostgreSQL and Valkey where none are named, and keep them running."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="seed the demo: accounts that follow one recorder")
        parser.add_argument("--accounts", type=int, default=5, help="how many sandbox accounts the demo has")
        parser.add_argument("--host", default=LOOPBACK, help="where the pages listen")

    def handle(self, *_args: str, demo: bool, accounts: int, host: str, **_options: object) -> None:
        # Not settings.ENV: that one would take the addresses a killed supervisor left behind for given ones.
        environment = read_environment(with_addresses=False)
        try:
            supervise(environment, Wishes(host, has_demo=demo, accounts=accounts), state_dir())
        except (AlreadyRunning, RuntimeError) as error:
            raise CommandError(str(error)) from error
