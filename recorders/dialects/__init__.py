"""One file per alert dialect. Which one an alert speaks is decided by the names of its fields, never by luck."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from recorders.alert import ParsedAlert
from recorders.dialects import (
    autoview,
    canonical,
    crosstrade,
    nested,
    okx,
    pickmytrade,
    pineconnector,
    plain,
    threecommas,
    traderspost,
)
from recorders.fields import Fields


class Dialect(NamedTuple):
    name: str
    speaks: Callable[[Fields], bool]
    parse: Callable[[Fields], ParsedAlert]


DIALECTS: tuple[Dialect, ...] = tuple(
    Dialect(module.NAME, module.speaks, module.parse)
    for module in (
        nested, pickmytrade, traderspost, threecommas, okx, pineconnector, crosstrade, autoview, plain, canonical,
    )
)  # fmt: skip
"""In the order in which they are asked; no body is claimed by two, so that the order decides nothing."""


def dialect_of(alert: Fields) -> Dialect | None:
    return next((dialect for dialect in DIALECTS if dialect.speaks(alert)), None)
