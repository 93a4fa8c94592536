"""`manage.py selftest`: kill everything while alerts come in, then prove that none was lost, doubled or left naked."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from dotenv import dotenv_values

from execution.selftest.product import NotRunning, Product, own_product
from execution.selftest.run import SelfTest, Wishes
from execution.selftest.verdict import Verdict
from justtrades.environment import DOTENV

_SERVERS = ("DATABASE_URL", "REDIS_URL", "SANDBOX_CONTROL_URL")
MOST_SEEDS = 1_000_000


class Command(BaseCommand):
    help = (
        "Send alerts while web, live, lanes, sweeper and Valkey are killed at random, then audit the venue's books. "
        "Exit status 1 if anything was lost, doubled or unprotected."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--alerts", type=int, default=100, help="how many alerts are sent")
        parser.add_argument("--seed", type=int, default=None, help="of the alerts and the kills; default: any")
        parser.add_argument("--accounts", type=int, default=5, help="followers of a product of its own")
        parser.add_argument("--kill-postgres", action="store_true", help="kill PostgreSQL, too")
        parser.add_argument("--running", action="store_true", help="test the running `manage.py up --demo`")
        parser.add_argument("--keep", action="store_true", help="leave the state directory for looking into")

    def handle(self, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(MOST_SEEDS)
        wishes = Wishes(max(1, options["alerts"]), seed, options["kill_postgres"])
        try:
            with self._product(options) as product:
                verdict = SelfTest(product, wishes, self._say).run()
                if options["keep"]:
                    self._say(f"kept {product.state_dir}")
        except NotRunning as error:
            raise CommandError(str(error)) from error
        self._show(verdict)
        if not verdict.holds:
            raise SystemExit(1)

    def _product(self, options: dict[str, Any]) -> AbstractContextManager[Product]:
        if options["running"]:
            return nullcontext(Product(settings.STATE_DIR))
        named = [name for name in _SERVERS if dotenv_values(DOTENV).get(name)]
        if named:
            raise CommandError(
                f".env names {', '.join(named)}, and a self-test must not kill what lives there: "
                "comment it out, or use --running on purpose"
            )
        self._say("starting a product of its own")
        return own_product(options["accounts"], keep=options["keep"])

    def _show(self, verdict: Verdict) -> None:
        for title in ("not_acked", "nothing_to_do", "reported", "lost", "doubled", "unprotected"):
            for text in getattr(verdict, title):
                self._say(f"{title.replace('_', ' ')}: {text}")
        self._say(verdict.line())

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
