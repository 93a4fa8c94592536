"""One statement, parsed and planned once per connection instead of once per use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any
from weakref import WeakSet

from django.db import connection


class PreparedStatement:
    """For a statement whose planning takes longer than its work. `sql` has a `%s` for each of `types`, in order.

    A prepared statement belongs to the server's session: between us and PostgreSQL there may be a connection pool, but
    none that hands a session to somebody else after each transaction.
    """

    def __init__(self, name: str, sql: str, types: str) -> None:
        numbers = count(1)
        numbered = re.sub("%s", lambda _: f"${next(numbers)}", sql)
        self._prepare = f"PREPARE {name} ({types}) AS {numbered}"
        self._execute = f"EXECUTE {name} ({', '.join(['%s'] * sql.count('%s'))})"
        self._sessions: WeakSet[Any] = WeakSet()

    def fetch_one(self, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Execute, and the first row of what it returns."""
        with connection.cursor() as cursor:
            session = connection.connection
            if session not in self._sessions:
                cursor.execute(self._prepare)
                self._sessions.add(session)
            cursor.execute(self._execute, values)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row
