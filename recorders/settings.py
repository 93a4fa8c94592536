"""Every setting of a recorder that a trader or an alert may override: name, type, unit, default, meaning. Pure.

0 means 0 (no target, no limit, the alert's own quantity), never "not given": what is not given is absent from an
override and inherited when the signal comes. Money is dollars, sizes are whole contracts, times are seconds or minutes
as the name says. `docs/SETTINGS.md` is written from this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from recorders.setting_types import (
    WHOLE,
    Contracts,
    Directions,
    Distance,
    Dollars,
    EntryType,
    OppositeDirection,
    Part,
    Percent,
    SameDirection,
    StopType,
    Target,
    Ticks,
    TimeWindow,
    TrimUnit,
    Unit,
    WholeNumber,
)


class Settings(Part):
    """The template of a recorder. `title` is the label, `description` the meaning with its unit."""

    initial_position_size: Contracts = Field(
        1, title="Contracts per entry", description="Contracts of a fresh entry; 0 uses the alert's own quantity."
    )
    add_position_size: Contracts = Field(
        1, title="Contracts per add", description="Contracts of an add; 0 uses what the alert adds."
    )
    at_least_one: bool = Field(
        default=False,
        title="At least one contract",
        description="A size that comes to less than one contract is one. Off: it is none, and says so.",
    )
    risk_dollars: Dollars = Field(
        Decimal(0), title="Risk, $", description="Dollars lost at the stop; sets the size. 0 is off. Needs a stop."
    )
    risk_percent: Percent = Field(
        Decimal(0),
        title="Risk, % of the account",
        description="Percent of the account's cash lost at the stop; sets the size. 0 is off. Needs a stop.",
    )
    equity_percent: Annotated[Decimal, Field(ge=0, le=Decimal(100_000), decimal_places=4)] = Field(
        Decimal(0),
        title="Size, % of the account",
        description="Contract value as percent of the account's cash; sets the size. 0 is off.",
    )
    max_contracts_per_trade: Contracts = Field(
        0, title="Most contracts per order", description="An entry or add for more is cut to it; 0 is no limit."
    )
    max_contracts_per_position: Contracts = Field(
        0, title="Most contracts held", description="The position is cut to it; 0 is no limit."
    )
    max_open_positions: Contracts = Field(
        0,
        title="Most open positions",
        description="No fresh entry while the account has so many contracts open; 0 is no limit.",
    )
    targets: tuple[Target, ...] = Field(
        (), max_length=20, title="Targets", description="Take-profits, nearest first; a distance of 0 places none."
    )
    stop_distance: Distance = Field(
        Decimal(0), title="Stop", description="Distance from the fill in the stop's unit; 0 places no stop."
    )
    stop_unit: Unit = Field(
        Unit.TICKS, title="Stop unit", description="Ticks, price points, percent of the fill, or dollars per contract."
    )
    stop_type: StopType = Field(
        StopType.FIXED, title="Stop type", description="A trailing stop follows the best price at the stop's distance."
    )
    trail_trigger_ticks: Ticks = Field(
        0, title="Trail after, ticks", description="Ticks of profit before a trailing stop starts; 0: at once."
    )
    trail_step_ticks: Ticks = Field(
        0, title="Trail step, ticks", description="Ticks by which a trailing stop moves; 0: with every tick."
    )
    break_even_ticks: Ticks = Field(
        0, title="Break even after, ticks", description="Ticks of profit that move the stop to the entry; 0 is off."
    )
    break_even_offset_ticks: Ticks = Field(
        0, title="Break even plus, ticks", description="Ticks beyond the entry at which it then rests."
    )
    entry_type: EntryType = Field(
        EntryType.MARKET, title="Entry order", description="Market, or a limit at the alert's price."
    )
    limit_offset_ticks: Ticks = Field(
        0, title="Limit offset, ticks", description="How much better than the alert's price a limit entry asks."
    )
    limit_timeout_s: Annotated[WholeNumber, Field(ge=1, le=86_400)] = Field(
        60, title="Limit time-out, seconds", description="A limit entry that has not filled by then is canceled."
    )
    same_direction: SameDirection = Field(
        SameDirection.FOLLOW,
        title="Signal on the side that is held",
        description="follow: adds when the alert's position grew, ignores a bare repeat. add: always adds (DCA). "
        "ignore: never. re_enter: closes and enters anew.",
    )
    opposite_direction: OppositeDirection = Field(
        OppositeDirection.REVERSE,
        title="Signal on the other side",
        description="reverse: closes and enters the other way. block_while_dca: nothing while adds are on. ignore: "
        "nothing.",
    )
    inverse_signals: bool = Field(default=False, title="Inverse", description="Buys are sells, and sells are buys.")
    direction_filter: Directions = Field(
        Directions.BOTH, title="Directions", description="Entries on the other side are not taken; exits always pass."
    )
    signal_blocking: bool = Field(
        default=False, title="One position at a time", description="No entry signal counts while a position is open."
    )
    signal_cooldown_s: Annotated[WholeNumber, Field(ge=0, le=86_400)] = Field(
        0, title="Cool-down, seconds", description="Seconds after an entry in which no other one is taken; 0 is off."
    )
    max_signals_per_session: Annotated[WholeNumber, Field(ge=0, le=10_000)] = Field(
        0, title="Most entries per session", description="Entries from 17:00 to 17:00 Chicago time; 0 is no limit."
    )
    every_nth_signal: Annotated[WholeNumber, Field(ge=1, le=1_000)] = Field(
        1, title="Every Nth signal", description="Takes one entry signal of so many; 1 takes each."
    )
    entry_delay_s: Annotated[WholeNumber, Field(ge=0, le=25)] = Field(
        0, title="Delay, seconds", description="Seconds that an entry waits before it is sent; its 30 s still count."
    )
    min_option_premium: Dollars = Field(
        Decimal(0), title="Least premium, $", description="Entries whose alert states a lower premium are not taken."
    )
    max_daily_loss: Dollars = Field(
        Decimal(0),
        title="Most loss per session, $",
        description="No entry once what it won in its account's session, after fees and with what is open, is this far "
        "below zero; 0 is off.",
    )
    time_windows: tuple[TimeWindow, ...] = Field(
        (), max_length=5, title="Time windows", description="Entries outside all of them are not taken; none: always."
    )
    auto_flat_after_cutoff: bool = Field(
        default=False, title="Flat at the cut-off", description="Closes the position when its last window ends."
    )

    @model_validator(mode="after")
    def _targets_share_one_position(self) -> Settings:
        percents = [t.trim for t in self.targets if t.trim is not None and t.trim_unit is TrimUnit.PERCENT]
        if sum(percents, Decimal(0)) > WHOLE:
            raise ValueError(f"targets: trims sum to {sum(percents)} percent, limit 100")
        if self.auto_flat_after_cutoff and not self.time_windows:
            raise ValueError("auto_flat_after_cutoff: needs a time window whose end is the cut-off")
        return self

    def dump(self) -> dict[str, Any]:
        """Every field as a JSON value; decimals are text."""
        return self.model_dump(mode="json")


FIELDS: tuple[str, ...] = tuple(Settings.model_fields)
_DEFAULTS = Settings()


class BadSettings(ValueError):
    """`errors` has a sentence or more for each field that cannot be taken."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()))
        self.errors = dict(errors)


def read_settings(given: Mapping[str, Any]) -> Settings:
    """`given` over the defaults. Raises `BadSettings` naming each field."""
    try:
        return Settings.model_validate(dict(given))
    except ValidationError as error:
        raise BadSettings(_by_field(error, given)) from None


def read_overrides(given: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides that are set, as JSON values; None is not set. Raises `BadSettings` naming each field."""
    stated = {name: value for name, value in given.items() if value is not None}
    checked = read_settings({**_permissive(stated), **stated}).dump()
    return {name: checked[name] for name in FIELDS if name in stated}


def _permissive(stated: Mapping[str, Any]) -> dict[str, Any]:
    """What an override may rely on from the recorder: a cut-off's window need not be overridden with it."""
    return {"time_windows": [{"start": "00:00", "end": "23:59"}]} if stated.get("auto_flat_after_cutoff") else {}


_SIZED_BY = ("risk_dollars", "risk_percent", "equity_percent")


def merge(recorder: Settings, layers: Iterable[Mapping[str, Any]]) -> Settings:
    """`recorder` under each layer of overrides, the last one on top. Raises `BadSettings`.

    A layer that sizes entries in one way, fixed, by risk or by equity, switches off the ways of the layers below it.
    """
    merged: dict[str, Any] = recorder.dump()
    for layer in layers:
        if "initial_position_size" in layer or any(_is_on(layer.get(name)) for name in _SIZED_BY):
            merged.update(dict.fromkeys(_SIZED_BY, "0"))
        merged.update(layer)
    return read_settings(merged)


def _is_on(value: Any) -> bool:
    """Whether a way of sizing is switched on: "0" and 0 are off, and what is no number is not judged here."""
    try:
        return value is not None and Decimal(str(value)) != 0
    except InvalidOperation:
        return True


@lru_cache(maxsize=1)
def defaults() -> dict[str, Any]:
    return _DEFAULTS.dump()


def _by_field(error: ValidationError, given: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in error.errors(include_url=False, include_context=False):
        path = [str(part) for part in item["loc"]]
        text = item["msg"].removeprefix("Value error, ")
        name, _, rest = text.partition(": ")
        if not path and name in FIELDS:
            path, text = [name], rest
        inside = f"{'.'.join(path[1:])}: " if len(path) > 1 else ""
        is_unknown = item["type"] == "extra_forbidden"
        had = given.get(path[0]) if len(path) == 1 and not is_unknown else None
        text = "There is no such field." if is_unknown else text
        suffix = f", had {had!r}" if isinstance(had, str | int | float | Decimal) else ""
        found.setdefault(path[0] if path else "settings", []).append(f"{inside}{text}{suffix}")
    return found
