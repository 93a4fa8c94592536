"""Many rows in one statement. The order path writes five hundred at a time, where a row at a time costs a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO

from django.db import connection, models
from psycopg2.extras import execute_values

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Insert with COPY; a violated constraint raises `IntegrityError` and undoes the transaction. Returns the count."""
    lines = ["\t".join(map(_copy_text, row)) for row in rows]
    if not lines:
        return 0
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, StringIO("\n".join(lines) + "\n"))
    return len(lines)


def _copy_text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


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
    with connection.cursor() as cursor:
        changed = execute_values(cursor.cursor, statement, rows, template=casts, page_size=len(rows), fetch=True)
    return [row[0] for row in changed]
