"""Stories that once broke something, told again as they were found."""

from __future__ import annotations

from typing import Any

import pytest

from brokers.base import OrderRole, Side
from tests.model.broker import Fault
from tests.model.machine import ADDS, RE_ENTERS, TWO_TARGETS, USUAL, Story

pytestmark = pytest.mark.django_db
Step = tuple[str, dict[str, Any]]
LINKS, ALONE = 0, 1


def move(to: int) -> Step:
    return "move", {"to": to, "held_back": False}


def trade(to: int) -> Step:
    return "trade", {"to": to}


def alert(action: str, contracts: int) -> Step:
    return "alert", {"action": action, "contracts": contracts, "held_back": False}


def wait(seconds: float) -> Step:
    return "wait", {"seconds": seconds}


def fill(place: int, qty: int | None = None) -> Step:
    return "fill", {"place": place, "qty": qty}


def by_hand(place: int, side: Side) -> Step:
    return "trade_by_hand", {"place": place, "side": side}


def fail(place: int, fault: Fault) -> Step:
    return "fail", {"place": place, "fault": fault}


def at(name: str, place: int) -> Step:
    return name, {"place": place}


WORK: Step = ("work", {})
STORIES: dict[str, tuple[dict[str, Any], list[Step]]] = {
    # What was planned waited for the exits that followed a fill, and those for a partial exit, while all was closing.
    "an entry beside an exit": (ADDS, [move(-3), move(-1), wait(2.5), move(1), wait(60), move(-2)]),
    # Of two closes without a name one took the other's order, and the broker's answer then deleted our own row.
    "two closes at once": (
        RE_ENTERS,
        [at("flatten", LINKS), move(3), ("arm", {"point": "dispatch.post_send"}), alert("buy", 3), wait(1)],
    ),
    # A person's order was taken for a close of ours that has no name, and the close for the person's.
    "a person closes while we cannot hear it": (
        USUAL,
        [
            by_hand(LINKS, Side.SELL),
            trade(-2),
            by_hand(LINKS, Side.BUY),
            at("fall_silent", LINKS),
            by_hand(LINKS, Side.BUY),
            at("lose_stop", LINKS),
            trade(2),
            by_hand(LINKS, Side.BUY),
            wait(60),
        ],
    ),
    # An exit found less than we thought, the broker was flat, and what waited behind the exit kept it from being seen.
    "closed by hand, and more alerts behind it": (
        RE_ENTERS,
        [move(2), alert("sell", 2), wait(1), by_hand(LINKS, Side.SELL), alert("sell", 2)],
    ),
    # The account was verified flat, and its trader's own exit stayed under way for good.
    "an account's close and a trader's exit": (
        USUAL,
        [move(2), at("flatten", LINKS), move(-3), WORK, fill(LINKS), wait(2.5), move(-1)],
    ),
    # A part was sold beside the account's close, beyond flat.
    "a partial exit beside an account's close": (
        TWO_TARGETS,
        [move(3), wait(2.5), fill(ALONE), move(2), at("flatten", ALONE), wait(1), WORK],
    ),
    # The exchange ended a close that found no counterparty: it counted as under way, and nothing else closed the rest.
    "a close that found nobody for the last contract": (
        USUAL,
        [move(2), WORK, fill(LINKS), WORK, alert("close", 2), WORK, fill(LINKS, 1), at("find_nobody", LINKS), WORK],
    ),
    # The same, and a person closed the rest: the broker was flat, and the close that had ended still kept us from it.
    "a close that found nobody, and the rest closed by hand": (
        USUAL,
        [
            move(2),
            WORK,
            fill(ALONE),
            WORK,
            alert("close", 2),
            wait(1),
            WORK,
            fill(ALONE, 1),
            at("find_nobody", ALONE),
            by_hand(ALONE, Side.SELL),
            WORK,
        ],
    ),
    # What a person bought at that moment was taken for the close, which had been refused.
    "a close that was refused, and a trade by hand": (
        RE_ENTERS,
        [
            move(-3),
            WORK,
            fill(LINKS),
            fail(LINKS, Fault.REFUSED),
            wait(1),
            at("fall_silent", LINKS),
            by_hand(LINKS, Side.BUY),
            move(2),
            WORK,
            alert("sell", 3),
        ],
    ),
    # A close that waited for its order took one that a person had placed before it was sent; the entry behind it went
    # at once, and the close's own fill was then booked once more.
    "an order by hand before a close, and an entry behind it": (
        USUAL,
        [
            move(-1),
            WORK,
            fill(ALONE),
            WORK,
            by_hand(ALONE, Side.SELL),
            by_hand(ALONE, Side.BUY),
            move(0),
            move(-1),
            WORK,
        ],
    ),
    # The venue's close had less to close than was ours, because a person held the other side; before the flat broker
    # was believed the person traded again.
    "a close that met what a person held on the other side": (
        USUAL,
        [by_hand(ALONE, Side.BUY), ("trade", {"to": -2}), ("trade", {"to": 2}), by_hand(ALONE, Side.BUY)],
    ),
    # The stop had fired, and the process died before it sent the strategy's close: while the fate of that was not
    # known, nothing took the target away, and it opened something.
    "a close of unknown fate beside a stop that has fired": (
        USUAL,
        [
            ("trade", {"to": -2}),
            ("reach", {"place": ALONE, "roles": [OrderRole.STOP], "is_slow": True}),
            ("arm", {"point": "dispatch.pre_send"}),
            ("trade", {"to": 0}),
            ("restart", {}),
            ("walk", {"ticks": 9, "is_slow": True}),
            ("reach", {"place": ALONE, "roles": [OrderRole.TARGET], "is_slow": True}),
        ],
    ),
    # An account's close was wished for before it was known on which side something is held, and its order not known.
    "an account's close on the other side": (
        RE_ENTERS,
        [
            move(-3),
            WORK,
            move(-1),
            at("flatten", LINKS),
            fail(LINKS, Fault.REFUSED),
            wait(6),
            wait(60),
            fill(LINKS),
            wait(2.5),
        ],
    ),
}


@pytest.mark.parametrize(("settings_of", "steps"), STORIES.values(), ids=STORIES.keys())
def test_it_does_not_break_again(settings_of: dict[str, Any], steps: list[Step]) -> None:
    story = Story()
    try:
        story.open(settings_of)
        for name, drawn in steps:
            getattr(story, name)(**drawn)
            story.the_brokers_saw_nothing_wrong()
    finally:
        story.teardown()
