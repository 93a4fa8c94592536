"""Run the sandbox brokers until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from brokers.sandbox.app import run
from brokers.sandbox.options import add_arguments, parse_options


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, **options: Any) -> None:
        asyncio.run(run(parse_options(argparse.Namespace(**options))))
