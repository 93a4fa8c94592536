"""A user with a recorder and followers at the sandbox, and what both sides' books say about them."""

from __future__ import annotations

import itertools
import json
import secrets
from dataclasses import dataclass
from typing import Any

import requests

from accounts.models import User
from brokers.base import STOP_PREFIX, TARGET_PREFIX, ConnectionState
from brokers.instruments import resolve
from brokers.models import BrokerLogin
from brokers.sandbox.testing import RunningSandbox
from brokers.services import connect_login
from execution.models import OrderIntent, Position
from justtrades import clock
from recorders.models import Recorder, Signal
from recorders.services import create_recorder
from tests.e2e.plant import Plant
from traders.models import Trader
from traders.services import create_trader

PRICE = 25_000.0
TICKER = "MNQ1!"
TARGET_TICKS, STOP_TICKS = 40, 20
TARGET_POINTS, STOP_POINTS = 10.0, 5.0
_numbers = itertools.count()


def symbol() -> str:
    """The contract that the alerts mean today."""
    return resolve(TICKER, clock.now().date()).symbol


@dataclass(frozen=True, slots=True)
class Follower:
    """A trader, and its account at the venue."""

    plant: Plant
    trader: Trader

    @property
    def venue(self) -> str:
        return self.trader.account.login.venue

    @property
    def sandbox(self) -> RunningSandbox:
        return self.plant.sandboxes[self.venue]

    @property
    def broker_id(self) -> int:
        """The sandbox's number of the account; what Webull calls it is a text."""
        name = self.trader.account.broker_id
        if name.isdigit():
            return int(name)
        return next(row.id for row in self.sandbox.accounts if row.username == self.login_name)

    @property
    def login_name(self) -> str:
        return self.trader.account.login.username

    @property
    def at_venue(self) -> dict[str, Any]:
        return self.sandbox.account_state(self.broker_id)

    @property
    def venue_net(self) -> int:
        return sum(row["netPos"] for row in self.at_venue["positions"])

    @property
    def venue_exits(self) -> list[tuple[str, str, int, float | None]]:
        """Working orders: action, type, quantity, price."""
        orders = self.at_venue["workingOrders"]
        return sorted(
            (one["action"], one["orderType"], one["qty"], one["stopPrice"] if one["price"] is None else one["price"])
            for one in orders
        )

    @property
    def is_flat_at_venue(self) -> bool:
        state = self.at_venue
        return state["positions"] == state["workingOrders"] == state["suspendedOrders"] == []

    @property
    def net(self) -> int:
        return sum(Position.objects.filter(trader=self.trader).values_list("net_qty", flat=True))

    @property
    def position(self) -> Position:
        return Position.objects.get(trader=self.trader, symbol=symbol())

    @property
    def intents(self) -> list[OrderIntent]:
        return list(OrderIntent.objects.filter(trader=self.trader).order_by("created_at", "id"))

    def entries_at_venue(self) -> list[str]:
        """The client order ids of what was placed, one per placing; exit legs of ours are not among them."""
        names = [name for row in self.at_venue["entries"] if (name := row["uuid"] or row["clOrdId"]) is not None]
        return [name for name in names if not name.startswith((TARGET_PREFIX, STOP_PREFIX))]


class House:
    """One recorder of one user; `post` sends it an alert through the real door and remembers what was promised.

    Its entries are one contract with a target and a stop, unless `settings` say otherwise.
    """

    def __init__(self, plant: Plant, owner: User, **settings: Any) -> None:
        self.plant = plant
        self.owner = owner
        usual = {"targets": [{"distance": TARGET_TICKS}], "stop_distance": STOP_TICKS}
        self.recorder: Recorder
        self.recorder, self.token = create_recorder(
            owner=owner, name=f"Recorder {next(_numbers)}", settings={**usual, **settings}
        )
        self.followers: list[Follower] = []
        self.promised: list[str] = []

    def connect(self, username: str, password: str, venue: str = "tradovate") -> BrokerLogin:
        return connect_login(owner=self.owner, venue=venue, environment="sandbox", username=username, password=password)

    def follow(self, count: int = 1, venue: str = "tradovate", **trader: Any) -> list[Follower]:
        """New logins with one account each, following this recorder."""
        sandbox = self.plant.sandboxes[venue]
        rows = sandbox.add_accounts(count)
        sandbox.accounts += rows
        for row in rows:
            self.follow_on(self.connect(row.username, row.password, venue), **trader)
        return self.followers[-count:]

    def follow_paper(self, count: int = 1, **trader: Any) -> list[Follower]:
        """New paper accounts, following this recorder."""
        for number in range(count):
            name = f"paper{next(_numbers)}-{number}"
            login = connect_login(
                owner=self.owner, venue="paper", environment="sandbox", username=name, slippage_ticks="0"
            )
            self.follow_on(login, **trader)
        return self.followers[-count:]

    def follow_on(self, login: BrokerLogin, **trader: Any) -> list[Follower]:
        """Every futures account of the login, following this recorder."""
        accounts = login.accounts.filter(kind__in=["", "FUTURES", "PAPER"]).order_by("broker_id")
        made = [
            Follower(self.plant, create_trader(owner=self.owner, recorder=self.recorder, account=account, **trader))
            for account in accounts
        ]
        self.followers += made
        return made

    def await_live(self, timeout_s: float = 20) -> None:
        logins = {follower.trader.account.login_id for follower in self.followers}
        live = BrokerLogin.objects.filter(pk__in=logins, state=ConnectionState.LIVE.value)
        self.plant.until(lambda: live.count() == len(logins), "every login is live", timeout_s)

    def alert(self, action: str, **fields: Any) -> bytes:
        return json.dumps({"action": action, "ticker": TICKER, "id": secrets.token_hex(4), **fields}).encode()

    def post(self, action: str, **fields: Any) -> str:
        """The signal's id."""
        reply = self.send(self.alert(action, **fields))
        assert reply.status_code == requests.codes.ok, reply.text
        return self.promised[-1]

    def send(self, body: bytes, *, web_url: str = "", timeout_s: float = 10) -> requests.Response:
        """A 200 is a promise: see `promised`."""
        address = f"{web_url or self.plant.web_url}/webhook/{self.token}/"
        reply = requests.post(address, data=body, timeout=timeout_s)
        if reply.status_code == requests.codes.ok:
            self.promised.append(reply.json()["signal_id"])
        return reply

    def signal(self, signal_id: str) -> Signal:
        return Signal.objects.get(pk=signal_id)

    def await_protected(self, side: int, qty: int = 1, timeout_s: float = 20) -> None:
        """Every follower holds `side` times `qty` on both sides' books, under a working stop of that size."""
        for follower in self.followers:
            self.plant.until(
                lambda f=follower: f.net == f.venue_net == side * qty and _covered(f) == qty,  # type: ignore[misc]
                f"{follower.trader.account} holds {side * qty:+d} under its stop",
                timeout_s,
            )

    def await_flat(self, timeout_s: float = 20) -> None:
        """No follower holds anything or has anything working, on both sides' books."""
        for follower in self.followers:
            self.plant.until(
                lambda f=follower: f.net == 0 and f.is_flat_at_venue,  # type: ignore[misc]
                f"{follower.trader.account} is flat with no working order",
                timeout_s,
            )

    def retire(self) -> None:
        """Have the lane let go of the logins."""
        BrokerLogin.objects.filter(owner=self.owner).update(is_enabled=False)


def _covered(follower: Follower) -> int:
    """Contracts under a working stop at the venue, if our own books say protected, too."""
    if Position.objects.filter(trader=follower.trader, unprotected_since__isnull=False).exists():
        return 0
    return sum(qty for _, kind, qty, _ in follower.venue_exits if kind == "Stop")
