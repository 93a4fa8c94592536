from __future__ import annotations

from bench import planning
from bench.ack import MODES, SUBJECTS, Samples, figures_of
from bench.fanout import Round, medians
from bench.report import Line, lines_of, table_of


def samples(milliseconds: float, rate: float) -> Samples:
    return Samples([milliseconds] * 3, [milliseconds] * 3, [milliseconds] * 3, [rate])


def fanout_of(last: float, floor: float) -> dict[str, object]:
    delayed = medians([Round(1.0, 2.0, last, 160.0, 30.0)])
    return {"floor_ms": floor, "to_floor": last / floor, "delay_0_ms": delayed, "delay_50_ms": delayed}


def test_acks_are_compared_with_the_insert() -> None:
    ack = figures_of({"bare": samples(0.1, 9000), "insert": samples(1, 3000), "door": samples(1.5, 2000),
                      "webhook": samples(2.5, 1200)})  # fmt: skip
    assert set(ack) == set(SUBJECTS)
    for mode in MODES:
        assert ack["webhook"][f"{mode}_to_insert"] == {"p50": 2.5, "p95": 2.5, "p99": 2.5}
    lines = {line.name: line for line in lines_of({"ack": ack})}
    assert lines["ack, 20 at once, p50"].is_met is False
    assert lines["ack, 20 at once, p99"].is_met is True
    assert lines["ack, 20 at once, p95"].is_met is None
    assert lines["acks per second, 20 at once"].is_met is True


def test_only_five_hundred_accounts_have_goals() -> None:
    lines = lines_of({"fanout": {"10": fanout_of(900.0, 1.0), "500": fanout_of(90.0, 10.0)}, "lane_memory_mb": 301.0})
    goals = {line.name: line.is_met for line in lines if line.goal is not None}
    assert goals == {
        "last of 500 entries on the wire": True,
        "  as multiple of the floor": False,
        "  last ack, broker answers after 50 ms": True,
        "lane memory, sockets open": False,
    }


def test_deciding_is_compared_with_a_loop_that_only_loops() -> None:
    lines = lines_of({"planning": {"plan_ms": 1.5, "plan_distinct_ms": 15.1, "loop_ms": 0.01}})
    assert [(line.name, line.value, line.floor, line.is_met) for line in lines] == [
        ("deciding for 500 traders with the same settings", 1.5, 0.01, True),
        ("deciding for 500 traders with settings of their own", 15.1, 0.01, False),
    ]


def test_planning_is_measured_in_milliseconds_for_all() -> None:
    figures = planning.measure()
    assert set(figures) == {"plan_ms", "plan_distinct_ms", "loop_ms"}
    assert 0 < figures["loop_ms"] < figures["plan_ms"] < figures["plan_distinct_ms"]


def test_medians_keep_the_worst_round_in_sight() -> None:
    rounds = [Round(1.0, 2.0, last, 4.0, 5.0) for last in (10.0, 30.0, 20.0)]
    assert medians(rounds) == {
        "answer": 1.0, "first": 2.0, "last": 20.0, "last_ack": 4.0, "sandbox_busy": 5.0, "worst_last": 30.0,
    }  # fmt: skip


def test_a_goal_may_be_a_least_a_most_or_a_multiple() -> None:
    assert Line("a", 1000, "/s", goal=1000, is_least=True).is_met
    assert not Line("a", 999, "/s", goal=1000, is_least=True).is_met
    assert Line("a", 99, "ms", floor=33, ratio=3, goal=3, goal_is_of="ratio").is_met
    assert Line("a", 99, "ms", goal=3, goal_is_of="ratio").is_met is None


def test_the_table_lines_up_and_says_what_was_missed() -> None:
    head, first, second = table_of([Line("short", 1, "ms", 2, 0.5, 1), Line("much longer", 12.5, "ms", goal=3)]).split(
        "\n"
    )
    assert head.split() == ["figure", "floor", "ratio", "goal"]
    assert first.split() == ["short", "1", "ms", "2", "ms", "0.5x", "<=", "1", "ms", "met"]
    assert second.split() == ["much", "longer", "12.5", "ms", "<=", "3", "ms", "missed"]
    assert first.index("1 ms") + len("1 ms") == second.index("12.5 ms") + len("12.5 ms")


def test_a_slow_venue_costs_the_others_what_they_became_later_by_account() -> None:
    mixed = {
        "each": 100,
        "slow_venue": "webull",
        "alike": {"last_ms": {"tradovate": 150.0, "projectx": 600.0, "webull": 700.0}, "rest_per_second": 420},
        "one_slow": {"last_ms": {"tradovate": 160.0, "projectx": 900.0, "webull": 2_000.0}, "rest_per_second": 150},
    }
    lines = {line.name: line for line in lines_of({"mixed": mixed})}
    costs = [line for name, line in lines.items() if "cost per account" in name]
    assert [(line.value, line.is_met) for line in costs] == [(0.1, True), (3.0, False)]
    assert lines["entries per second over REST, one lane"].is_met is True
