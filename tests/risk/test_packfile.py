"""Rule packs are files: what ours say, and that a bad one is refused by its name and field."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from risk import packs
from risk.packfile import BadPack, read_file, read_folder
from tests.risk.rules import FLAT_BY, NEWS, RULES, SCALING


def written(folder: Path, rules: dict[str, Any] | str, name: str = "firm-50k.v1.json") -> Path:
    path = folder / name
    path.write_text(rules if isinstance(rules, str) else json.dumps(rules))
    return path


def test_every_pack_of_ours_is_read_and_says_where_it_comes_from() -> None:
    listed = packs.list_packs()
    assert len(listed) >= 10
    for one in listed:
        assert one.source.startswith("https://")
        assert date(2026, 11, 1) <= one.checked_on
        assert packs.get(one.name, one.version) is one
        assert packs.terms_of(one, one.account_size, "pack:1"), one.name
    assert {one.firm for one in listed} >= {"Topstep", "Apex Trader Funding", "Take Profit Trader", "MyFundedFutures"}


@pytest.mark.parametrize(
    ("name", "drawdown", "basis", "stops_at_plus", "daily_loss", "target", "most"),
    [
        ("topstep-50k", 2000, "end_of_day", 0, None, 3000, 5),
        ("topstep-100k", 3000, "end_of_day", 0, None, 6000, 10),
        ("topstep-150k", 4500, "end_of_day", 0, None, 9000, 15),
        ("topstep-xfa-50k", 2000, "end_of_day", 0, None, None, 2),
        ("apex-eod-50k", 2000, "end_of_day", None, 1000, 3000, None),
        ("apex-eod-100k", 3000, "end_of_day", None, 1500, 6000, None),
        ("apex-intraday-50k", 2000, "intraday", None, None, 3000, None),
        ("apex-legacy-pa-50k", 2500, "intraday", 100, None, None, 5),
        ("take-profit-trader-50k", 2000, "end_of_day", None, None, 3000, 6),
        ("take-profit-trader-pro-50k", 2000, "intraday", None, None, None, 6),
        ("mffu-core-50k", 2000, "end_of_day", 100, None, 3000, 3),
    ],
)
def test_a_pack_says_what_its_firm_says(
    name: str, drawdown: int, basis: str, stops_at_plus: int | None, daily_loss: int | None, target: int | None,
    most: int | None,
) -> None:  # fmt: skip
    one = packs.newest(name)
    assert one.trailing_drawdown is not None
    assert one.trailing_drawdown.model_dump() == {"amount": drawdown, "basis": basis, "stops_at_plus": stops_at_plus}
    assert (one.daily_loss, one.profit_target, packs.most_contracts(one, None)) == (daily_loss, target, most)


def test_an_unknown_pack_or_version_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="nobody-50k"):
        packs.newest("nobody-50k")
    with pytest.raises(KeyError, match="topstep-50k v99"):
        packs.get("topstep-50k", 99)


def test_the_newest_version_is_the_highest_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (2, 10, 9):
        written(tmp_path, RULES, f"firm-50k.v{version}.json")
    found = read_folder(tmp_path)
    monkeypatch.setattr(packs, "_packs", lambda: found)
    assert packs.newest("firm-50k").version == 10
    assert [one.version for one in packs.list_packs()] == [2, 9, 10]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"trailing_drawdown": {"amount": 0, "basis": "intraday"}}, "trailing_drawdown.amount: .*greater than 0"),
        ({"trailing_drawdown": {"amount": "2.001", "basis": "intraday"}}, "trailing_drawdown.amount: .*decimal places"),
        ({"trailing_drawdown": {"amount": 2000, "basis": "weekly"}}, "trailing_drawdown.basis"),
        ({"trailing_drawdown": {"amount": 50_000, "basis": "intraday"}}, "trailing_drawdown.amount: had 50000"),
        ({"static_drawdown": {}}, "static_drawdown.amount: Field required"),
        ({"daily_loss": -5}, "daily_loss"),
        ({"daily_lost": 5}, "daily_lost: Extra inputs"),
        ({"consistency_percent": 101}, "consistency_percent"),
        ({"scaling": {"basis": "intraday", "steps": []}}, "scaling.steps"),
        (
            {"scaling": {"basis": "intraday", "steps": [{"from_profit": 1, "minis": 2}]}},
            "scaling: steps: want the first",
        ),
        ({"scaling": {**SCALING, "steps": [*SCALING["steps"], SCALING["steps"][1]]}}, "scaling: steps: want"),  # type: ignore[misc,index]
        ({"scaling": {"basis": "intraday", "steps": [{"from_profit": 0, "minis": True}]}}, "scaling.steps.0.minis"),
        ({"flat_by": {"at": "25:10", "zone": "America/Chicago"}}, "flat_by.at"),
        ({"flat_by": {"at": "15:10+01:00", "zone": "America/Chicago"}}, "flat_by: at: wants a bare wall clock"),
        ({"flat_by": {"at": "15:10", "zone": "America/Chigaco"}}, "flat_by.zone: 'America/Chigaco' is no time zone"),
        ({"flat_by": {**FLAT_BY, "days": ["monday"]}}, "flat_by.days.0"),
        ({"news": {**NEWS, "minutes_before": -1}}, "news.minutes_before"),
        ({"news": {**NEWS, "releases": ["gdp"]}}, "news.releases.0"),
        ({"source": "http://firm.example"}, "source"),
        ({"checked_on": "yesterday"}, "checked_on"),
        ({"firm": ""}, "firm"),
        ({"name": "other"}, "name: the file's name says it"),
        ({"trailing_drawdown": None}, "has none of the rules consistency_percent, daily_loss"),
    ],
)
def test_a_bad_file_is_refused_by_its_name_and_field(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(BadPack, match=rf"^firm-50k\.v1\.json: {told}"):
        read_file(written(tmp_path, {**RULES, **changed}))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("firm.json", "{}", "is not called <pack>.v<version>.json"),
        ("Firm.v1.json", "{}", "is not called"),
        ("firm.v0.json", "{}", "is not called"),
        (f"{'a' * 65}.v1.json", "{}", "is not called"),
        ("firm.v1.json", "{", "is no JSON: "),
        ("firm.v1.json", "[]", "is no JSON object"),
    ],
)
def test_a_file_that_is_no_pack_is_refused_by_its_name(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(BadPack, match=told):
        read_folder(written(tmp_path, text, name).parent)
