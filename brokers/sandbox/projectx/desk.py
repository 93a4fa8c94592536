"""The trading desk: what every engine step needs at hand, and the order in which steps run and events leave."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from brokers.matching.engine import Engine
from brokers.matching.types import Contract as AnyContract
from brokers.matching.types import Execution
from brokers.sandbox.market.catalog import Catalog, Contract
from brokers.sandbox.market.quotes import PriceBoard, Quote
from brokers.sandbox.projectx import timeline
from brokers.sandbox.projectx.books import FIRST_ORDER_ID, FIRST_POSITION_ID, FIRST_TRADE_ID, Account, Event, Ids
from brokers.sandbox.projectx.kinds import ProjectXFaults
from brokers.sandbox.projectx.listing import Listing
from brokers.sandbox.projectx.sockets import HubSocket
from brokers.sandbox.projectx.switches import Switches
from brokers.sandbox.workqueue import WorkQueue

Step = Callable[[], None]


class Desk:
    """Shared context of the engine. ``on_move`` and ``on_execution`` are set by the venue."""

    def __init__(self, queue: WorkQueue, switches: Switches, faults: ProjectXFaults, seed: int) -> None:
        self.queue = queue
        self.switches = switches
        self.faults = faults
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311  reproducible event order, not a secret
        self.catalog = Catalog(lambda: datetime.now(UTC).date())
        self.listing = Listing(self.catalog, switches)
        self.on_move: Callable[[Contract], None] = lambda contract: None
        self.on_execution: Callable[[Execution], None] = lambda execution: None
        self.board = PriceBoard(seed, self._moved)
        self.engine = Engine(self._quote_of, self._executed)
        self.order_ids, self.trade_ids = Ids(FIRST_ORDER_ID), Ids(FIRST_TRADE_ID)
        self.position_ids = Ids(FIRST_POSITION_ID)
        self.sockets: list[HubSocket] = []
        self.changed_at: float | None = None
        self._touched: dict[int, Account] = {}
        self._loop = asyncio.get_running_loop()

    def _moved(self, contract: Contract) -> None:
        self.on_move(contract)

    def _executed(self, execution: Execution) -> None:
        self.on_execution(execution)

    def attach(self, socket: HubSocket) -> None:
        self.sockets.append(socket)
        socket.login.sockets.append(socket)

    def detach(self, socket: HubSocket) -> None:
        self.sockets.remove(socket)
        socket.login.sockets.remove(socket)

    def note_change(self) -> None:
        self.changed_at = time.monotonic()

    def stamp(self) -> str:
        return timeline.now()

    def quote(self, contract: Contract) -> Quote:
        return self.board.quote(contract)

    def _quote_of(self, contract: AnyContract) -> Quote:
        return self.board.quote(self.catalog.by_name[contract.name])

    def emit(self, account: Account, events: list[Event]) -> None:
        account.outbox += events
        self._touched[account.id] = account

    def step(self, account: Account, step: Step) -> None:
        """Run ``step`` for ``account`` after what it already has to do; its events are sent when it is done."""
        account.steps.append(step)
        self.queue.add_step(lambda: self.run(account))

    def run(self, account: Account) -> None:
        """Everything this account has accepted but not yet executed, in order; then send the events."""
        while account.steps:
            account.steps.popleft()()
        self.flush()

    def later(self, seconds: float, account: Account, step: Step) -> None:
        self.queue.later(seconds, lambda: self.step(account, step))

    def hold_events(self, account: Account, seconds: float) -> None:
        """Events of the account leave ``seconds`` from now at the earliest."""
        account.late_until = self._loop.time() + seconds
        self._loop.call_later(seconds, self._release, account)

    def _release(self, account: Account) -> None:
        account.late_until = 0.0
        self.flush_account(account)

    def flush(self) -> None:
        touched, self._touched = self._touched, {}
        for account in touched.values():
            self.flush_account(account)

    def flush_account(self, account: Account) -> None:
        """Send what has happened, unless a fault holds it back."""
        if not account.outbox or self._loop.time() < account.late_until:
            return
        events, account.outbox = account.outbox, []
        for socket in tuple(account.login.sockets):
            records = socket.deliver(account.id, events)
            if records and self.faults.take("garbled", account, "hubs/user", by_default=False) is not None:
                socket.garble(records)
            else:
                socket.send(records)
