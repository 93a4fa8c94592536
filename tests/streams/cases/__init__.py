"""The table of cases, by topic."""

from __future__ import annotations

from tests.streams.cases import (
    actions,
    dialects,
    dirty,
    exits,
    moving,
    overrides,
    positions,
    probes,
    rules,
    sizing,
    streams,
    symbols,
    timing,
)
from tests.streams.case import Case

CASES: tuple[Case, ...] = tuple(
    case
    for topic in (
        actions, dialects, dirty, exits, moving, overrides, positions, probes, rules, sizing, streams, symbols, timing,
    )
    for case in topic.CASES
)  # fmt: skip
