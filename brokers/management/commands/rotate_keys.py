"""`manage.py rotate_keys`: put every stored secret under the newest key of `FIELD_ENCRYPTION_KEYS`.

Safe beside running processes: a row changes only while its ciphertexts are still the ones that were read, so that a
token which was refreshed meanwhile is never overwritten. May be ended and started again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django.db.models import QuerySet, Value
from django.db.models.functions import Cast

from brokers import vault
from brokers.fields import EncryptedTextField

BATCH_SIZE = 200
TRIES = 5
_RAW = "ciphertext_of_"


@dataclass(slots=True)
class Count:
    """What became of one model's rows. Rows are named by their keys alone: nothing else of them may be printed."""

    rotated: int = 0
    current: int = 0
    refused: list[object] = field(default_factory=list)
    busy: list[object] = field(default_factory=list)


class Command(BaseCommand):
    help = "Re-encrypt every stored secret under the newest key of FIELD_ENCRYPTION_KEYS. See docs/keys.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH_SIZE, help="rows per query")

    def handle(self, *_args: Any, batch: int, **_options: Any) -> None:
        if not settings.FIELD_ENCRYPTION_KEYS:
            raise CommandError("FIELD_ENCRYPTION_KEYS is empty")
        if batch < 1:
            raise CommandError(f"--batch: was {batch}, must be at least 1")
        left: list[str] = []
        for model, names in encrypted_fields():
            count = _rotate_model(model, names, batch)
            label = model._meta.label
            self.stdout.write(
                f"{label}: {count.rotated} re-encrypted, {count.current} already under the newest key, "
                f"{len(count.refused)} refused, {len(count.busy)} busy"
            )
            left += [f"{label} {pk}: no key of FIELD_ENCRYPTION_KEYS opens it" for pk in count.refused]
            left += [f"{label} {pk}: changed each time it was tried" for pk in count.busy]
        if left:
            raise CommandError("\n".join(["Not all is under the newest key; keep the older ones.", *left]))


def encrypted_fields() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model of every app that keeps secrets, with the names of its encrypted fields."""
    for model in apps.get_models(include_auto_created=True):
        names = [f.name for f in model._meta.local_concrete_fields if isinstance(f, EncryptedTextField)]
        if names:
            yield model, names


def _rotate_model(model: type[models.Model], names: Sequence[str], batch: int) -> Count:
    count = Count()
    rows = _with_ciphertexts(model, names)
    last: object = None
    while True:
        page = rows if last is None else rows.filter(pk__gt=last)
        found = list(page.order_by("pk").values_list("pk", *(_RAW + name for name in names))[:batch])
        for pk, *ciphertexts in found:
            _rotate_row(rows.filter(pk=pk), pk, dict(zip(names, ciphertexts, strict=True)), count)
        if len(found) < batch:
            return count
        last = found[-1][0]


def _rotate_row(row: QuerySet[models.Model], pk: object, stored: Mapping[str, str | None], count: Count) -> None:
    """All fields of the row in one statement, or none."""
    for _ in range(TRIES):
        old = {name: text for name, text in stored.items() if text and not _is_under_newest_key(text)}
        if not old:
            count.current += 1
            return
        try:
            new = {name: Value(vault.rotate(text), models.TextField()) for name, text in old.items()}
        except InvalidToken:
            count.refused.append(pk)
            return
        if row.filter(**{_RAW + name: text for name, text in old.items()}).update(**new) == 1:
            count.rotated += 1
            return
        again = row.values(*(_RAW + name for name in stored)).first()
        if again is None:
            return
        stored = {name: again[_RAW + name] for name in stored}
    count.busy.append(pk)


def _with_ciphertexts(model: type[models.Model], names: Sequence[str]) -> QuerySet[models.Model]:
    """Its rows with the columns as they are stored: the fields themselves would decrypt."""
    columns = {_RAW + name: Cast(name, models.TextField()) for name in names}
    rows: QuerySet[models.Model] = model._base_manager.annotate(**columns)
    return rows


def _is_under_newest_key(ciphertext: str) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True
