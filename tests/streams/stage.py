"""Plays all cases at the same time: step after step, each one once all is quiet after the one before."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import requests

from accounts.models import User
from brokers.base import ConnectionState
from brokers.instruments import resolve
from brokers.models import BrokerAccount, BrokerLogin
from brokers.services import connect_login
from justtrades import clock
from recorders.models import Recorder, Signal, SignalStatus
from recorders.services import create_recorder
from tests.e2e.plant import Plant
from tests.streams.books import Books, codes_of
from tests.streams.case import MARKETS, Case, Expect, Pause, Price, Raw, Sent, Step
from traders.models import Trader
from traders.services import create_trader

ACCOUNTS_PER_LOGIN = 16
BALANCE = 10_000_000
SENDERS = 4
MOST_AT_ONCE = 100
MOST_WAITING = 10
PATIENCE_S = 40.0
POLL_S = 0.1
USUAL = {"targets": [{"distance": 40}], "stop_distance": 20}
_numbers = itertools.count(1)


@dataclass(slots=True)
class Outcome:
    """What came of a case. `troubles` are expectations on the way that did not come true in time."""

    net: tuple[int, ...] = ()
    legs: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    differences: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    pnl: str = ""
    placed: int = 0
    stored: int = 0


@dataclass(slots=True)
class Actor:
    """A case on the stage: its recorders' ids and addresses, its traders' ids and their accounts."""

    case: Case
    recorders: list[UUID] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    traders: list[tuple[UUID, int]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    is_stuck: bool = False

    @property
    def accounts(self) -> list[int]:
        return list(dict.fromkeys(account for _, account in self.traders))

    def is_as(self, wanted: Expect, books: Books) -> bool:
        legs_fit = wanted.legs is None or books.legs_of(self.accounts) == wanted.legs
        return legs_fit and self.net(books) == wanted.net

    def net(self, books: Books) -> tuple[int, ...]:
        return tuple(books.net_of(trader) for trader, _ in self.traders)

    def busy(self, books: Books) -> list[str]:
        found = [
            text for key in (*self.recorders, *(one for one, _ in self.traders)) for text in books.busy.get(key, ())
        ]
        for account in self.accounts:
            found += books.differences(account, [trader for trader, of in self.traders if of == account])
        return found


class Stage:
    """All cases of one user, at a market that is held still where no case moves it."""

    def __init__(self, plant: Plant, cases: Sequence[Case]) -> None:
        self.plant = plant
        self.owner = User.objects.create(
            email=f"streams{next(_numbers)}@example.com", is_approved=True, time_zone="UTC"
        )
        self.actors = [Actor(case) for case in cases]
        self._http = requests.Session()
        self._second = clock.now().replace(microsecond=0) - timedelta(seconds=8)

    def play(self) -> dict[str, Outcome]:
        """By the case's name."""
        for root, price in MARKETS.items():
            self.plant.sandbox.price(symbol_of(root), float(price))
        self._cast()
        scripts = [(actor, actor.case.slots()) for actor in self.actors]
        for number in range(max(len(slots) for _, slots in scripts)):
            now = [(actor, *slots[number]) for actor, slots in scripts if number < len(slots) and not actor.is_stuck]
            self._act([(actor, step) for actor, step, _ in now])
            self._until_quiet(number, [(actor, wanted) for actor, _, wanted in now])
        self._until_quiet(None, [(actor, [actor.case.ends]) for actor in self.actors if not actor.is_stuck])
        books = Books.read(self.plant)
        for actor in self.actors:
            _take_down(actor, books)
        return {actor.case.name: actor.outcome for actor in self.actors}

    def _cast(self) -> None:
        accounts = iter(self._accounts(sum(1 + len(actor.case.routes) for actor in self.actors)))
        for actor in self.actors:
            case, own = actor.case, next(accounts)
            lead = self._recorder(actor, {**USUAL, **case.settings}, case.recorder, own, case.trader)
            for route in case.routes:
                lead_of = {} if "overrides" in route else {"route_of": lead}
                self._follow(actor, lead.recorder, next(accounts), {**route, **lead_of})
            if case.second is not None:
                self._recorder(actor, {**USUAL, **case.second}, {}, own, {})

    def _recorder(
        self,
        actor: Actor,
        settings: Mapping[str, Any],
        given: Mapping[str, Any],
        account: BrokerAccount,
        trader: Mapping[str, Any],
    ) -> Trader:
        name = f"{actor.case.name[:60]} {next(_numbers)}"
        recorder, token = create_recorder(owner=self.owner, name=name, settings=settings, **given)
        actor.recorders.append(recorder.id)
        actor.addresses.append(f"{self.plant.web_url}/webhook/{token}/")
        return self._follow(actor, recorder, account, trader)

    def _follow(self, actor: Actor, recorder: Recorder, account: BrokerAccount, given: Mapping[str, Any]) -> Trader:
        trader = create_trader(owner=self.owner, recorder=recorder, account=account, **given)
        actor.traders.append((trader.id, int(account.broker_id)))
        return trader

    def _accounts(self, count: int) -> list[BrokerAccount]:
        """New ones, of logins that are live."""
        wanted = [
            {
                "username": f"streams{next(_numbers)}",
                "password": "a-password",
                "accounts": [f"STREAMS{next(_numbers)}" for _ in range(min(ACCOUNTS_PER_LOGIN, count - start))],
                "balance": BALANCE,
            }
            for start in range(0, count, ACCOUNTS_PER_LOGIN)
        ]
        self.plant.sandbox.post("/accounts", logins=wanted)
        for row in wanted:
            who = {"username": str(row["username"]), "password": str(row["password"])}
            connect_login(owner=self.owner, venue="tradovate", environment="sandbox", **who)
        mine = BrokerLogin.objects.filter(owner=self.owner)
        live = mine.filter(state=ConnectionState.LIVE.value)
        self.plant.until(lambda: live.count() == len(wanted), "every login is live")
        return list(BrokerAccount.objects.filter(owner=self.owner).order_by("broker_id"))

    def _act(self, now: list[tuple[Actor, Step]]) -> None:
        prices = {(actor.case.market, step.price) for actor, step in now if isinstance(step, Price)}
        for root, price in sorted(prices):
            self.plant.sandbox.price(symbol_of(root), float(price))
        sent = [(actor, _sent(step)) for actor, step in now if _sent(step)]
        # Whatever belongs to the next step is of a later second, however fast we are.
        earliest = self._second + timedelta(seconds=1)
        for start in range(0, len(sent), MOST_AT_ONCE):
            self._second = max(clock.now().replace(microsecond=0), earliest)
            with ThreadPoolExecutor(SENDERS) as senders:
                list(senders.map(lambda one: self._send(*one), sent[start : start + MOST_AT_ONCE]))
            self._until_planned()
        time.sleep(max([step.seconds for _, step in now if isinstance(step, Pause)], default=0))

    def _send(self, actor: Actor, alerts: Sequence[Sent]) -> None:
        for alert in alerts:
            kind, times = (alert.content_type, alert.times) if isinstance(alert, Raw) else ("application/json", 1)
            body = alert.body(f"{actor.case.market}1!", self._second, next(_numbers))
            for _ in range(times):
                reply = self._http.post(
                    actor.addresses[alert.to], data=body, headers={"Content-Type": kind}, timeout=10
                )
                if reply.status_code != requests.codes.ok:
                    actor.outcome.troubles.append(f"answered {reply.status_code}")

    def _until_planned(self) -> None:
        """However slow the machine is, no entry may grow old in the queue of all of them."""
        waiting = Signal.objects.filter(owner=self.owner, status=SignalStatus.RECEIVED)
        self.plant.until(lambda: waiting.count() <= MOST_WAITING, "signals are planned", PATIENCE_S)

    def _until_quiet(self, number: int | None, now: list[tuple[Actor, list[Expect]]]) -> None:
        """A case that does not come to rest, or not to what it expects here, takes no further part."""
        deadline = time.monotonic() + PATIENCE_S
        waiting = now
        while True:
            books = Books.read(self.plant)
            waiting = [(actor, wanted) for actor, wanted in waiting if _is_open(actor, wanted, books)]
            if not waiting:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        for actor, wanted in waiting:
            place = "at the end" if number is None else f"after step {number + 1}"
            state = f"{actor.net(books)} {books.legs_of(actor.accounts)}, wanted {wanted}, busy {actor.busy(books)}"
            actor.outcome.troubles.append(f"{place}: {state}")
            actor.is_stuck = True


def _is_open(actor: Actor, wanted: list[Expect], books: Books) -> bool:
    return bool(actor.busy(books)) or not all(actor.is_as(one, books) for one in wanted)


def _sent(step: Step) -> tuple[Sent, ...]:
    if isinstance(step, Price | Pause):
        return ()
    return step if isinstance(step, tuple) else (step,)


def _take_down(actor: Actor, books: Books) -> None:
    outcome = actor.outcome
    outcome.net, outcome.legs = actor.net(books), books.legs_of(actor.accounts)
    outcome.codes = codes_of(actor.recorders)
    outcome.differences = actor.busy(books)
    outcome.pnl = f"{sum((books.realized[trader] for trader, _ in actor.traders), Decimal(0)):.2f}"
    outcome.placed = sum(len(books.venue[account]["entries"]) for account in actor.accounts)
    outcome.stored = Signal.objects.filter(recorder_id__in=actor.recorders).count()


def symbol_of(root: str) -> str:
    """The contract that the root's continuous ticker means today."""
    return resolve(f"{root}1!", clock.now().date()).symbol


def check_markets(cases: Iterable[Case]) -> None:
    """Cases share a market; what one of them moves must not surprise another."""
    scripts: dict[str, tuple[tuple[int, str], ...]] = {}
    for case in cases:
        script = [step.price if isinstance(step, Price) else None for step, _ in case.slots()]
        moves = tuple((at, price) for at, price in enumerate(script) if price is not None)
        known = scripts.setdefault(case.market, moves)
        assert known == moves, f"{case.name}: moves {case.market} otherwise than a case before it"
