"""A follower's stored explanation, read for people: gates, settings with their sources, size and plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst

from recorders.settings import FIELDS, BadSettings, Settings, defaults, read_settings
from recorders.wording import in_words
from traders.models import Trader
from traders.settings import RECORDER, Route

GATE_CODES = (
    "DIRECTION_FILTER", "TIME_WINDOW", "COOLDOWN", "MAX_SIGNALS", "DAILY_LOSS", "MAX_OPEN_POSITIONS",
    "OPTION_PREMIUM", "EVERY_NTH",
)  # fmt: skip
"""The gates of `traders.gates` in the order in which they are asked."""
ROUTE_FIELDS = ("multiplier", "max_contracts", "custom_ticker", "convert_size")
NOTHING = {"max_contracts": "no cap", "custom_ticker": "the signal's own"}
LIMITS = {
    "max_contracts": "the account's own cap",
    "max_contracts_per_trade": "Most contracts per order",
    "max_contracts_per_position": "Most contracts held",
}


@dataclass(frozen=True, slots=True)
class GateRow:
    """`state` is `passed`, `denied`, `off` (nothing switches it on) or `not_reached` (an earlier one denied)."""

    code: str
    state: str
    had: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """`source` is `recorder`, `trader` or `alert`; `text` is the value as people write it."""

    name: str
    title: str
    description: str
    value: Any
    text: str
    source: str
    is_default: bool

    @property
    def is_own(self) -> bool:
        return self.source != RECORDER


@dataclass(frozen=True, slots=True)
class Explained:
    """`act` is what the follower set out to do, `held` its signed contracts before, with what was under way."""

    act: str
    held: int
    contract: str
    conversion: str
    cash: str | None
    gates: list[GateRow] = field(default_factory=list)
    settings: list[SettingRow] = field(default_factory=list)
    size: dict[str, Any] | None = None
    plan: list[dict[str, Any]] = field(default_factory=list)
    declined: dict[str, str] | None = None

    @property
    def own_settings(self) -> list[SettingRow]:
        """What the trader or the alert put in place of the recorder's."""
        return [row for row in self.settings if row.is_own and not row.is_default]

    @property
    def recorder_settings(self) -> list[SettingRow]:
        return [row for row in self.settings if not row.is_own and not row.is_default]

    @property
    def untouched_settings(self) -> list[SettingRow]:
        return [row for row in self.settings if row.is_default]

    @property
    def was_asked(self) -> bool:
        """Whether any gate had a say: exits and what is ignored never come to them."""
        return any(row.state in {"passed", "denied"} for row in self.gates)

    @property
    def limit_text(self) -> str:
        """Which limit cut the size; "" where none did."""
        limit = "" if self.size is None else str(self.size["limit"])
        return LIMITS.get(limit, limit)


def explained(document: Mapping[str, Any]) -> Explained:
    """The document of `execution.explain`; what an older one does not have is left empty."""
    return Explained(
        act=document.get("act", ""),
        held=document.get("held", 0),
        contract=document.get("contract", ""),
        conversion=document.get("conversion", "1"),
        cash=document.get("cash"),
        gates=gate_rows(document.get("gates", [])),
        settings=setting_rows(document.get("settings", {})),
        size=document.get("size"),
        plan=document.get("plan", []),
        declined=document.get("declined"),
    )


def gate_rows(verdicts: list[Mapping[str, Any]]) -> list[GateRow]:
    """Every gate in order: those that were asked with their verdicts, the rest with why they were not."""
    given = {verdict["code"]: verdict for verdict in verdicts}
    rows: list[GateRow] = []
    is_denied = False
    for code in (*GATE_CODES, *(code for code in given if code not in GATE_CODES)):
        verdict = given.get(code)
        if verdict is None:
            rows.append(GateRow(code, "not_reached" if is_denied else "off"))
            continue
        is_denied = not verdict["passes"]
        rows.append(GateRow(code, "denied" if is_denied else "passed", verdict["had"], verdict["limit"]))
    return rows


def setting_rows(stored: Mapping[str, Mapping[str, Any]]) -> list[SettingRow]:
    """In the order of the settings, the account's own ones last."""
    values = {name: stored[name]["value"] for name in FIELDS if name in stored}
    texts = _texts(values)
    usual = defaults()
    rows = [
        SettingRow(
            name=name,
            title=str(Settings.model_fields[name].title),
            description=str(Settings.model_fields[name].description),
            value=value,
            text=texts[name],
            source=stored[name]["source"],
            is_default=value == usual[name] and stored[name]["source"] == RECORDER,
        )
        for name, value in values.items()
    ]
    return rows + [_route_row(name, stored[name]) for name in ROUTE_FIELDS if name in stored]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """In words; as they are stored where today's settings would no longer take them."""
    try:
        settings = read_settings(values)
    except BadSettings:
        return {name: str(value) for name, value in values.items()}
    return {name: in_words(name, settings) for name in values}


def _route_row(name: str, stored: Mapping[str, Any]) -> SettingRow:
    described: Any = Trader._meta.get_field(name)
    value, usual = stored["value"], getattr(Route(), name)
    text = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    if name == "multiplier":
        value, text = Decimal(value), f"x {Decimal(value).normalize():f}"
    return SettingRow(
        name=name,
        title=capfirst(str(described.verbose_name)),
        description=str(described.help_text),
        value=stored["value"],
        text=NOTHING.get(name, text) if value in (None, "") else text,
        source=stored["source"],
        is_default=value == usual,
    )
