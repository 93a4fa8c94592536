"""The trading desk: what every engine step needs at hand, and the order in which steps run."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from brokers.sandbox.faults import FaultBook
from brokers.sandbox.market.catalog import Catalog, Contract
from brokers.sandbox.market.quotes import PriceBoard
from brokers.sandbox.tradovate import timeline
from brokers.sandbox.tradovate.books import Account, Ids
from brokers.sandbox.tradovate.orders import Order
from brokers.sandbox.tradovate.switches import Switches
from brokers.sandbox.workqueue import WorkQueue

Step = Callable[[], None]


class Desk:
    """Shared context of the engine. ``fresh`` holds orders that became working and have not been matched yet,
    ``limited`` the accounts with loss limits of their own.
    """

    def __init__(self, queue: WorkQueue, switches: Switches, faults: FaultBook, seed: int, ids: Ids) -> None:
        self.queue = queue
        self.switches = switches
        self.faults = faults
        self.ids = ids
        self.random = random.Random(seed)  # noqa: S311  reproducible event order, not a secret
        self.catalog = Catalog(lambda: datetime.now(UTC).date())
        self.board = PriceBoard(seed, self._moved)
        self.working: defaultdict[int, dict[int, Order]] = defaultdict(dict)
        self.fresh: deque[Order] = deque()
        self.limited: dict[int, Account] = {}
        self.on_move: Callable[[Contract], None] = lambda contract: None
        self.settle: Callable[[], None] = lambda: None
        self._stamped: tuple[int, str, dict[str, int]] = (0, "", {})

    def _moved(self, contract: Contract) -> None:
        self.on_move(contract)

    def stamp(self) -> str:
        return self._moment()[1]

    def trade_date(self) -> dict[str, int]:
        return self._moment()[2]

    def step(self, account: Account, step: Step) -> None:
        """Run ``step`` for ``account`` after what it already has to do; its events are sent when it is done."""
        account.steps.append(step)
        self.queue.add_step(lambda: self.run(account))

    def run(self, account: Account) -> None:
        """Everything this account has accepted but not yet executed, in order; then send the events."""
        while account.steps:
            account.steps.popleft()()
            self.settle()
        self.settle()
        account.flush()

    def later(self, seconds: float, account: Account, step: Step) -> None:
        self.queue.later(seconds, lambda: self.step(account, step))

    def _moment(self) -> tuple[int, str, dict[str, int]]:
        """Time to the millisecond, formatted once per millisecond: a burst writes thousands of timestamps."""
        now = datetime.now(UTC)
        key = int(now.timestamp() * 1000)
        if self._stamped[0] != key:
            self._stamped = (key, timeline.stamp(now), timeline.trade_date(now))
        return self._stamped
