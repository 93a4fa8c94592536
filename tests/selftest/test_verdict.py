"""The audit must find what it looks for: each test breaks one thing in an otherwise sound run."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from execution.selftest.alerts import Alert, alert_stream
from execution.selftest.books import AccountBook, Watch
from execution.selftest.sender import Delivery
from execution.selftest.verdict import Evidence, expected_positions, judge

STOP = {"symbol": "MNQZ6", "action": "Sell", "orderType": "Stop", "qty": 1}


def entry(name: str) -> dict[str, Any]:
    return {"kind": "strategy", "uuid": name, "clOrdId": None}


def book(net: int = 0, working: list[dict[str, Any]] | None = None, names: tuple[str, ...] = ("E0",)) -> AccountBook:
    positions = {"MNQZ6": net} if net != 0 else {}
    return AccountBook("7", positions, working or [], [entry("OLD"), *map(entry, names), {"kind": "liquidation"}])


def signal(status: str = "planned", code: str = "", price: str = "1") -> dict[str, Any]:
    return {"status": status, "reason_code": code, "price": price}


def intent(signal_id: str, kind: str = "entry", **changed: Any) -> dict[str, Any]:
    name = f"{kind[0].upper()}{signal_id[1:]}"
    sound = {
        "signal": signal_id, "account": "ours", "kind": kind, "client_order_id": name, "status": "done",
        "reason_code": "", "side": "buy", "qty": 1,
    }  # fmt: skip
    return {**sound, **changed}


def delivery(number: int, action: str) -> Delivery:
    return Delivery(Alert(number, action, 0.0, b""), f"s{number}", 1, 200)


def sound_run() -> Evidence:
    """One buy, one close."""
    return Evidence(
        deliveries=[delivery(0, "buy"), delivery(1, "close")],
        signals={"s0": signal(price="1"), "s1": signal(price="2")},
        intents=[intent("s0"), intent("s1", "exit")],
        accounts={"ours": "7"},
        entries_before={"7": 1},
        books={"7": book()},
        books_after_close={"7": book()},
        watch=Watch(),
    )


def test_a_sound_run_holds() -> None:
    verdict = judge(sound_run())
    assert verdict.holds
    assert verdict.line() == "2 acked, 2 executed, 0 lost, 0 doubled, 0 unprotected"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signals": {"s1": signal(price="2")}}, "no such signal"),
        ({"signals": {"s0": signal("received"), "s1": signal(price="2")}}, "never planned"),
        ({"signals": {"s0": signal("ignored"), "s1": signal(price="2")}}, "without a reason"),
        ({"intents": [intent("s1", "exit")], "books_after_close": {"7": book(names=())}}, "has no intents"),
        ({"intents": [intent("s0", status="unknown"), intent("s1", "exit")]}, "intents left {'unknown': 1}"),
        ({"books_after_close": {"7": book(names=())}}, "is done, and the venue has no such entry"),
        (
            {"intents": [intent("s0", status="failed", reason_code="NOT_PLACED"), intent("s1", "exit")]},
            "NOT_PLACED, and the venue has the entry",
        ),
    ],
)
def test_lost(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(replace(sound_run(), **changes))
    assert (len(verdict.lost), verdict.executed) == (1, 1)
    assert reason in verdict.lost[0]
    assert not verdict.holds


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"books_after_close": {"7": book(names=("E0", "E0"))}}, "E0 stands 2 times"),
        ({"books_after_close": {"7": book(names=("E0", "X"))}}, "nobody asked for X"),
        ({"books_after_close": {"7": book(net=-1)}}, "holds -1, its intents say +0"),
        ({"signals": {"s0": signal(price="1"), "s1": signal(price="1")}}, "became 2 signals"),
    ],
)
def test_doubled(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(replace(sound_run(), **changes))
    assert any(reason in text for text in verdict.doubled)
    assert not verdict.holds


def test_one_signal_for_two_alerts_is_found() -> None:
    twice = [delivery(0, "buy"), replace(delivery(1, "close"), signal_id="s0")]
    assert "signal s0 answered 2 different alerts" in judge(replace(sound_run(), deliveries=twice)).doubled


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"books": {"7": book(net=1)}}, "without a stop of full size"),
        ({"books": {"7": book(net=2, working=[STOP])}}, "without a stop of full size"),
        ({"books": {"7": book(net=-1, working=[STOP])}}, "without a stop of full size"),
        ({"books_after_close": {"7": book(working=[STOP])}}, "flat, with 1 orders still working"),
        ({"watch": Watch(violations={"7"})}, "exposed for more than 5 s"),
    ],
)
def test_unprotected(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(replace(sound_run(), **changes))
    assert len(verdict.unprotected) == 1
    assert reason in verdict.unprotected[0]
    assert not verdict.holds


def test_what_was_reported_is_neither_executed_nor_lost() -> None:
    not_placed = intent("s0", status="failed", reason_code="NOT_PLACED")
    run = replace(
        sound_run(),
        signals={"s0": signal(price="1"), "s1": signal("ignored", "ALREADY_FLAT", price="2")},
        intents=[not_placed],
        books_after_close={"7": book(names=())},
    )
    verdict = judge(run)
    assert verdict.holds
    assert verdict.reported == ["alert 0 (buy): entry failed NOT_PLACED on 1 of 1"]
    assert verdict.line() == (
        "2 acked, 0 executed, 0 lost, 0 doubled, 0 unprotected, 1 with nothing to do, 1 reported as not executed"
    )


def test_what_was_never_acked_was_never_promised() -> None:
    unheard = Delivery(Alert(0, "buy", 0.0, b""), None, 4, 503)
    verdict = judge(replace(sound_run(), deliveries=[unheard]))
    assert verdict.holds
    assert (verdict.acked, len(verdict.not_acked)) == (0, 1)


def test_expected_positions_follow_what_was_executed() -> None:
    rows = [intent("s0"), intent("s1", side="sell", qty=3), intent("s2", status="failed")]
    assert expected_positions(rows, {"ours": "7"}) == {"7": -2}
    assert expected_positions([*rows, intent("s3", "exit")], {"ours": "7"}) == {"7": 0}


def test_exposure_counts_from_when_it_began_and_ends_with_the_stop() -> None:
    watch, exposed, covered = Watch(bound_s=5.0), book(net=1), book(net=1, working=[STOP])
    for moment in (0.0, 4.9):
        watch.sample(moment, [exposed])
    watch.sample(5.0, [covered])
    watch.sample(9.0, [exposed])
    assert (watch.violations, watch.worst_s) == (set(), 4.9)
    watch.sample(14.1, [exposed])
    assert watch.violations == {"7"}


def test_a_stream_is_repeatable_and_ends_with_a_close() -> None:
    stream = alert_stream(60, Random(4), "monday")
    assert stream == alert_stream(60, Random(4), "monday")
    assert stream != alert_stream(60, Random(5), "monday")
    assert not {alert.body for alert in stream} & {alert.body for alert in alert_stream(60, Random(4), "tuesday")}
    assert len({alert.body for alert in stream}) == 60
    assert stream[-1].action == "close"
    assert {alert.action for alert in stream} == {"buy", "sell", "close"}
