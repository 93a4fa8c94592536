"""Venue behaviours on which sources disagree, or which a test wants to choose: how they are declared and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from brokers.sandbox.errors import BadFieldError

_HIGHEST = 1_000_000


@dataclass(slots=True)
class SwitchSet:
    """A venue's switches are the fields of a subclass. ``delay_ms`` is added before every request is processed."""

    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    POSITIVE: ClassVar[frozenset[str]] = frozenset()

    delay_ms: float = 0.0
    session: str = "always_open"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, wanted: dict[str, Any]) -> None:
        """All or nothing. Raises BadFieldError for an unknown switch or a value it cannot take."""
        known = {field.name for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise BadFieldError(name, f"no such switch; known: {', '.join(sorted(known))}")
            self._check(name, value, type(getattr(self, name)))
        for name, value in wanted.items():
            setattr(self, name, type(getattr(self, name))(value))

    def _check(self, name: str, value: object, kind: type) -> None:
        if kind is bool and not isinstance(value, bool):
            raise BadFieldError(name, f"was {value!r}, must be true or false")
        choices = {"session": ("always_open", "closed"), **self.CHOICES}.get(name)
        if choices is not None:
            if value not in choices:
                raise BadFieldError(name, f"was {value!r}, must be one of {', '.join(choices)}")
            return
        if kind in (int, float):
            _check_number(name, value, kind, lowest=1 if name in self.POSITIVE else 0)


def _check_number(name: str, value: object, kind: type, lowest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind is int and not isinstance(value, int)):
        raise BadFieldError(name, f"was {value!r}, must be a number")
    if not lowest <= value <= _HIGHEST:
        raise BadFieldError(name, f"was {value!r}, must be between {lowest} and {_HIGHEST}")
