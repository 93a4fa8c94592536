"""What is to be done about a position without its stop: decides, and reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from execution.spans import REARM_AFTER
from risk.models.book import UnprotectedPolicy

LOOK_AFTER = timedelta(seconds=1)


class Step(StrEnum):
    WAIT = "wait"
    LOOK = "look"
    REARM = "rearm"
    CLOSE = "close"
    CLOSE_ALL = "close_all"
    """All that the account holds of the contract: a flatten takes what is there and cannot open anything."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands around a position that is without its stop."""

    is_leaving: bool = False
    """Something closes it already."""
    is_moving: bool = False
    """A partial exit, or exits for it, are on their way."""
    is_in_flight: bool = False
    """A stop is at the broker, or may be, and does not work yet."""
    is_owed: bool = False
    """The broker makes the stop with the entry, and has not told of it."""
    is_asked: bool = False
    """The broker's books were read since: what it owes is not there."""
    is_known: bool = True
    """It has an average, and exits that name a stop."""
    is_rearmed: bool = False
    is_doubted: bool = False
    """The broker says that it holds something else, or owes us the price of a fill that may have closed it."""
    is_less: bool = False
    """The broker holds less of it than we think, and nobody else holds any: an order for its size is too much."""
    may_be_gone: bool = False
    """Closing it could open something, or close what is somebody else's."""


def next_step(age: timedelta, bound: timedelta, policy: UnprotectedPolicy, facts: Facts) -> Step:
    """`age` is how long it has been without. A second stop is never placed beside one that may come yet."""
    if policy is UnprotectedPolicy.ALARM or facts.is_leaving:
        return Step.WAIT
    if age >= bound:
        if facts.may_be_gone:
            return Step.WAIT
        return Step.CLOSE_ALL if facts.is_less else Step.CLOSE
    if policy is UnprotectedPolicy.FLATTEN or age < LOOK_AFTER or not _may_rearm(facts):
        return Step.WAIT
    if facts.is_owed and not facts.is_asked:
        return Step.LOOK
    return Step.REARM if age >= REARM_AFTER else Step.WAIT


def _may_rearm(facts: Facts) -> bool:
    has_reason_not_to = facts.is_moving or facts.is_in_flight or facts.is_rearmed or facts.is_doubted
    return facts.is_known and not has_reason_not_to
