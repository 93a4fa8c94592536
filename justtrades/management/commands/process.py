"""Become one process of the product, as the supervisor runs it: for containers and service managers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.management.base import BaseCommand

from justtrades.supervisor import plan
from justtrades.supervisor.ports import LOOPBACK
from justtrades.supervisor.spawn import ProcessSpec

_PLANS: Mapping[str, Callable[[argparse.Namespace], ProcessSpec]] = {
    "web": lambda wishes: plan.web(os.environ, plan.Bind(wishes.host, wishes.port, wishes.port)),
    "live": lambda wishes: plan.live(os.environ, plan.Bind(wishes.host, wishes.port, wishes.port)),
    "lane": lambda wishes: plan.lane(os.environ, wishes.number),
    "chores": lambda _: plan.chores(os.environ),
    "beat": lambda _: plan.beat(os.environ, settings.STATE_DIR),
    "sweeper": lambda _: plan.sweeper(os.environ),
}


class Command(BaseCommand):
    help = "Become one of the processes that `manage.py up` runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(_PLANS))
        parser.add_argument("--number", type=int, default=0, help="which lane")
        parser.add_argument("--host", default=LOOPBACK, help="where web or live listens")
        parser.add_argument("--port", type=int, default=8000, help="where web or live listens")

    def handle(self, *_args: str, kind: str, **wishes: object) -> None:
        spec = _PLANS[kind](argparse.Namespace(**wishes))
        os.execve(spec.argv[0], spec.argv, dict(spec.env))  # noqa: S606 - no shell, as it should be
