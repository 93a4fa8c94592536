"""The ProjectX sandbox as a whole: logins, tokens, hubs, engine, and what the control interface asks of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from decimal import Decimal

from aiohttp import web

from brokers.matching.types import Account as Book
from brokers.sandbox.arrivals import ArrivalLog
from brokers.sandbox.faults import Fault
from brokers.sandbox.host import Every, NewLogin, Row
from brokers.sandbox.listening import SHUTDOWN_SECONDS, listen
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import TICKS_PER_SECOND
from brokers.sandbox.projectx import (
    booking,
    exchange,
    marketdata,
    persistence,
    scripting,
    signalr,
    statements,
    timeline,
)
from brokers.sandbox.projectx.books import FIRST_ACCOUNT_ID, FIRST_USER_ID, Account, Login
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.dispatch import Dispatcher
from brokers.sandbox.projectx.gateway import Gateway
from brokers.sandbox.projectx.kinds import ProjectXFaults
from brokers.sandbox.projectx.limits import Limits
from brokers.sandbox.projectx.sockets import HubSocket
from brokers.sandbox.projectx.switches import Switches
from brokers.sandbox.projectx.tokens import TokenBook
from brokers.sandbox.workqueue import WorkQueue

OPENING_BALANCE = Decimal(150_000)
HOUSEKEEPING_SECONDS = 0.25


class Venue:
    name = "projectx"

    def __init__(self, queue: WorkQueue, seed: int) -> None:
        self.queue = queue
        self.switches = Switches()
        self.faults = ProjectXFaults(act=lambda fault: scripting.act(self, fault))
        self.arrivals = ArrivalLog()
        self.limits = Limits(self.switches)
        self.tokens = TokenBook()
        self.logins: dict[str, Login] = {}
        self.accounts: dict[int, Account] = {}
        self.rest_url = self.ws_url = self.md_url = ""
        self.desk = Desk(queue, self.switches, self.faults, seed)
        self.desk.on_move = self._on_move
        self.desk.on_execution = lambda execution: booking.book(self.desk, execution)
        self.board = self.desk.board
        self.dispatcher = Dispatcher(self)
        self._runner: web.ServerRunner | None = None
        self._session = timeline.session_start(datetime.now(UTC))

    @property
    def changed_at(self) -> float | None:
        return self.desk.changed_at

    @changed_at.setter
    def changed_at(self, moment: float | None) -> None:
        self.desk.changed_at = moment

    def note_change(self) -> None:
        self.desk.note_change()

    def add_login(self, wanted: NewLogin) -> list[Row]:
        """A login with its accounts; an existing username is answered as it is, unchanged."""
        known = self.logins.get(wanted.username)
        if known is not None:
            return statements.login_description(known)
        login = Login(wanted.username, wanted.password, FIRST_USER_ID + len(self.logins))
        self.logins[wanted.username] = login
        for name in wanted.accounts:
            account_id = FIRST_ACCOUNT_ID + len(self.accounts)
            book = Book(account_id, name, wanted.balance)
            account = book.extra = Account(account_id, name, login, wanted.balance, book)
            login.accounts.append(account)
            self.accounts[account_id] = account
        self.note_change()
        return statements.login_description(login)

    def add_numbered_logins(self, count: int) -> list[Row]:
        """Further logins with one practice account each."""
        added: list[Row] = []
        for _ in range(count):
            number = FIRST_ACCOUNT_ID + len(self.accounts)
            name = f"PRAC-V2-{FIRST_USER_ID + len(self.logins)}-{number}"
            added += self.add_login(NewLogin(f"trader{number}", f"px-key-{number}", [name], OPENING_BALANCE))
        return added

    def login_count(self) -> int:
        return len(self.logins)

    def socket_count(self) -> int:
        return len(self.desk.sockets)

    def sockets_of(self, login: Login | None) -> list[HubSocket]:
        """Hub connections of a login, oldest first; None for all."""
        return list(self.desk.sockets if login is None else login.sockets)

    def tend_sockets(self) -> None:
        """Pings, and the end of connections whose client has gone quiet or whose token has run out."""
        now, clock = time.monotonic(), time.time()
        for socket in tuple(self.desk.sockets):
            if socket.claims.expires <= clock:
                socket.log_out()
                socket.close(signalr.CLOSED_WITH_ERROR, allow_reconnect=True)
            elif now - socket.last_received > self.switches.client_timeout:
                socket.close(signalr.CLOSED_WITH_ERROR, allow_reconnect=True)
            else:
                socket.beat(now)

    def walk_prices(self) -> None:
        """One tick of the seeded feed for everything somebody holds, watches or has orders in."""
        active: set[Contract] = set()
        for account in self.accounts.values():
            active.update(self.desk.catalog.by_name[name] for name in account.holdings)
            active.update(ticket.contract for ticket in account.working())
        for socket in self.desk.sockets:
            watched = (self.desk.listing.find(subject) for _, subject in socket.wanted if isinstance(subject, str))
            active.update(contract for contract in watched if contract is not None)
        self.board.walk(sorted(active, key=lambda contract: contract.id))

    def _on_move(self, contract: Contract) -> None:
        exchange.on_move(self.desk, contract)
        marketdata.on_move(self.desk, contract)
        self.desk.flush()

    def roll_session(self) -> None:
        scripting.roll_session(self)

    def _roll_when_due(self) -> None:
        session = timeline.session_start(datetime.now(UTC))
        if session != self._session:
            self._session = session
            self.roll_session()

    async def start(self, host: str, port: int) -> None:
        """Listen for REST and hubs on one port. Raises OSError when it is taken."""
        self._runner = web.ServerRunner(Gateway(self, asyncio.get_running_loop()), shutdown_timeout=SHUTDOWN_SECONDS)
        base = f"{host}:{await listen(self._runner, host, port)}"
        self.rest_url = f"http://{base}"
        self.ws_url, self.md_url = f"ws://{base}/hubs/user", f"ws://{base}/hubs/market"

    async def stop(self) -> None:
        for socket in tuple(self.desk.sockets):
            socket.close(signalr.CLOSED_WITH_ERROR, allow_reconnect=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def start_clocks(self, every: Every) -> None:
        every(1 / TICKS_PER_SECOND, self.walk_prices)
        every(HOUSEKEEPING_SECONDS, self.tend_sockets)
        every(HOUSEKEEPING_SECONDS, self._roll_when_due)

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

    def dump(self) -> Row:
        return persistence.dump_venue(self)

    def load(self, saved: Row) -> None:
        persistence.load_venue(self, saved)
