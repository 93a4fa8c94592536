"""The Webull sandbox as a whole: logins, ports, engine, and what the control interface asks of it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.matching.types import Account as Book
from brokers.sandbox.arrivals import ArrivalLog
from brokers.sandbox.faults import KINDS, Fault, FaultBook, Kinds
from brokers.sandbox.host import Every, NewLogin, Row
from brokers.sandbox.listening import SHUTDOWN_SECONDS, listen
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import TICKS_PER_SECOND
from brokers.sandbox.webull import execution, figures, freshness, persistence, scripting, statements
from brokers.sandbox.webull.books import FUTURES_CLASS, MARGIN_CLASS, Account, Login
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.dispatch import Dispatcher
from brokers.sandbox.webull.gateway import Gateway
from brokers.sandbox.webull.mqtt import Server
from brokers.sandbox.webull.streaming import PUSHES_PER_SECOND, Streaming
from brokers.sandbox.webull.switches import Switches
from brokers.sandbox.workqueue import WorkQueue

if TYPE_CHECKING:
    from brokers.sandbox.webull.events import EventsPort, Stream

OPENING_BALANCE = Decimal(1_000_000)
FIRST_ACCOUNT_ID = 2_000_001
HOUSEKEEPING_SECONDS = 0.5
CLASSES = (FUTURES_CLASS, MARGIN_CLASS)
_ID_LENGTH = 26
_NOT_HERE = frozenset({"late_average", "penalty_ticket"})
_TEXT_OF_REASON = KINDS["reject"]["reason"][1]
FAULTS: Kinds = {
    **{kind: params for kind, params in KINDS.items() if kind not in _NOT_HERE},
    "reject": KINDS["reject"] | {"reason": ("OPENAPI_TRADE_ORDER_NO_PERMISSION", _TEXT_OF_REASON)},
    "no_events": {},
    "empty_lists": {},
}
"""``no_events``: the stream has pings only, until the fault is deleted. ``empty_lists``: of orders and positions."""


class Venue:
    name = "webull"

    def __init__(self, queue: WorkQueue, seed: int) -> None:
        self.queue = queue
        self.switches = Switches()
        self.faults = FaultBook(FAULTS)
        self.arrivals = ArrivalLog()
        self.logins: dict[str, Login] = {}
        self.accounts: dict[int, Account] = {}
        self.changed_at: float | None = None
        self.rest_url = self.ws_url = self.md_url = ""
        self._runner: web.ServerRunner | None = None
        self._events: EventsPort | None = None
        self.desk = Desk(queue, self.switches, self.faults, seed)
        self.board = self.desk.board
        self.streaming = self.desk.streaming = Streaming(self.desk)
        self.mqtt = self.streaming.server = Server(self)
        self.desk.on_move = self._on_move
        self.desk.on_execution = lambda done: execution.on_execution(self.desk, done)
        self.desk.tell = self._tell
        self.desk.note_change = self.note_change
        self.dispatcher = Dispatcher(self)

    def note_change(self) -> None:
        self.changed_at = time.monotonic()

    def freshness_problem(self, login: Login, timestamp: str, nonce: str) -> str | None:
        """Why a signed request is not taken as new; None when it is."""
        return freshness.staleness(login, self.switches, timestamp, nonce)

    def add_login(self, wanted: NewLogin) -> list[Row]:
        """An app key with a futures and a margin account of this balance, USD; a known key is answered unchanged.

        Accounts are named after their class here, so ``wanted.accounts`` is not looked at.
        """
        known = self.logins.get(wanted.username)
        if known is None:
            number = len(self.logins) + 1
            known = Login(wanted.username, wanted.password, number, str(1_000_000_000 + number))
            self.logins[wanted.username] = known
            for account_class in CLASSES:
                self._add_account(known, account_class, wanted.balance)
            self.note_change()
        return statements.login_description(known)

    def add_numbered_logins(self, count: int) -> list[Row]:
        added: list[Row] = []
        for _ in range(count):
            number = len(self.logins) + 1
            key, secret = _made_up(f"app key {number}")[:32], _made_up(f"app secret {number}")[:32]
            added += self.add_login(NewLogin(key, secret, [], OPENING_BALANCE))
        return added

    def login_count(self) -> int:
        return len(self.logins)

    def socket_count(self) -> int:
        return len(self.streams_of(None)) + len(self.mqtt.clients)

    def _add_account(self, login: Login, account_class: str, balance: Decimal) -> None:
        number, name = FIRST_ACCOUNT_ID + len(self.accounts), f"{account_class}-{login.number}"
        account_id = _made_up(f"account {login.username} {account_class}").upper()[:_ID_LENGTH]
        book = Book(number, name, balance)
        account = Account(number, name, login, account_id, account_class, balance, balance, book)
        login.accounts.append(account)
        self.accounts[number] = account

    def streams_of(self, login: Login | None) -> list[Stream]:
        """Trade event streams of a login; None for all."""
        return [] if self._events is None else self._events.of_login(login)

    def is_silenced(self, account: Account) -> bool:
        """Whether a fault keeps the account's events from its streams."""
        named = any(row["kind"] == "no_events" and row["account"] == account.id for row in self.faults.list())
        return named or self.faults.holds("no_events", account.login.username)

    def _tell(self, account: Account, event: Row) -> None:
        if self._events is not None:
            self._events.tell(account, event)

    def _on_move(self, contract: Contract) -> None:
        if contract.id in self.desk.days:
            figures.of_day(self.desk, contract)
        execution.on_move(self.desk, contract)
        self.streaming.moved(contract)

    def walk_prices(self) -> None:
        """One tick of the seeded feed for everything that somebody trades or watches."""
        self.board.walk(self.desk.listings.by_id[contract_id] for contract_id in sorted(self.desk.active))

    async def start(self, host: str, port: int) -> None:
        """HTTP on ``port``, gRPC and MQTT on the two after it, or all on free ones. Raises OSError."""
        # Importing grpc takes longer than all the rest, and no other venue's start should pay for it.
        from brokers.sandbox.webull.events import EventsPort

        self._events = EventsPort(self)
        self._runner = web.ServerRunner(Gateway(self, asyncio.get_running_loop()), shutdown_timeout=SHUTDOWN_SECONDS)
        self.rest_url = f"http://{host}:{await listen(self._runner, host, port)}"
        self.ws_url = f"{host}:{await self._events.start(host, port and port + 1)}"
        self.md_url = f"{host}:{await self.mqtt.start(host, port and port + 2)}"

    async def stop(self) -> None:
        if self._events is not None:
            await self._events.stop()
        await self.mqtt.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def start_clocks(self, every: Every) -> None:
        every(1 / TICKS_PER_SECOND, self.walk_prices)
        every(1 / PUSHES_PER_SECOND, self.streaming.push)
        every(HOUSEKEEPING_SECONDS, self.mqtt.tend)

    def description(self) -> Row:
        return statements.description(self)

    def state(self) -> Row:
        return statements.venue_state(self)

    def contract_named(self, symbol: object) -> Contract:
        return scripting.contract_named(self, symbol)

    def subject_named(self, name: object) -> Account | Login | None:
        return scripting.subject_named(self, name)

    def owner_of(self, subject: Account | Login | None) -> tuple[int | None, str | None]:
        if isinstance(subject, Account):
            return subject.id, None
        return None, None if subject is None else subject.username

    def act_at_once(self, fault: Fault, subject: Account | Login | None) -> int:
        return scripting.act_at_once(self, fault, subject)

    def manual_trade(self, account: Account, contract: Contract, action: str, qty: int) -> Row:
        return scripting.manual_trade(self, account, contract, action, qty)

    def reset(self) -> None:
        scripting.reset(self)

    def roll_session(self) -> None:
        scripting.roll_session(self)

    def dump(self) -> Row:
        return persistence.dump_venue(self)

    def load(self, saved: Row) -> None:
        persistence.load_venue(self, saved)


def _made_up(text: str) -> str:
    """64 hexadecimal digits, the same on every start."""
    return hashlib.sha256(f"webull sandbox {text}".encode()).hexdigest()
