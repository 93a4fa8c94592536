"""The Tradovate sandbox as a whole: logins, sessions, sockets, engine, and what the control interface asks of it."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

from aiohttp import web

from brokers.sandbox.arrivals import ArrivalLog
from brokers.sandbox.faults import Fault, FaultBook
from brokers.sandbox.host import Every, NewLogin, Row
from brokers.sandbox.listening import SHUTDOWN_SECONDS, listen
from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import TICKS_PER_SECOND
from brokers.sandbox.tradovate import autoliq, daybreak, execution, marketdata, persistence, scripting, statements
from brokers.sandbox.tradovate.books import FIRST_ACCOUNT_ID, FIRST_ID, FIRST_USER_ID, Account, Cash, Ids, Login
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.dispatch import Dispatcher
from brokers.sandbox.tradovate.faultkinds import TRADOVATE_KINDS
from brokers.sandbox.tradovate.gateway import MARKET_DATA_SOCKET, USER_SOCKET, Gateway
from brokers.sandbox.tradovate.oauth import OAuthDesk
from brokers.sandbox.tradovate.ratelimits import RateLimits
from brokers.sandbox.tradovate.sessions import Session, SessionBook
from brokers.sandbox.tradovate.sockets import Socket
from brokers.sandbox.tradovate.switches import Switches
from brokers.sandbox.tradovate.wire import money
from brokers.sandbox.workqueue import WorkQueue

OPENING_BALANCE = Decimal(50_000)
HOUSEKEEPING_SECONDS = 0.5
MARGIN_FIGURES = (
    "initialMargin",
    "maintenanceMargin",
    "autoLiqLevel",
    "liqOnlyLevel",
    "totalUsedMargin",
    "fullInitialMargin",
    "positionMargin",
    "totalUsedFullMargin",
    "openCollateralReq",
)


class Venue:
    name = "tradovate"

    def __init__(self, queue: WorkQueue, seed: int) -> None:
        self.queue = queue
        self.switches = Switches()
        self.faults = FaultBook(TRADOVATE_KINDS)
        self.arrivals = ArrivalLog()
        self.sessions = SessionBook(self.switches)
        self.oauth = OAuthDesk()
        self.limits = RateLimits()
        self.logins: dict[str, Login] = {}
        self.accounts: dict[int, Account] = {}
        self.sockets: list[Socket] = []
        self.rest_url = self.ws_url = self.md_url = self.moved_url = ""
        self._runner: web.ServerRunner | None = None
        self.changed_at: float | None = None
        self.desk = Desk(queue, self.switches, self.faults, seed, Ids(FIRST_ID))
        self.desk.settle = lambda: execution.settle(self.desk)
        self.desk.on_move = self._on_move
        self.board = self.desk.board
        self.dispatcher = Dispatcher(self)
        self._trade_date = self.desk.trade_date()

    def note_change(self) -> None:
        self.changed_at = time.monotonic()

    def api_hosts(self) -> dict[str, str]:
        host = self.moved_url if self.switches.moved else self.rest_url
        return {"demo": host, "reportingDemo": host}

    def add_login(self, wanted: NewLogin) -> list[Row]:
        """A login with its accounts; an existing username is answered as it is, unchanged."""
        known = self.logins.get(wanted.username)
        if known is not None:
            return statements.login_description(known)
        login = Login(wanted.username, wanted.password, FIRST_USER_ID + len(self.logins), self.desk.stamp())
        self.logins[wanted.username] = login
        for name in wanted.accounts:
            self._add_account(login, name, wanted.balance)
        self.note_change()
        return statements.login_description(login)

    def add_numbered_logins(self, count: int) -> list[Row]:
        """Further logins of one account each, named after the account's id."""
        added: list[Row] = []
        for _ in range(count):
            number = FIRST_ACCOUNT_ID + len(self.accounts)
            wanted = NewLogin(f"sandbox{number}", f"secret-{number}", [f"DEMO{number}"], OPENING_BALANCE)
            added += self.add_login(wanted)
        return added

    def login_count(self) -> int:
        return len(self.logins)

    def socket_count(self) -> int:
        return len(self.sockets)

    def _add_account(self, login: Login, name: str, balance: Decimal) -> None:
        account_id = FIRST_ACCOUNT_ID + len(self.accounts)
        now = self.desk.stamp()
        account = Account(account_id, name, login, balance, Cash(balance, balance), now)
        login.accounts.append(account)
        self.accounts[account_id] = account
        self.open_books(account)

    def open_books(self, account: Account) -> None:
        """The rows every account has from its first day."""
        now, rows = self.desk.stamp(), account.rows
        cash_id = self.desk.ids.take()
        rows["cashBalance"][cash_id] = {
            "id": cash_id,
            "accountId": account.id,
            "timestamp": now,
            "tradeDate": self.desk.trade_date(),
            "currencyId": 1,
            "archived": False,
        }
        account.cash_row(now)
        row = {"id": account.id, "timestamp": now, "riskTimePeriodId": 10}
        rows["marginSnapshot"][account.id] = row | dict.fromkeys(MARGIN_FIGURES, 0.0)
        level = money(account.opening_balance)
        rows["accountRiskStatus"][account.id] = {"id": account.id, "maxNetLiq": level, "minNetLiq": level}
        rows["userAccountAutoLiq"][account.id] = {"id": account.id}

    def open_session(self, login: Login, device_id: str | None) -> tuple[Session, str]:
        """Sign in; the sessions this pushes out lose their tokens and sockets."""
        session, token, evicted = self.sessions.open(login, device_id)
        for socket in [s for s in self.sockets if s.session in evicted]:
            socket.shut_down("ConnectionQuotaReached")
        self.note_change()
        return session, token

    def enforce_connection_limit(self, login: Login) -> None:
        mine = self.sockets_of(login)
        for socket in mine[: -self.switches.max_connections]:
            socket.shut_down("ConnectionQuotaReached")

    def starve_same_device(self, newcomer: Socket) -> None:
        """A second sign-in with the same deviceId silences the first one's sockets (seen by one client)."""
        session = newcomer.session
        if not self.switches.same_device_starves or session is None or session.device_id is None:
            return
        for socket in self.sockets_of(session.login):
            other = socket.session
            if other is not None and other is not session and other.device_id == session.device_id:
                socket.silent = True

    def sockets_of(self, login: Login | None) -> list[Socket]:
        """Signed-in sockets of a login, oldest first; None for all."""
        return [s for s in self.sockets if s.session is not None and (login is None or s.session.login is login)]

    def attach(self, socket: Socket) -> None:
        self.sockets.append(socket)

    def detach(self, socket: Socket) -> None:
        self.sockets.remove(socket)
        if socket.session is not None and socket in socket.session.login.subscribers:
            socket.session.login.subscribers.remove(socket)

    def tend_sockets(self) -> None:
        """Heartbeats, and the end of sockets whose client has gone quiet."""
        now = time.monotonic()
        for socket in tuple(self.sockets):
            if now - socket.last_received > self.switches.heartbeat_timeout:
                socket.close()
            else:
                socket.beat(now)

    def walk_prices(self) -> None:
        """One tick of the seeded feed for everything somebody holds, watches or has orders in."""
        active = {contract_id for contract_id, orders in self.desk.working.items() if orders}
        for account in self.accounts.values():
            active.update(p.contract.id for p in account.positions.values() if p.net != 0)
        for socket in self.sockets:
            active |= socket.quoted
        self.desk.board.walk(self.desk.catalog.by_id[contract_id] for contract_id in sorted(active))

    def roll_session(self) -> None:
        for account in self.accounts.values():
            daybreak.roll_session(self.desk, account)
        self.note_change()

    def _roll_when_due(self) -> None:
        today = self.desk.trade_date()
        if today != self._trade_date:
            self._trade_date = today
            self.roll_session()

    def _on_move(self, contract: Contract) -> None:
        execution.on_move(self.desk, contract)
        autoliq.look(self.desk)
        marketdata.push_quote(self.desk, contract, self.sockets)

    async def start(self, host: str, port: int) -> None:
        """Listen for REST and sockets on one port, and on a second to move to. Raises OSError when it is taken."""
        self._runner = web.ServerRunner(Gateway(self, asyncio.get_running_loop()), shutdown_timeout=SHUTDOWN_SECONDS)
        base = f"{host}:{await listen(self._runner, host, port)}"
        self.rest_url = f"http://{base}/v1"
        self.ws_url, self.md_url = f"ws://{base}{USER_SOCKET}", f"ws://{base}{MARKET_DATA_SOCKET}"
        await web.TCPSite(self._runner, host, 0).start()
        self.moved_url = f"http://{host}:{self._runner.addresses[-1][1]}/v1"

    async def stop(self) -> None:
        for socket in tuple(self.sockets):
            socket.shut_down("Maintenance")
        if self._runner is not None:
            await self._runner.cleanup()

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

    def start_clocks(self, every: Every) -> None:
        """Register the venue's periodic work with ``every(seconds, job)``."""
        every(1 / TICKS_PER_SECOND, self.walk_prices)
        every(HOUSEKEEPING_SECONDS, self._roll_when_due)
        every(HOUSEKEEPING_SECONDS, self.tend_sockets)
