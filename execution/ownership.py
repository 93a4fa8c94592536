"""At most one process owns a lane, or sweeps: a PostgreSQL session advisory lock, kept on a connection of its own.

When the owner dies, PostgreSQL drops its session and with it the lock; a standby that waits takes over.
"""

from __future__ import annotations

import structlog
from django.db import Error as DatabaseError
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

log = structlog.get_logger(__name__)
LANE = 2
SWEEPER = 3
"""Advisory key spaces; one registry with `execution.locks`, never renumbered."""


class Ownership:
    """One try at being the only one: `acquire` until it says yes, then `confirm` every second.

    `is_anothers`: at the last try somebody else had it. False while nobody can tell.
    """

    def __init__(self, space: int, key: int) -> None:
        self._space = space
        self._key = key
        self._connection: BaseDatabaseWrapper | None = None
        self._is_held = False
        self.is_anothers = False

    def acquire(self) -> bool:
        """Take the lock if nobody has it. False also while the database cannot be reached."""
        try:
            if self._connection is None:
                self._connection = connections.create_connection("default")
                # Acquired in the thread that starts, confirmed in the one that keeps: never in both at once.
                self._connection.inc_thread_sharing()
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [self._space, self._key])
                row = cursor.fetchone()
        except DatabaseError as error:
            log.warning("ownership.unreachable", reason=type(error).__name__)
            self.release()
            self.is_anothers = False
            return False
        self._is_held = bool(row and row[0])
        self.is_anothers = not self._is_held
        return self._is_held

    def confirm(self) -> bool:
        """Whether the session that holds the lock still lives. After a False the lock must be acquired again."""
        if self._connection is None or not self._is_held:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            self.release()
            return False
        return True

    def release(self) -> None:
        self._is_held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
