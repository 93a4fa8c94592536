"""Run one command beside a PostgreSQL and a Valkey of its own."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from types import FrameType

from django.core.management.base import BaseCommand, CommandError

from justtrades.supervisor.throwaway import throwaway_servers


class Command(BaseCommand):
    help = "Run a command with DATABASE_URL and REDIS_URL of throw-away servers: manage.py embedded -- pytest -x"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--durable", action="store_true", help="fsync as in production")
        parser.add_argument("command", nargs=argparse.REMAINDER)

    def handle(self, *_args: str, command: list[str], durable: bool, **_options: object) -> None:
        words = command[1:] if command[:1] == ["--"] else command
        if not words:
            raise CommandError("say which command to run: manage.py embedded -- COMMAND")
        with throwaway_servers(durable=durable) as addresses:
            status = _run(words, {**os.environ, **addresses})
        sys.exit(status if status >= 0 else 128 - status)


def _run(words: list[str], env: dict[str, str]) -> int:
    """Its exit status. A request to stop is the command's to answer; the servers stay until it has."""
    process = subprocess.Popen(words, env=env)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    # The terminal sends Ctrl-C to the command as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return process.wait()
