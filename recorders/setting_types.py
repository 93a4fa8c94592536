"""What settings are made of: units, choices, targets and windows, each with its limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST_CONTRACTS = 10_000
MOST_TICKS = 100_000
WHOLE = Decimal(100)


class Unit(StrEnum):
    """Of a distance from the fill: ticks, price points, percent of the fill, dollars per contract; or a price."""

    TICKS = "ticks"
    POINTS = "points"
    PERCENT = "percent"
    DOLLARS = "dollars"
    PRICE = "price"


class TrimUnit(StrEnum):
    PERCENT = "percent"
    CONTRACTS = "contracts"


class StopType(StrEnum):
    FIXED = "fixed"
    TRAILING = "trailing"


class EntryType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class SameDirection(StrEnum):
    """An entry signal on the side that is held: FOLLOW adds where the alert's own position grew, else ignores it."""

    FOLLOW = "follow"
    IGNORE = "ignore"
    ADD = "add"
    RE_ENTER = "re_enter"


class OppositeDirection(StrEnum):
    """An entry signal on the other side: BLOCK_WHILE_DCA leaves a position that grows by adds to its own exits."""

    REVERSE = "reverse"
    BLOCK_WHILE_DCA = "block_while_dca"
    IGNORE = "ignore"


class Directions(StrEnum):
    BOTH = "both"
    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"


class Part(BaseModel):
    """A value: never changed, nothing unknown in it. Its hash is kept: a plan asks for it thousands of times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(self.__dict__[name] for name in type(self).model_fields))

    def __hash__(self) -> int:
        return self._hash


def _not_a_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("had true or false, wants a number")  # noqa: TRY004 - pydantic's word for bad input
    return value


WholeNumber = Annotated[int, BeforeValidator(_not_a_flag)]
Contracts = Annotated[WholeNumber, Field(ge=0, le=MOST_CONTRACTS)]
Ticks = Annotated[WholeNumber, Field(ge=0, le=MOST_TICKS)]
Dollars = Annotated[Decimal, Field(ge=0, le=Decimal(100_000_000), decimal_places=2)]
Distance = Annotated[Decimal, Field(ge=0, le=Decimal(100_000_000), decimal_places=10)]
Percent = Annotated[Decimal, Field(ge=0, le=WHOLE, decimal_places=4)]


class Target(Part):
    """One take-profit: how far, and how much of the position it closes. `trim` None takes all that is left."""

    distance: Distance
    unit: Unit = Unit.TICKS
    trim: Annotated[Decimal, Field(gt=0, le=MOST_CONTRACTS, decimal_places=4)] | None = None
    trim_unit: TrimUnit = TrimUnit.PERCENT

    @model_validator(mode="before")
    @classmethod
    def _read_legacy_keys(cls, raw: Any) -> Any:
        """`{"ticks": 40}` and `{"value": 40}` are how the predecessor wrote a distance."""
        if not isinstance(raw, Mapping) or "distance" in raw:
            return raw
        rest = {key: value for key, value in raw.items() if key not in {"ticks", "value"}}
        if "ticks" in raw:
            return {**rest, "distance": raw["ticks"], "unit": Unit.TICKS}
        return {**rest, "distance": raw["value"]} if "value" in raw else raw

    @model_validator(mode="after")
    def _at_most_the_whole(self) -> Target:
        if self.trim is not None and self.trim_unit is TrimUnit.PERCENT and self.trim > WHOLE:
            raise ValueError(f"trim: had {self.trim} percent, limit 100")
        if self.trim is not None and self.trim_unit is TrimUnit.CONTRACTS and self.trim != int(self.trim):
            raise ValueError(f"trim: had {self.trim}, wants whole contracts")
        return self


def _wall_clock(value: Any) -> Any:
    """`8:45 AM`, `08:45` and `8:45` as a time of day."""
    if not isinstance(value, str):
        return value
    text = value.strip().upper()
    digits = text.removesuffix("AM").removesuffix("PM").strip()
    hour, _, rest = digits.partition(":")
    if digits == text or not hour.isdigit():
        return f"{hour.zfill(2)}:{rest}" if hour.isdigit() and rest else value
    afternoon = 12 if text.endswith("PM") else 0
    return f"{int(hour) % 12 + afternoon:02d}:{rest or '00'}" if 1 <= int(hour) <= 12 else value  # noqa: PLR2004


def _without_offset(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("had an offset from UTC, wants a time of day such as 08:45")
    return value


WallClock = Annotated[time, BeforeValidator(_wall_clock), AfterValidator(_without_offset)]


class TimeWindow(Part):
    """When entries may be taken, in the owner's time zone; an end before the start is on the next day."""

    start: WallClock
    end: WallClock

    @model_validator(mode="after")
    def _spans_something(self) -> TimeWindow:
        if self.start == self.end:
            raise ValueError("end: is the same as start")
        return self
