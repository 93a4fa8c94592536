"""The figures against their goals, as a table for people and as rows for `var/bench.json`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure; `goal` is the most (or, with `is_least`, the least) that it may be, None where there is none."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: float | None = None
    goal_is_of: str = "value"
    is_least: bool = False

    @property
    def is_met(self) -> bool | None:
        subject = self.ratio if self.goal_is_of == "ratio" else self.value
        if self.goal is None or subject is None:
            return None
        return subject >= self.goal if self.is_least else subject <= self.goal

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "is_met": self.is_met}


def lines_of(figures: Figures) -> list[Line]:
    """Every line of the table that `figures` has something for."""
    makers: dict[str, Callable[[Any], Iterable[Line]]] = {
        "ack": _ack_lines,
        "fanout": _fanout_lines,
        "mixed": _mixed_lines,
        "reversal": _reversal_lines,
        "risk": _risk_lines,
        "reconciling": _reconciling_lines,
        "lane_memory_mb": lambda memory: [Line("lane memory, sockets open", memory, "MB", goal=300)],
        "budget": _budget_lines,
        "planning": _planning_lines,
    }
    return [line for part, lines in makers.items() if part in figures for line in lines(figures[part])]


def _budget_lines(spent: Figures) -> Iterator[Line]:
    yield Line(
        "counting one order against a login's budget", spent["spend_us"], "us", spent["empty_us"], spent["ratio"]
    )


def _planning_lines(planning: Figures) -> Iterator[Line]:
    for name, title in (("plan_ms", "the same settings"), ("plan_distinct_ms", "settings of their own")):
        yield Line(f"deciding for 500 traders with {title}", planning[name], "ms", planning["loop_ms"], goal=15)


def _ack_lines(ack: Figures) -> Iterator[Line]:
    goals = {"p50": 2.0, "p95": None, "p99": 3.0}
    titles = {"paced": "one every 10 ms", "sequential": "one after the other", "concurrent": "20 at once"}
    for mode, title in titles.items():
        for name, goal in goals.items():
            floor = ack["insert"][f"{mode}_ms"][name]
            for subject in ("webhook", "door"):
                ratio = ack[subject][f"{mode}_to_insert"][name]
                shown_goal = goal if subject == "webhook" else None
                title_of = f"ack, {title}, {name}" + (" (stored, not planned)" if subject == "door" else "")
                yield Line(title_of, ack[subject][f"{mode}_ms"][name], "ms", floor, ratio, shown_goal, "ratio")
            yield Line(f"bare callable, {title}, {name}", ack["bare"][f"{mode}_ms"][name], "ms")
    rate, floor = ack["webhook"]["per_second"], ack["insert"]["per_second"]
    yield Line("acks per second, 20 at once", rate, "/s", floor, round(rate / floor, 2), 1000, is_least=True)
    door = ack["door"]["per_second"]
    yield Line("acks per second (stored, not planned)", door, "/s", floor, round(door / floor, 2))


def _fanout_lines(fanout: Figures) -> Iterator[Line]:
    for accounts, figures in fanout.items():
        last, floor = figures["delay_0_ms"]["last"], figures["floor_ms"]
        is_most = accounts == "500"
        yield Line(
            f"last of {accounts} entries on the wire", last, "ms", floor, figures["to_floor"], 100 if is_most else None
        )
        if is_most:
            yield Line("  as multiple of the floor", last, "ms", floor, figures["to_floor"], 5, "ratio")
        yield Line(f"  first of {accounts}", figures["delay_0_ms"]["first"], "ms")
        yield Line("  the sandbox's own share", figures["delay_0_ms"]["sandbox_busy"], "ms")
        yield Line("  last on the wire, broker answers after 50 ms", figures["delay_50_ms"]["last"], "ms")
        goal = 170 if is_most else None
        yield Line("  last ack, broker answers after 50 ms", figures["delay_50_ms"]["last_ack"], "ms", goal=goal)


def _mixed_lines(mixed: Figures) -> Iterator[Line]:
    """What one slow venue costs each account of the others, and the pace of the venues that are asked over REST."""
    each, slow_venue = mixed["each"], mixed["slow_venue"]
    for venue, last_ms in mixed["alike"]["last_ms"].items():
        yield Line(f"last of {each} entries at {venue}, all venues answer after 50 ms", last_ms, "ms")
        if venue != slow_venue:
            cost = (mixed["one_slow"]["last_ms"][venue] - last_ms) / each
            title = f"  cost per account at {venue} of 500 ms at {slow_venue}"
            yield Line(title, round(max(0.0, cost), 3), "ms", goal=2)
    pace = mixed["alike"]["rest_per_second"]
    yield Line("entries per second over REST, one lane", pace, "/s", goal=300, is_least=True)


def _reversal_lines(reversal: Figures) -> Iterator[Line]:
    for delay in (0, 50):
        figures = reversal[f"delay_{delay}_ms"]
        trip = figures["round_trip_ms"]
        title = f"reversal, last of {reversal['accounts']} new entries, broker answers after {delay} ms"
        yield Line(title, figures["last_ms"], "ms", goal=round(100 + 2 * trip, 1))
        yield Line("  a broker's round trip", trip, "ms")


def _reconciling_lines(found: Figures) -> Iterator[Line]:
    """Floors: a minute; what a login may ask; a core that does nothing else."""
    accounts = found["accounts"]
    yield Line(f"oldest comparison of {accounts} accounts with the broker", found["oldest_s"], "s", goal=60)
    yield Line("  accounts compared", found["compared"], "", goal=accounts, is_least=True)
    yield Line("  requests of the busiest login in an hour", found["per_login_and_hour"], "", 5000, goal=5000)
    spent = round(found["lane_cpu_s"] / found["seconds"] * 100, 1)
    yield Line("  the idle lane's share of a core, all duties", spent, "%")


def _risk_lines(risk: Figures) -> Iterator[Line]:
    """All accounts reach their limit at the same tick; each one's flatten counts."""
    for name, goal in (("p50", None), ("p95", None), ("p99", 25)):
        value, floor = risk["flatten_ms"][name], risk["floor_ms"][name]
        title = f"tick to flatten on the wire, {risk['accounts']} accounts at once, {name}"
        yield Line(title, value, "ms", floor, round(value / floor, 2) if floor else None, goal)


def table_of(lines: list[Line]) -> str:
    rows = [("", "figure", "floor", "ratio", "goal", "")]
    rows += [(line.name, f"{line.value:g} {line.unit}", *_compared(line)) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in
                  enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )  # fmt: skip


def _compared(line: Line) -> tuple[str, str, str, str]:
    floor = "" if line.floor is None else f"{line.floor:g} {line.unit}"
    ratio = "" if line.ratio is None else f"{line.ratio:g}x"
    unit = "x" if line.goal_is_of == "ratio" else f" {line.unit}"
    goal = "" if line.goal is None else f"{'>=' if line.is_least else '<='} {line.goal:g}{unit}"
    return floor, ratio, goal, {True: "met", False: "missed", None: ""}[line.is_met]
