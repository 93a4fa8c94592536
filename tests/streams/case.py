"""What a case says: an alert stream and settings, and what must be true in the end at both sides' books."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

MARKETS: dict[str, Decimal] = {
    root: Decimal(price)
    for root, price in (
        ("MNQ", "25000"), ("NQ", "25000"), ("MES", "6000"), ("ES", "6000"), ("M2K", "2300"), ("RTY", "2300"),
        ("MYM", "46000"), ("YM", "46000"), ("MCL", "60"), ("CL", "60"), ("MGC", "4100"), ("GC", "4100"), ("SI", "50"),
        ("SIL", "50"), ("HG", "5"), ("NG", "4"), ("6E", "1.15"), ("M6E", "1.15"), ("6J", "0.0065"), ("6B", "1.3"),
        ("6A", "0.65"), ("ZN", "112"), ("ZB", "116"), ("ZC", "430"), ("MBT", "90000"), ("MET", "3000"),
    )
}  # fmt: skip
"""Roots that are traded, and the price at which each is held before a case moves it."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A JSON alert. `age` seconds lie between its own time and its sending; None: it has no time of its own.

    `to` is the place of the recorder among the case's own.
    """

    fields: Mapping[str, Any]
    age: float | None = None
    to: int = 0

    def body(self, ticker: str, fired_at: datetime, number: int) -> bytes:
        written = {"ticker": ticker, **self.fields}
        if self.age is not None:
            written["fired_at"] = stamp(fired_at - timedelta(seconds=self.age))
        else:
            # Without a time of its own, the same alert again within seconds would be a resend.
            written["alert_number"] = number
        return json.dumps({name: value for name, value in written.items() if value is not None}).encode()


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they are, sent `times` times. `@NOW@` becomes the moment, `@NUMBER@` a number that does not repeat."""

    text: str | bytes
    times: int = 1
    content_type: str = "text/plain"
    to: int = 0

    def body(self, _ticker: str, fired_at: datetime, number: int) -> bytes:
        raw = self.text.encode() if isinstance(self.text, str) else self.text
        return raw.replace(b"@NOW@", stamp(fired_at).encode()).replace(b"@NUMBER@", str(number).encode())


@dataclass(frozen=True, slots=True)
class Price:
    """The market of the case trades here now."""

    price: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Expect:
    """`net` is signed contracts for each trader, `legs` the working orders at the venue; None is not looked at."""

    net: tuple[int, ...]
    legs: tuple[str, ...] | None = None


Sent = Alert | Raw
Step = Sent | Price | Pause | tuple[Sent, ...]
"""A tuple is sent at once, in its order, with one second as the time of all."""


@dataclass(frozen=True)
class Case:
    """Steps, then what is held and working, and the reasons of what was not done, in order.

    `second` are the settings of another recorder that trades on the same account. `routes` are further accounts of the
    trader, or, with overrides of their own, further traders. `net` has a place for each: the first trader, `routes`,
    the second recorder's. `placed` counts the orders that opened or closed something at the venue, `stored` signals.
    """

    name: str
    steps: tuple[Step | Expect, ...]
    net: int | tuple[int, ...] = 0
    legs: tuple[str, ...] | None = ()
    codes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    trader: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[Mapping[str, Any], ...] = ()
    second: Mapping[str, Any] | None = None
    recorder: Mapping[str, Any] = field(default_factory=dict)
    market: str = "MNQ"
    pnl: str | None = None
    placed: int | None = None
    stored: int | None = None

    @property
    def ends(self) -> Expect:
        return expect(self.net, self.legs)

    def slots(self) -> list[tuple[Step, list[Expect]]]:
        """Each step with what must hold when all is quiet after it."""
        found: list[tuple[Step, list[Expect]]] = []
        for step in self.steps:
            if isinstance(step, Expect):
                found[-1][1].append(step)
            else:
                found.append((step, []))
        return found


def expect(net: int | tuple[int, ...], legs: tuple[str, ...] | None = None) -> Expect:
    return Expect(net if isinstance(net, tuple) else (net,), legs if legs is None else tuple(sorted(legs)))


def stamp(moment: datetime) -> str:
    """As `{{timenow}}` writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def act(action: str, /, *, age: float | None = None, to: int = 0, **fields: Any) -> Alert:
    """An alert that says what to do and nothing of positions."""
    return Alert({"action": action, **fields}, age, to)


def buy(**given: Any) -> Alert:
    return act("buy", **given)


def sell(**given: Any) -> Alert:
    return act("sell", **given)


def close(**given: Any) -> Alert:
    return act("close", **given)


def fill(moved: str, *, age: float = 0, to: int = 0, **fields: Any) -> Alert:
    """Our own template, filled in by a strategy that went from one position to another: `0>1`, `3>2`, `1>-1`."""
    before, after = (int(part) for part in moved.split(">"))
    written = {
        "v": 1,
        "strategy": "nq-trend",
        "exchange": "CME_MINI",
        "interval": "5",
        "action": "buy" if after >= before else "sell",
        "contracts": str(abs(after - before)),
        "order_id": "Long" if after > 0 else "Short",
        "position": _side(after),
        "position_size": str(abs(after)),
        "prev_position": _side(before),
        "prev_position_size": str(abs(before)),
    }
    return Alert({**written, **fields}, age, to)


def _side(position: int) -> str:
    return "flat" if position == 0 else "long" if position > 0 else "short"


def long(qty: int, *, at: str = "25000", target: str = "10", stop: str = "5") -> tuple[str, ...]:
    """The exits of a long position whose one target and stop are so many points from the entry."""
    return _exits("sell", 1, qty, at, target, stop)


def short(qty: int, *, at: str = "25000", target: str = "10", stop: str = "5") -> tuple[str, ...]:
    return _exits("buy", -1, qty, at, target, stop)


def _exits(action: str, sign: int, qty: int, at: str, target: str, stop: str) -> tuple[str, ...]:
    prices = (("limit", Decimal(at) + sign * Decimal(target)), ("stop", Decimal(at) - sign * Decimal(stop)))
    return tuple(f"{action} {qty} {kind} {plain(price)}" for kind, price in prices)


def plain(price: Decimal) -> str:
    """Without an exponent or zeros at the end."""
    return format(price.normalize(), "f")
