"""A made-up firm's rules."""

from __future__ import annotations

from typing import Any

from risk.packfile import Pack

RULES: dict[str, Any] = {
    "firm": "Firm",
    "label": "50K",
    "account_size": 50_000,
    "source": "https://firm.example/rules",
    "checked_on": "2026-11-26",
    "trailing_drawdown": {"amount": 2000, "basis": "end_of_day", "stops_at_plus": 0},
}
SCALING: dict[str, Any] = {
    "basis": "end_of_day",
    "steps": [{"from_profit": 0, "minis": 2}, {"from_profit": 1500, "minis": 3}],
}
FLAT_BY: dict[str, Any] = {"at": "15:10", "zone": "America/Chicago"}
NEWS: dict[str, Any] = {"minutes_before": 2, "minutes_after": 2, "releases": ["fomc", "cpi"]}


def pack(**other: Any) -> Pack:
    return Pack.model_validate({**RULES, "name": "firm", "version": 1, **other})
