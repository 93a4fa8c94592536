"""The trading desk: what every step of the engine needs at hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from brokers.matching.engine import Engine
from brokers.matching.types import Contract as Traded
from brokers.matching.types import Execution, Policy
from brokers.sandbox.faults import FaultBook
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import PriceBoard, Quote
from brokers.sandbox.webull.books import Account, Ticket
from brokers.sandbox.webull.listings import Listings
from brokers.sandbox.webull.switches import Switches
from brokers.sandbox.webull.wire import Row
from brokers.sandbox.workqueue import WorkQueue

if TYPE_CHECKING:
    from brokers.sandbox.webull.figures import Day
    from brokers.sandbox.webull.streaming import Streaming

FIRST_ORDER_NUMBER = 1
POLICY = Policy()
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Desk:
    """Shared context. ``scripted`` are orders that a fault fills in parts; ``tell`` sends an event to subscribers.

    ``active`` are ids of contracts whose prices move, because somebody trades them or has asked for them.
    """

    streaming: Streaming

    def __init__(self, queue: WorkQueue, switches: Switches, faults: FaultBook, seed: int) -> None:
        self.queue = queue
        self.switches = switches
        self.faults = faults
        self.listings = Listings(lambda: datetime.now(UTC).date())
        self.board = PriceBoard(seed, self._moved)
        self.engine = Engine(self.quote_of, self._executed, POLICY)
        self.following = FIRST_ORDER_NUMBER
        self.scripted: dict[Ticket, None] = {}
        self.active: set[int] = set()
        self.days: dict[int, Day] = {}
        self.on_move: Callable[[Contract], None] = lambda contract: None
        self.on_execution: Callable[[Execution], None] = lambda execution: None
        self.tell: Callable[[Account, Row], None] = lambda account, event: None
        self.note_change: Callable[[], None] = lambda: None

    @property
    def is_open(self) -> bool:
        return self.switches.session == "always_open"

    def quote_of(self, contract: Traded) -> Quote | None:
        """Nothing trades while the market is closed."""
        return self.board.quote(self.listings.by_name[contract.name]) if self.is_open else None

    def take_number(self) -> int:
        taken = self.following
        self.following += 1
        return taken

    def _moved(self, contract: Contract) -> None:
        self.on_move(contract)

    def _executed(self, execution: Execution) -> None:
        self.on_execution(execution)


def order_id(number: int) -> str:
    """26 characters, as the venue's ids have."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f"0352U{digits.rjust(15, '0')}000000"
