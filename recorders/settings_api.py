"""The settings as flat fields of the API: their types, bounds, labels and help are those of `recorders.settings`.

A recorder states every setting. A trader's override may be null, which is inherited. What contradicts is refused by
the services; the fields here refuse what is not of their type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from pydantic.fields import FieldInfo
from rest_framework import serializers

from justtrades.api import PlainDecimalField, StrictSerializer
from recorders.setting_types import MOST_CONTRACTS, MOST_TICKS, Target, TrimUnit, Unit
from recorders.settings import Settings

Field = serializers.Field[Any, Any, Any, Any]
UNITS = [unit.value for unit in Unit]
"""For the name of this choice in the schema: two fields have it."""
_BOUNDS = ("ge", "le", "max_length", "decimal_places")


class FlagField(serializers.BooleanField):
    """true or false; not the words and numbers that DRF also takes for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class AmountField(PlainDecimalField):
    """A decimal that is also kept without the zeros that were typed after it: equal settings are equal texts."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """DRF would take empty text for null, and so for "inherit"."""
        if isinstance(data, str) and not data.strip():
            self.fail("invalid")
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data) + 0  # -0 becomes 0
        return Decimal(f"{value.normalize():f}")


def setting_field(info: FieldInfo, **common: Any) -> Field:
    """The API's field for one field of the catalogue; `common` is what DRF takes for every field."""
    kind: Any = info.annotation
    bounds = {name: getattr(item, name) for item in info.metadata for name in _BOUNDS if hasattr(item, name)}
    common = {"label": info.title, "help_text": info.description, **common}
    if kind is bool:
        return FlagField(**common)
    if kind is int:
        return serializers.IntegerField(min_value=bounds["ge"], max_value=bounds["le"], **common)
    if kind is Decimal:
        return _amount_field(bounds["le"], bounds["decimal_places"], min_value=bounds["ge"], **common)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return serializers.ChoiceField(choices=[item.value for item in kind], **common)
    return serializers.ListField(child=_LISTS[kind](), max_length=bounds["max_length"], **common)


def _amount_field(most: Decimal, decimal_places: int, **common: Any) -> AmountField:
    """Exponents far out, such as 1e999999, are refused by their number of digits before anything computes with them."""
    digits = len(str(int(most))) + decimal_places
    return AmountField(max_digits=digits, decimal_places=decimal_places, max_value=most, **common)


class TargetSerializer(StrictSerializer):
    """One take-profit. `ticks` and `value` are other names of `distance`, which is what reads back."""

    distance = setting_field(
        Target.model_fields["distance"], required=False, help_text="How far from the fill, in `unit`; 0 places none."
    )
    ticks = setting_field(
        Target.model_fields["distance"], required=False, write_only=True, help_text="The distance, in ticks."
    )
    value = setting_field(
        Target.model_fields["distance"], required=False, write_only=True, help_text="The distance, in `unit`."
    )
    unit = setting_field(Target.model_fields["unit"], required=False, help_text="Left out: ticks.")
    trim = _amount_field(
        Decimal(MOST_CONTRACTS),
        4,
        required=False,
        allow_null=True,
        help_text="How much of the position it closes, in `trim_unit`; null: all that is left.",
    )
    trim_unit = setting_field(Target.model_fields["trim_unit"], required=False, help_text="Left out: percent.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in ("distance", "ticks", "value") if name in attrs]
        if len(names) != 1:
            raise serializers.ValidationError({"distance": [f"Had {' and '.join(names) or 'none'}, wants it once."]})
        unit = attrs.get("unit", Unit.TICKS)
        if names == ["ticks"] and unit != Unit.TICKS:
            raise serializers.ValidationError({"unit": [f"Had {unit} for a distance that is given as ticks."]})
        return {
            "distance": attrs[names[0]],
            "unit": unit,
            "trim": attrs.get("trim"),
            "trim_unit": attrs.get("trim_unit", TrimUnit.PERCENT),
        }


class WallClockField(serializers.TimeField):
    """A time of day in the owner's time zone: 08:45, 8:45 AM or 13:45:30."""

    def __init__(self, **kwargs: Any) -> None:
        formats = ["%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p"]
        super().__init__(**{"input_formats": formats, **kwargs})


class TimeWindowSerializer(StrictSerializer):
    """The end is not part of it; an end before the start is on the next day."""

    start = WallClockField(help_text="In the owner's time zone, such as 08:45 or 8:45 AM.")
    end = WallClockField(help_text="In the owner's time zone; before the start: on the next day.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # Within a PATCH, DRF requires no field, not even of a row in a list.
        missing = {name: ["This field is required."] for name in ("start", "end") if name not in attrs}
        if missing:
            raise serializers.ValidationError(missing)
        return attrs


_LISTS: dict[Any, type[StrictSerializer]] = {
    Settings.model_fields["targets"].annotation: TargetSerializer,
    Settings.model_fields["time_windows"].annotation: TimeWindowSerializer,
}


@dataclass(frozen=True, slots=True)
class Shorthand:
    """One number for settings that together say more. `read` gives None where they say what it cannot.

    `read` takes the settings as the API shows them, `write` gives them as the API takes them.
    """

    stands_for: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], int | None]
    write: Callable[[int | None], dict[str, Any]]
    help_text: str


def _read_target(shown: Mapping[str, Any]) -> int | None:
    if shown.get("targets") is None:
        return None
    placed = [target for target in shown["targets"] if target["distance"] != "0"]
    if not placed:
        return 0
    only = placed[0]
    takes_all = only["trim"] is None or (only["trim"], only["trim_unit"]) == ("100", TrimUnit.PERCENT)
    is_plain = len(placed) == 1 and takes_all and only["unit"] == Unit.TICKS and only["distance"].isdigit()
    return int(only["distance"]) if is_plain else None


def _write_target(ticks: int | None) -> dict[str, Any]:
    if ticks is None:
        return {"targets": None}
    return {"targets": [{"distance": Decimal(ticks), "unit": Unit.TICKS}] if ticks > 0 else []}


def _read_stop(shown: Mapping[str, Any]) -> int | None:
    distance: Any = shown.get("stop_distance")
    is_plain = distance is not None and shown.get("stop_unit") == Unit.TICKS and distance.isdigit()
    return int(distance) if is_plain else None


def _write_stop(ticks: int | None) -> dict[str, Any]:
    if ticks is None:
        return {"stop_distance": None, "stop_unit": None}
    return {"stop_distance": Decimal(ticks), "stop_unit": Unit.TICKS}


SHORTHANDS: dict[str, Shorthand] = {
    "target_ticks": Shorthand(
        ("targets",),
        _read_target,
        _write_target,
        "Short for `targets`: one for the whole position, in ticks; 0 places none. Reads null where `targets` differ.",
    ),
    "stop_ticks": Shorthand(
        ("stop_distance", "stop_unit"),
        _read_stop,
        _write_stop,
        "Short for `stop_distance` in ticks; 0 places none. Reads null where the unit is another one.",
    ),
}


class FlatSettings(StrictSerializer):
    """A serializer whose fields are the settings, beside its own. They validate into one mapping, `settings_source`.

    Of the instance, the attribute of that name is read: an object or a mapping with a value for each setting.
    """

    settings_source: ClassVar[str] = "settings"
    is_override: ClassVar[bool] = False

    def get_fields(self) -> dict[str, Field]:
        return {**super().get_fields(), **self._setting_fields(), **self._shorthand_fields()}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, **{name: shorthand.read(shown) for name, shorthand in SHORTHANDS.items()}}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        stated = values.pop(self.settings_source, {})
        for name in SHORTHANDS:
            if name in values:
                stated = {**stated, **self._spelled_out(name, values.pop(name), data, stated)}
        return {**values, self.settings_source: stated} if stated else values

    def _setting_fields(self) -> dict[str, Field]:
        fields = {}
        for name, info in Settings.model_fields.items():
            absent: dict[str, Any] = {"required": False, "allow_null": True}
            common = absent if self.is_override else {"default": info.default}
            fields[name] = setting_field(info, source=f"{self.settings_source}.{name}", **common)
        return fields

    def _shorthand_fields(self) -> dict[str, Field]:
        # No instance has such an attribute, so each reads None until `to_representation` puts its value there.
        return {
            name: serializers.IntegerField(
                min_value=0, max_value=MOST_TICKS, required=False, allow_null=True, help_text=shorthand.help_text
            )
            for name, shorthand in SHORTHANDS.items()
        }

    def _spelled_out(
        self, name: str, ticks: int | None, data: Mapping[str, Any], stated: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the shorthand `name` says in settings. Beside their long form it must say the same or null.

        So what was read can be sent back as it is.
        """
        shorthand = SHORTHANDS[name]
        spelled = [long for long in shorthand.stands_for if long in data]
        if not spelled:
            if ticks is None and not self.is_override:
                raise serializers.ValidationError({name: ["This field may not be null."]})
            return shorthand.write(ticks)
        shown = {long: self._shown(long, stated[long]) for long in spelled}
        if ticks is not None and ticks != shorthand.read(shown):
            raise serializers.ValidationError({name: [f"Contradicts {' and '.join(spelled)}: give one of them."]})
        return {}

    def _shown(self, name: str, value: Any) -> Any:
        return None if value is None else self.fields[name].to_representation(value)
