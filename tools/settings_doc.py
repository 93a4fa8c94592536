"""Write docs/SETTINGS.md from the catalogue of settings and the order of the gates.

Usage: .venv/bin/python -m tools.settings_doc
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from recorders.settings import FIELDS, Settings
from tools.settings_text import ALERT_FIELDS, GATE_TEXTS, GROUPS, PREDECESSOR, TEMPLATE
from traders.gates import GATES

TARGET = Path(__file__).resolve().parent.parent / "docs" / "SETTINGS.md"


def main() -> None:
    TARGET.write_text(document())
    print(f"{TARGET.name}: {len(FIELDS)} settings, {len(GATES)} gates")


def document() -> str:
    return TEMPLATE.format(
        groups="\n".join(_groups()),
        gates=_table(("", "gate", "setting", "asks", "counts"), _gates()),
        alert_fields=_table(("an alert's field", "sets", "meaning"), _alert_fields()),
        predecessor=_table(("there", "here", "difference"), PREDECESSOR),
    )


def _groups() -> Iterator[str]:
    """Raises ValueError unless every setting is in exactly one group."""
    grouped = [name for units in GROUPS.values() for name in units]
    if sorted(grouped) != sorted(FIELDS):
        raise ValueError(f"not in exactly one group: {set(grouped) ^ set(FIELDS) or 'one is in two'}")
    for group, units in GROUPS.items():
        rows = [_setting(name, unit) for name, unit in units.items()]
        yield f"### {group}\n"
        yield _table(("name", "type and unit", "default", "meaning"), rows)


def _setting(name: str, unit: str) -> tuple[str, ...]:
    info = Settings.model_fields[name]
    return f"`{name}`", _type(info, unit), f"`{_default(info)}`", f"{info.title}. {info.description}"


def _type(info: FieldInfo, unit: str) -> str:
    kind: Any = info.annotation
    bounds = {key: getattr(item, key) for item in info.metadata for key in ("ge", "le", "max_length", "decimal_places")
              if hasattr(item, key)}  # fmt: skip
    if kind is bool:
        return "yes or no"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{item.value}`" for item in kind)
    if "max_length" in bounds:
        return f"{unit}, at most {bounds['max_length']}"
    places = f", {bounds['decimal_places']} decimals" if kind is Decimal else ""
    return f"{unit}, {bounds['ge']:,} to {bounds['le']:,}{places}"


def _default(info: FieldInfo) -> str:
    texts = {True: "yes", False: "no", (): "none"}
    is_plain_number = isinstance(info.default, int | Decimal) and not isinstance(info.default, bool)
    return str(info.default) if is_plain_number else texts.get(info.default, str(info.default))


def _gates() -> Iterator[tuple[str, ...]]:
    """A gate without a text is a KeyError: the table is the order, and says all of it."""
    yield "0", "position rule", "`signal_blocking`", "is anything held?", "the position, with what is under way"
    for number, gate in enumerate(GATES, 1):
        yield (str(number), *GATE_TEXTS[gate.__name__])


def _alert_fields() -> Iterator[tuple[str, ...]]:
    for names, settings, meaning in ALERT_FIELDS:
        yield ", ".join(f"`{name}`" for name in names), ", ".join(f"`{name}`" for name in settings), meaning


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
