"""Writing transitions down, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from execution.bulk import copy_rows
from execution.models import ObjectKind, Transition

_COLUMNS = ("owner_id", "object_kind", "object_id", "from_state", "to_state", "detail", "at")
MAX_DETAIL = 512


class Change(NamedTuple):
    owner_id: UUID
    kind: ObjectKind
    object_id: UUID
    before: str
    after: str
    at: datetime
    detail: str = ""


def record(changes: Iterable[Change]) -> None:
    copy_rows(
        Transition,
        _COLUMNS,
        ((c.owner_id, c.kind.value, c.object_id, c.before, c.after, c.detail[:MAX_DETAIL], c.at) for c in changes),
    )
