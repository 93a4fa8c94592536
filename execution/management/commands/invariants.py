"""`manage.py invariants`: asks our rows whether everything holds that must; exit status 1 when something does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from execution.invariants import INVARIANTS, NOT_ASKED, Rates, Scope, check
from justtrades import clock

DAY_MINUTES = 1440


class Command(BaseCommand):
    help = "Ask the rows whether the invariants hold. Reads only: safe beside the running product."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=int, default=DAY_MINUTES, help="look at what began in the last minutes")
        parser.add_argument("--secrets", type=Path, help="a file with one text per line that no row may show")

    def handle(self, **options: Any) -> None:
        now = clock.now()
        if options["minutes"] < 1:
            raise CommandError(f"--minutes: was {options['minutes']}, must be 1 or more")
        since = now - timedelta(minutes=options["minutes"])
        scope = Scope(now, None, since, _secrets(options["secrets"]), Rates.configured())
        found = check(scope)
        for name in INVARIANTS:
            self.stdout.write(f"{name}: {'holds' if name not in found else f'{len(found[name])} against it'}")
            for text in found.get(name, []):
                self.stdout.write(f"  {text}")
        for name, reason in NOT_ASKED.items():
            self.stdout.write(f"{name}: not asked, {reason}")
        if found:
            raise SystemExit(1)


def _secrets(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise CommandError(f"--secrets: {error}") from error
    return tuple(line for line in lines if line.strip())
