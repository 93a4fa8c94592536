"""docs/SETTINGS.md says what the code does: it is made from it, and what is written by hand is tried here."""

from __future__ import annotations

import pytest

from recorders.dialects import overrides
from recorders.settings import FIELDS
from tools import settings_doc
from tools.settings_text import ALERT_FIELDS, GATE_TEXTS
from traders.gates import GATES

VALUES = {"same_direction_ignore": "true", "ignore_same_direction": "true", "no_duplicate": "true",
          "duplicate_position_allow": "false"}  # fmt: skip


def test_the_document_is_up_to_date() -> None:
    assert settings_doc.TARGET.read_text() == settings_doc.document(), "run .venv/bin/python -m tools.settings_doc"


def test_every_setting_has_a_row_and_every_gate_a_text() -> None:
    text = settings_doc.document()
    assert [name for name in FIELDS if text.count(f"\n| `{name}` |") != 1] == []
    assert list(GATE_TEXTS) == [gate.__name__ for gate in GATES]


@pytest.mark.parametrize(
    ("name", "settings"), [(name, settings) for names, settings, _ in ALERT_FIELDS for name in names]
)
def test_an_alert_may_override_by_these_names(name: str, settings: tuple[str, ...]) -> None:
    assert tuple(overrides.read({name: VALUES.get(name, "5")})) == settings
