"""What must hold whatever happened, asked of our rows alone: each invariant is a query that names the rows against it.

Numbers and words are those of the reliability document. They read and change nothing, so that tests, fault drills and
`manage.py invariants` may ask at any time, also of the running product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from execution.invariants import limits, orders, positions
from execution.invariants.scope import Rates, Scope

__all__ = ["INVARIANTS", "NOT_ASKED", "Invariant", "Rates", "Scope", "check"]

Invariant = Callable[[Scope], Iterator[str]]
INVARIANTS: dict[str, Invariant] = {
    "I1": orders.decided,
    "I2": orders.never_doubled,
    "I3": orders.no_late_entry,
    "I4": positions.unprotected_is_acted_on,
    "I5": positions.are_their_fills,
    "I6": orders.doubt_ended_with_evidence,
    "I7": positions.exits_only_reduce,
    "I8": orders.nobody_waits,
    "I9": limits.switch_holds,
    "I10": orders.says_why,
    "I13": limits.tells_no_secret,
    "I14": limits.throttled,
}
NOT_ASKED: dict[str, str] = {
    "I11": "what a screen shows is in no row: the browser tests look at it",
    "I12": "it is all the others, asked within ten seconds after a kill and a restart",
}


def check(scope: Scope) -> dict[str, list[str]]:
    """The violations by invariant, all asked about one moment; empty when everything holds."""
    with _one_moment():
        asked = {name: list(invariant(scope)) for name, invariant in INVARIANTS.items()}
    return {name: found for name, found in asked.items() if found}


@contextmanager
def _one_moment() -> Iterator[None]:
    """Two looks at rows that change between them would contradict each other. Inside a transaction that is its own."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
