"""The table of cases, by topic."""

from __future__ import annotations

from tests.streams.case import Case
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
    storms,
    streams,
    symbols,
    timing,
)

CASES: tuple[Case, ...] = tuple(
    case
    for topic in (
        actions, dialects, dirty, exits, moving, overrides, positions, probes, rules, sizing, storms, streams, symbols,
        timing,
    )
    for case in topic.CASES
)  # fmt: skip
