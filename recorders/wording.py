"""Settings as people read and type them: what a value is called, and the field that takes it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from django import forms

from recorders.setting_types import Target, TrimUnit, Unit
from recorders.settings import Settings, defaults

LABELS = {
    "percent": "% of the fill",
    "dollars": "$ per contract",
    "price": "at the price",
    "block_while_dca": "Block while adds are on",
    "re_enter": "Re-enter",
    "limit": "Limit at the alert's price",
}
LOWER = {"ticks", "points"}
SWITCH = [("true", "On"), ("false", "Off")]


def label_of(member: StrEnum) -> str:
    words = member.value.replace("_", " ")
    return LABELS.get(member.value, words if member.value in LOWER else words.capitalize())


def plain(number: Decimal | int) -> str:
    """Without trailing zeros."""
    return f"{number.normalize():f}" if isinstance(number, Decimal) else str(number)


def default_of(name: str) -> Any:
    """As a field prefills it."""
    value = Settings.model_fields[name].default
    return plain(value) if isinstance(value, Decimal) else value


def distance_words(distance: Decimal, unit: Unit) -> str:
    amount = plain(distance)
    return {
        Unit.TICKS: f"{amount} ticks",
        Unit.POINTS: f"{amount} points",
        Unit.PERCENT: f"{amount} %",
        Unit.DOLLARS: f"${amount}",
        Unit.PRICE: f"at {amount}",
    }[unit]


def target_words(target: Target) -> str:
    """`40 ticks (50 %)`; a target that takes all that is left says no size."""
    distance = distance_words(target.distance, target.unit)
    if target.trim is None:
        return distance
    size = plain(target.trim)
    return f"{distance} ({size} %)" if target.trim_unit is TrimUnit.PERCENT else f"{distance} ({size})"


def in_words(name: str, settings: Settings) -> str:
    """The value with its unit: `20 ticks`, `on`, `08:30 to 15:00`."""
    value = getattr(settings, name)
    special = {
        "targets": lambda: ", ".join(map(target_words, value)) or "none",
        "time_windows": lambda: ", ".join(f"{w.start:%H:%M} to {w.end:%H:%M}" for w in value) or "always",
        "stop_distance": lambda: distance_words(value, settings.stop_unit) if value > 0 else "none",
        "initial_position_size": lambda: str(value) if value > 0 else "the alert's own",
        "add_position_size": lambda: str(value) if value > 0 else "the alert's own",
    }
    if name in special:
        return special[name]()
    if isinstance(value, bool):
        return "on" if value else "off"
    return label_of(value) if isinstance(value, StrEnum) else _with_unit(name, value)


def _with_unit(name: str, value: Decimal | int) -> str:
    unit = str(Settings.model_fields[name].title).partition(", ")[2]
    return f"${plain(value)}" if unit == "$" else f"{plain(value)} {unit.removesuffix(' of the account')}".strip()


def sentence(text: str) -> str:
    """What a service says of a field, as a form shows it."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?")) else ".")


def changed_in_words(settings: Settings) -> dict[str, str]:
    """What is not as it is by default, by name."""
    usual, own = defaults(), settings.dump()
    return {name: in_words(name, settings) for name, value in own.items() if value != usual[name]}


def setting_field(name: str, inherited: Settings | None, held: Any) -> forms.Field:
    """A form's field for a setting that `held` is the value of; over `inherited` it may stay empty."""
    info = Settings.model_fields[name]
    kind: Any = info.annotation
    words = "" if inherited is None else in_words(name, inherited)
    given: dict[str, Any] = {"label": info.title, "help_text": info.description, "required": False}
    if kind is bool and inherited is None:
        return forms.BooleanField(**given, initial=bool(held))
    if kind is bool or issubclass(kind, StrEnum):
        members = [] if kind is bool else [m for m in kind if m is not Unit.PRICE or held == m]
        choices = [(m.value, label_of(m)) for m in members] or SWITCH
        given["help_text"] = _with_labels(str(info.description), choices)
        empty = [] if inherited is None else [("", f"inherits: {words}")]
        initial = "" if held is None else str(held).lower()
        return forms.ChoiceField(**given, choices=[*empty, *choices], initial=initial)
    limits = {"min_value": _limit(info.metadata, "ge"), "max_value": _limit(info.metadata, "le")}
    attrs = {"autocomplete": "off", "placeholder": f"inherits {words}" if inherited else str(default_of(name))}
    if kind is int:
        widget = forms.TextInput(attrs={**attrs, "inputmode": "numeric"})
        return forms.IntegerField(**given, **limits, widget=widget, initial=held)
    places = _limit(info.metadata, "decimal_places")
    widget = forms.TextInput(attrs={**attrs, "inputmode": "decimal"})
    amount = None if held is None else plain(Decimal(str(held)))
    return forms.DecimalField(**given, **limits, decimal_places=places, widget=widget, initial=amount)


def _with_labels(text: str, choices: list[tuple[str, str]]) -> str:
    """The catalogue explains each choice by its value; a page calls it as its list does."""
    for value, label in choices:
        text = text.replace(f"{value}:", f"{label}:")
    return text


def _limit(metadata: list[Any], name: str) -> Any:
    return next((getattr(item, name) for item in metadata if hasattr(item, name)), None)
