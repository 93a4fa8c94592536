"""How a prop firm's rules are written down, and reading the files. Pure.

One file is one version of one pack, `risk/rulepacks/<pack>.v<version>.json`. A firm changed its rules: a new version
beside the old one, which stays for the accounts under it. Money is dollars, and every rule may be absent.
"""

from __future__ import annotations

import json
import re
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, model_validator

from recorders.setting_types import Part, WholeNumber
from risk.news import Release

FOLDER = Path(__file__).with_name("rulepacks")
MOST_MINUTES = 120
_FILE_NAME = re.compile(r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)\.v(?P<version>[1-9][0-9]{0,3})\.json")
_LONGEST_NAME = 64
_RULES = frozenset(
    {"static_drawdown", "trailing_drawdown", "daily_loss", "profit_target"}
    | {"consistency_percent", "scaling", "flat_by", "news"}
)


class BadPack(ValueError):
    """A file of rules that cannot be used; the message names the file and the field."""


class Basis(StrEnum):
    """Which figure counts: the one of this moment, open positions included, or the one at the end of the last day."""

    INTRADAY = "intraday"
    END_OF_DAY = "end_of_day"


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"

    @property
    def number(self) -> int:
        """As `date.weekday` counts."""
        return tuple(Weekday).index(self)


WEEK = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone") from error
    return name


Words = Annotated[str, Field(min_length=1, max_length=120)]
Money = Annotated[Decimal, Field(gt=0, le=Decimal(100_000_000), decimal_places=2)]
Profit = Annotated[Decimal, Field(ge=0, le=Decimal(100_000_000), decimal_places=2)]
Minutes = Annotated[WholeNumber, Field(ge=0, le=MOST_MINUTES)]


class StaticDrawdown(Part):
    """The account's worth stays above the start balance less `amount`, for good."""

    amount: Money


class TrailingDrawdown(Part):
    """The floor is `amount` under the best worth so far, by `basis`.

    It stops rising at the start balance plus `stops_at_plus`; None: it never does.
    """

    amount: Money
    basis: Basis
    stops_at_plus: Profit | None = None


class Step(Part):
    """From this profit on, at most so many contracts in minis; a micro counts a tenth."""

    from_profit: Profit
    minis: Annotated[WholeNumber, Field(gt=0, le=1000)]


class Scaling(Part):
    """The most contracts held at once, over all products, by the profit so far."""

    basis: Basis
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _upward_from_zero(self) -> Scaling:
        profits = [step.from_profit for step in self.steps]
        if profits[0] != 0 or profits != sorted(set(profits)):
            raise ValueError("steps: want the first from a profit of 0 and each next one from a higher one")
        return self


class FlatBy(Part):
    """Flat at this wall clock on these days, and no entry from then until the exchange opens again.

    On a day on which the exchange closes earlier, at its close.
    """

    at: time
    zone: Annotated[str, AfterValidator(_known_zone)]
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEK

    @model_validator(mode="after")
    def _on_a_bare_wall_clock(self) -> FlatBy:
        if self.at.tzinfo is not None:
            raise ValueError("at: wants a bare wall clock, the zone has its own field")
        return self


class NewsWindow(Part):
    """No entry from `minutes_before` to `minutes_after` these releases, both ends included."""

    minutes_before: Minutes
    minutes_after: Minutes
    releases: Annotated[tuple[Release, ...], Field(min_length=1)]


class Pack(Part):
    """One version of a firm's rules for one kind of account. `source` is where the firm states them."""

    name: str
    version: int
    firm: Words
    label: Words
    account_size: Money
    source: Annotated[str, Field(pattern="^https://", max_length=300)]
    checked_on: date
    note: Annotated[str, Field(max_length=600)] = ""
    static_drawdown: StaticDrawdown | None = None
    trailing_drawdown: TrailingDrawdown | None = None
    daily_loss: Money | None = None
    profit_target: Money | None = None
    consistency_percent: Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)] | None = None
    scaling: Scaling | None = None
    flat_by: FlatBy | None = None
    news: NewsWindow | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Pack:
        if all(getattr(self, rule) is None for rule in _RULES):
            raise ValueError("has none of the rules " + ", ".join(sorted(_RULES)))
        for rule in ("static_drawdown", "trailing_drawdown"):
            drawdown = getattr(self, rule)
            if drawdown is not None and drawdown.amount >= self.account_size:
                raise ValueError(f"{rule}.amount: had {drawdown.amount}, limit the account's {self.account_size}")
        return self

    @property
    def title(self) -> str:
        """For the owner: whose rules, for which account."""
        return f"{self.firm} {self.label}"


def read_folder(folder: Path) -> dict[tuple[str, int], Pack]:
    """Every pack of the folder by name and version. Raises `BadPack`."""
    packs = [read_file(path) for path in sorted(folder.glob("*.json"))]
    return {(pack.name, pack.version): pack for pack in packs}


def read_file(path: Path) -> Pack:
    """Raises `BadPack` naming the file, and the field where it is one."""
    named = _FILE_NAME.fullmatch(path.name)
    if named is None or len(named["name"]) > _LONGEST_NAME:
        raise BadPack(f"{path.name}: is not called <pack>.v<version>.json in small letters, digits and dashes")
    try:
        fields = json.loads(path.read_text(), parse_float=Decimal)
    except ValueError as error:
        raise BadPack(f"{path.name}: is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadPack(f"{path.name}: is no JSON object")
    return _pack(path.name, named, fields)


def _pack(file: str, named: re.Match[str], fields: dict[str, Any]) -> Pack:
    own = sorted(fields.keys() & {"name", "version"})
    if own:
        raise BadPack(f"{file}: {own[0]}: the file's name says it")
    try:
        return Pack.model_validate({**fields, "name": named["name"], "version": int(named["version"])})
    except ValidationError as error:
        raise BadPack("; ".join(f"{file}: {_told(one)}" for one in error.errors())) from error


def _told(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
