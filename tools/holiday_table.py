"""Write brokers/data/holidays.json: the days on which the exchange trades other hours than its regular ones.

The days come from the library `holidays`, whose New York stock exchange calendar has the days on which the exchange
has no trade date. The hours are the exchange's pattern per group of products, as its holiday notices of 2024 to 2026
have it (https://www.cmegroup.com/trading-hours.html): run this again, with another pattern, when it changes.

Usage: .venv/bin/python tools/holiday_table.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import holidays

YEARS = range(2024, 2033)
TARGET = Path(__file__).parents[1] / "brokers" / "data" / "holidays.json"
FRIDAY = 4
Hours = dict[str, str]

# Chicago time of the trade date: "OPEN-CLOSE", either may be left out when it is the regular one. A calendar that is
# not named trades its regular hours.
CLOSED = "closed"
ALL_CLOSED: Hours = dict.fromkeys(("equity", "rates", "fx", "energy_metals", "grains", "livestock"), CLOSED)
HALT: Hours = {
    "equity": "-12:00",
    "rates": "-12:00",
    "energy_metals": "-13:30",
    "grains": CLOSED,
    "livestock": CLOSED,
}
# Nothing reopens on a Friday evening, so currencies halt too, and energy and metals earlier.
FRIDAY_HALT: Hours = HALT | {"fx": "-12:00", "energy_metals": "-12:00"}
# The jobs report comes out on a Good Friday that is the month's first Friday.
GOOD_FRIDAY_WITH_REPORT: Hours = ALL_CLOSED | {"equity": "-08:15", "rates": "-10:15", "fx": "-10:15"}
AFTER_THANKSGIVING: Hours = {
    "equity": "-12:15",
    "rates": "-12:15",
    "fx": "-13:45",
    "energy_metals": "-13:45",
    "grains": "08:30-12:05",
    "livestock": "-12:05",
}
CHRISTMAS_EVE: Hours = {
    "equity": "-12:15",
    "rates": "-12:15",
    "fx": "-12:45",
    "energy_metals": "-12:45",
    "grains": "-12:05",
    "livestock": "-12:15",
}
INDEPENDENCE_EVE: Hours = {"equity": "-12:15"}
NO_NIGHT_BEFORE: Hours = {"grains": "08:30-"}


def main() -> None:
    rows = sorted(_rows(), key=lambda row: str(row["date"]))
    TARGET.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(f"{TARGET.name}: {len(rows)} days of {YEARS[0]} to {YEARS[-1]}")


def _row(day: date, name: str, hours: Hours, *, is_business_day: bool) -> dict[str, object]:
    return {"date": day.isoformat(), "name": name, "is_business_day": is_business_day, "hours": hours}


def _rows() -> Iterator[dict[str, object]]:
    found = holidays.financial_holidays("NYSE", years=YEARS, observed=True)
    # A day of mourning closes the stock exchange only.
    closed = {day: str(name) for day, name in found.items() if "Mourning" not in str(name)}
    for day, name in closed.items():
        yield _row(day, name, _on_holiday(day, name), is_business_day=False)
        for near, near_name, hours in _around(day, name):
            if near.weekday() <= FRIDAY and near not in closed:
                yield _row(near, near_name, hours, is_business_day=True)


def _on_holiday(day: date, name: str) -> Hours:
    if name.startswith("Good Friday"):
        return GOOD_FRIDAY_WITH_REPORT if day.day <= 7 else ALL_CLOSED  # noqa: PLR2004 - a month's first Friday
    if name.startswith(("New Year", "Christmas")):
        return ALL_CLOSED
    return FRIDAY_HALT if day.weekday() == FRIDAY else HALT


def _around(day: date, name: str) -> Iterator[tuple[date, str, Hours]]:
    """The working days beside a holiday that have hours of their own."""
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    if name.startswith("Thanksgiving"):
        yield after, "Day after Thanksgiving", AFTER_THANKSGIVING
    if name.startswith(("New Year", "Christmas")):
        yield after, f"Day after {name}", NO_NIGHT_BEFORE
    if name == "Christmas Day":
        yield before, "Christmas Eve", CHRISTMAS_EVE
    if name == "Independence Day":
        yield before, "Day before Independence Day", INDEPENDENCE_EVE


if __name__ == "__main__":
    main()
