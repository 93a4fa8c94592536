"""Many rows in one statement. The order path writes five hundred at a time, where a row at a time costs a second."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from io import StringIO
from types import NoneType
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from psycopg2.extras import execute_values

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@contextmanager
def lazily() -> Iterator[None]:
    """A transaction whose commit does not wait for the disk: for figures that the next second writes anew anyway.

    A crash of the database's machine may lose the last half second of them; nothing is ever half written.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        yield


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Insert with COPY; a violated constraint raises `IntegrityError` and undoes the transaction. Returns the count."""
    lines = ["\t".join([_WRITERS.get(type(value), str)(value) for value in row]) for row in rows]
    if not lines:
        return 0
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    # Django's cursor does not see this call, so that psycopg2's own errors would come out.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.copy_expert(statement, StringIO("\n".join(lines) + "\n"))
    return len(lines)


def _text(text: str) -> str:
    # What has to be escaped is unprintable or a backslash; to ask that first takes a fifth of the time.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


@lru_cache(maxsize=64)
def _moment(value: datetime) -> str:
    return value.isoformat()


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    NoneType: lambda _: "\\N",
    datetime: _moment,
    UUID: lambda value: f"{value.int:032x}",
    list: lambda value: _text(json.dumps(value)),
    dict: lambda value: _text(json.dumps(value)),
}
"""COPY's text for a value, by exact type: a fan-out writes thirty thousand values while an order waits."""


def update_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[object]], *, guard: str = ""
) -> list[object]:
    """Set `columns` of the rows whose id comes first in each row of `rows`; returns the ids that were changed.

    `guard` is a further SQL condition on `t`, the table: compare-and-swap, such as `t.status = 'cleared'`.
    """
    if not rows:
        return []
    table = model._meta.db_table
    types = [model._meta.get_field(name).db_type(connection) for name in ("id", *columns)]
    casts = "(" + ", ".join(f"%s::{kind}" for kind in types) + ")"
    settings = ", ".join(f"{name} = v.{name}" for name in columns)
    statement = (
        f"UPDATE {table} t SET {settings} FROM (VALUES %s) AS v (id, {', '.join(columns)}) "  # noqa: S608 - own names
        f"WHERE t.id = v.id {'AND ' + guard if guard else ''} RETURNING t.id"
    )
    with connection.wrap_database_errors, connection.cursor() as cursor:
        changed = execute_values(cursor.cursor, statement, rows, template=casts, page_size=len(rows), fetch=True)
    return [row[0] for row in changed]


def copy_fields(model: type[models.Model], rows: Sequence[Mapping[str, object]]) -> int:
    """`copy_rows` for rows by field: all give the same ones, and what they do not give is the field's default."""
    if not rows:
        return 0
    names, defaults = _columns(model, rows[0])
    return copy_rows(model, names, [(*row.values(), *defaults) for row in rows])


def insert_unless_there(model: type[models.Model], rows: Sequence[Mapping[str, object]]) -> list[Any]:
    """Insert rows by field, as `copy_fields`, but for those that break a unique constraint; the ids of those made."""
    if not rows:
        return []
    names, defaults = _columns(model, rows[0])
    statement = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES %s "  # noqa: S608 - own names
        "ON CONFLICT DO NOTHING RETURNING id"
    )
    values = [(*row.values(), *defaults) for row in rows]
    with connection.wrap_database_errors, connection.cursor() as cursor:
        made = execute_values(cursor.cursor, statement, values, page_size=len(values), fetch=True)
    return [row[0] for row in made]


def _columns(model: type[models.Model], given: Mapping[str, object]) -> tuple[list[str], list[object]]:
    """The given fields and those that need a value besides, and the defaults of the latter."""
    missing = {
        field.attname: field.get_default()
        for field in model._meta.concrete_fields
        if field.attname not in given and not field.null and not isinstance(field, models.AutoField)
    }
    return [*given, *missing], list(missing.values())
