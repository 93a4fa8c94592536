"""A key for FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from justtrades.supervisor.first_start import new_field_key


class Command(BaseCommand):
    help = "Print a new key for FIELD_ENCRYPTION_KEYS. Put it first; keep the older ones behind it."
    requires_system_checks: list[str] = []

    def handle(self, *_args: str, **_options: object) -> None:
        self.stdout.write(new_field_key())
