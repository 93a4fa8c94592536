"""The watchdog's rounds: once a second, each part by itself."""

from __future__ import annotations

from collections.abc import Callable

from execution.retarget import TARGET_REJECTED
from execution.watchdog import naked, overfill, tidy, unfinished
from execution.watchdog.averages import LateFills
from execution.watchdog.flat import adopt_flat, end_exits_of_flat
from execution.watchdog.looks import Desk, Looks
from execution.watchdog.telling import end_with_positions


class Watchdog:
    """Belongs to the lane's keeper, which does each duty whatever became of the others."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looks = Looks(desk)
        self._late = LateFills(desk)

    def duties(self) -> tuple[Callable[[], object], ...]:
        lane = self._desk.index
        return (
            lambda: adopt_flat(lane),
            lambda: self._sent(end_exits_of_flat(lane)),
            lambda: self._sent(unfinished.send_again(lane, self._looks.ask)),
            lambda: self._sent(self._late.settle()),
            lambda: self._sent(overfill.mend(lane)),
            self.guard,
            lambda: self._sent(tidy.tidy(lane)),
            lambda: tidy.insist(lane),
            lambda: end_with_positions(lane, TARGET_REJECTED),
        )

    def watch(self) -> None:
        """One round."""
        for duty in self.duties():
            duty()

    def guard(self) -> None:
        """Positions without their stop."""
        found = naked.unprotected(self._desk.index)
        rules = naked.rules_of({position.account_id for position in found})
        self._sent(naked.act(found, rules, self._looks))
        naked.tell_of(self._desk.index, found, rules)

    def _sent(self, wishes: int) -> None:
        if wishes:
            self._desk.dispatch()
