"""What the sandbox process asks of a venue: to listen, to be looked into, and to be upset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from brokers.sandbox.arrivals import ArrivalLog
from brokers.sandbox.faults import Fault, FaultBook
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import PriceBoard
from brokers.sandbox.switches import SwitchSet
from brokers.sandbox.workqueue import WorkQueue

Row = dict[str, Any]
Every = Callable[[float, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. Port 0 takes a free one; ``accounts`` counts logins of one account each."""

    venue: str = "tradovate"
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    accounts: int = 5
    seed: int = 1
    state_file: Path | None = None


@dataclass(frozen=True, slots=True)
class NewLogin:
    username: str
    password: str
    accounts: list[str]
    balance: Decimal


class HostedVenue(Protocol):
    """One venue in its process. All but ``start`` and ``stop`` is called between requests, on the event loop."""

    name: str
    queue: WorkQueue
    arrivals: ArrivalLog
    board: PriceBoard
    changed_at: float | None
    """When the books last changed (``time.monotonic``), None once they are saved."""

    @property
    def faults(self) -> FaultBook: ...

    @property
    def switches(self) -> SwitchSet: ...

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the port is taken."""

    async def stop(self) -> None: ...

    def start_clocks(self, every: Every) -> None:
        """Register the venue's periodic work."""

    def description(self) -> Row:
        """Addresses, and ``accounts`` with what is needed to sign in, as the command prints them."""

    def state(self) -> Row:
        """``{"accounts": [...]}``, each with ``id, name, username, positions [{symbol, netPos, netPrice}],
        workingOrders, suspendedOrders [{id, symbol, action Buy|Sell, orderType Market|Limit|Stop|TrailingStop,
        qty (remaining), orderQty, price, stopPrice, ordStatus, clOrdId, parentId, ocoId}], orders, fills, balance,
        realizedPnL, openPnL, entries [{clOrdId, uuid, ...}]``: the same shape for every venue, never delayed by faults.
        ``symbol`` is the exchange's name (MNQZ6), whatever the venue calls it; ``entries`` lists every order request
        that was accepted, so that a checker can count doubles.
        """

    def contract_named(self, symbol: object) -> Contract:
        """Raises BadFieldError naming ``symbol``."""

    def subject_named(self, name: object) -> Any:
        """The account or login of this id, name or username; None for ``*``. Raises BadFieldError."""

    def owner_of(self, subject: Any) -> tuple[int | None, str | None]:
        """What a fault for the subject is filed under: an account's id, or a login's username."""

    def act_at_once(self, fault: Fault, subject: Any) -> int:
        """Carry out a fault that happens now instead of waiting for a request; how many it touched."""

    def add_numbered_logins(self, count: int) -> list[Row]:
        """Further logins of one account each; a row per account, as in ``description``."""

    def add_login(self, wanted: NewLogin) -> list[Row]: ...

    def login_count(self) -> int: ...

    def socket_count(self) -> int:
        """Open streams of any kind."""

    def manual_trade(self, account: Any, contract: Contract, action: str, qty: int) -> Row:
        """A market order that nobody's software placed. ``action`` is Buy or Sell."""

    def reset(self) -> None:
        """Books as on the first day; logins, tokens and sockets stay."""

    def roll_session(self) -> None: ...

    def dump(self) -> Row:
        """Everything a second start needs, as JSON can hold it (Decimals are written as text)."""

    def load(self, saved: Row) -> None:
        """Raises KeyError or TypeError when ``saved`` is not what ``dump`` made."""
