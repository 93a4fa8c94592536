"""Every venue passes every case of docs/adapter-spec.md, or the document says why a case does not apply to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokers.registry import VENUES

ROOT = Path(__file__).resolve().parents[2]
SPEC = (ROOT / "docs" / "adapter-spec.md").read_text()
_CASE = re.compile(r"^\| ([A-L][1-9]) \|", re.MULTILINE)
_SKIP = re.compile(r"^\| ([a-z]+) \| ([A-L][1-9]) \| (.+) \|$", re.MULTILINE)
_NAMED = re.compile(r"^([A-L][1-9](?:,? [A-L][1-9])*)\b")
CASES = frozenset(_CASE.findall(SPEC))
SKIPS = {(venue, case): why for venue, case, why in _SKIP.findall(SPEC)}


def _docstrings(venue: str) -> Iterator[str]:
    for path in sorted((ROOT / "tests" / "brokers" / venue).glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield ast.get_docstring(node) or ""


def _named(venue: str) -> set[str]:
    found: set[str] = set()
    for text in _docstrings(venue):
        match = _NAMED.match(text)
        if match is not None:
            found |= set(match[1].replace(",", "").split())
    return found


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_every_case_is_named_by_a_test_or_explained(venue: str) -> None:
    skipped = {case for name, case in SKIPS if name == venue}
    named = _named(venue)
    assert named - CASES == set(), "no such case"
    assert CASES - named - skipped == set(), "neither tested nor explained"
    assert named & skipped == set(), "explained away, and tested"


def test_explanations_are_of_known_venues() -> None:
    assert {venue for venue, _ in SKIPS} <= set(VENUES)
    assert len(CASES) == 49
