"""Our side of an account against the broker's. Pure: what is there in, differences out.

Nothing here says what to do about a difference: `breaks` writes it down, `execution.watchdog` takes exits away that are
too many and places again what is missing, and a position is never traded to make books agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from brokers.base import OrderRole, Side

SETTLE = timedelta(seconds=5)
"""A fill younger than this simply arrives with a look; an older one was missing."""


class Kind(StrEnum):
    """As `execution.models.BreakKind`."""

    MISSING_FILL = "missing_fill"
    EXTERNAL_ORDER = "external_order"
    EXTERNAL_POSITION = "external_position"
    QUANTITY = "quantity"
    ORPHANED_EXIT = "orphaned_exit"
    MISSING_EXIT = "missing_exit"
    EXTRA_EXIT = "extra_exit"


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract of an account. `ours` is what its traders hold together, `theirs` what the venue says.

    `expected` is what the venue would hold if the fills that we know of were all there were; None: it was not asked
    for, because `ours` and `theirs` are equal. `awaits_fills`: the venue calls an order of ours filled whose fills we
    do not have. `holders` are the traders that hold some of it.
    """

    symbol: str
    ours: int
    theirs: int
    expected: int | None = None
    holders: int = 1
    awaits_fills: bool = False


@dataclass(frozen=True, slots=True)
class Resting:
    """A working order. `ref` is the venue's id of it."""

    ref: str
    symbol: str
    role: OrderRole
    side: Side
    remaining: int
    created_at: datetime
    comes_with_entry: bool = False
    """Its entry still fills, and it is sized for the whole of that."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A trader's position in one contract, and the exits of ours that work for it."""

    trader: str
    symbol: str
    net: int
    is_unprotected: bool
    is_entering: bool
    is_leaving: bool
    exits: tuple[Resting, ...]


@dataclass(frozen=True, slots=True)
class OldFill:
    """A fill that a look brought, of an order that we had as `status` without it."""

    name: str
    symbol: str
    side: Side
    qty: int
    price: str
    at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Difference:
    """`needs` sightings make it certain; `ref` tells several of a kind apart."""

    kind: Kind
    symbol: str
    ref: str
    ours: str
    theirs: str
    text: str
    needs: int = 2


@dataclass(frozen=True, slots=True)
class Ours:
    """Only what can be compared: contracts with something under way are left out by who reads them."""

    contracts: Sequence[Contract] = ()
    guards: Sequence[Guard] = ()
    strangers: Sequence[Resting] = ()
    """Working orders at the venue that are not ours."""
    old_fills: Sequence[OldFill] = ()


def compare(ours: Ours) -> list[Difference]:
    """In the order in which one explains the other: orders, fills, exits, positions."""
    found = [_stranger(order) for order in ours.strangers]
    found += [_missing_fill(fill) for fill in ours.old_fills]
    for guard in ours.guards:
        found += _exits(guard)
    for contract in ours.contracts:
        found += _position(contract)
    return found


def _stranger(order: Resting) -> Difference:
    text = f"{order.side} {order.remaining} {order.symbol} works at the broker and was not placed by us"
    theirs = f"{order.side} {order.remaining}"
    return Difference(Kind.EXTERNAL_ORDER, order.symbol, order.ref, "nothing", theirs, text, needs=1)


def _missing_fill(fill: OldFill) -> Difference:
    theirs = f"{fill.side} {fill.qty} @ {fill.price} at {fill.at:%H:%M:%S} UTC"
    text = f"the broker had filled {fill.qty} {fill.symbol} of an order that was {fill.status} for us"
    return Difference(Kind.MISSING_FILL, fill.symbol, fill.name, "no such fill", theirs, text, needs=1)


def _position(contract: Contract) -> Iterator[Difference]:
    if contract.ours == contract.theirs:
        return
    ours, theirs = f"{contract.ours:+d}", f"{contract.theirs:+d}"
    if contract.theirs != 0 and _is_others(contract):
        foreign = contract.theirs - contract.ours
        text = f"{foreign:+d} {contract.symbol} was traded at the broker and not by us"
        yield Difference(Kind.EXTERNAL_POSITION, contract.symbol, "", ours, theirs, text, needs=1)
        return
    text = f"the broker says {theirs} {contract.symbol}, our books say {ours}"
    if contract.expected == contract.theirs:
        text += ": it was closed there, and not by us"
    else:
        text += ", and no fill that we know of explains it"
    # A flat broker is believed by `execution.watchdog` where one trader alone held it: that comes before an alarm.
    is_closing = contract.theirs == 0 and contract.holders == 1
    yield Difference(Kind.QUANTITY, contract.symbol, "", ours, theirs, text, needs=3 if is_closing else 2)


def _is_others(contract: Contract) -> bool:
    """Whether what the venue holds beside ours is somebody else's: fills say so, or nothing of ours is in question."""
    return contract.expected == contract.theirs or (contract.ours == 0 and not contract.awaits_fills)


def _exits(guard: Guard) -> Iterator[Difference]:
    own = [order for order in guard.exits if not order.comes_with_entry]
    if guard.net == 0:
        if not guard.is_entering:
            yield from (_orphan(order) for order in own)
        return
    if guard.is_leaving:
        return
    if guard.is_unprotected:
        text = f"{guard.net:+d} {guard.symbol} has no working stop of full size"
        yield Difference(Kind.MISSING_EXIT, guard.symbol, guard.trader, f"{guard.net:+d}", "no stop", text)
    yield from _excess(guard, own)


def _orphan(order: Resting) -> Difference:
    text = f"a {order.role} of ours works for {order.remaining} {order.symbol}, and its trader holds none"
    theirs = f"{order.role} {order.side} {order.remaining}"
    return Difference(Kind.ORPHANED_EXIT, order.symbol, order.ref, "flat", theirs, text)


def _excess(guard: Guard, own: Iterable[Resting]) -> Iterator[Difference]:
    """Of each role no more contracts may work than are held: what is over could open a position. The newest go first.

    One on the other side makes the position bigger, and is too much as a whole.
    """
    closing = Side.SELL if guard.net > 0 else Side.BUY
    for role in (OrderRole.STOP, OrderRole.TARGET):
        room = abs(guard.net)
        for order in sorted((o for o in own if o.role is role), key=lambda one: (one.created_at, one.ref)):
            fits = min(room, order.remaining) if order.side is closing else 0
            room -= fits
            if fits < order.remaining:
                text = f"{role}s work for more {guard.symbol} than the {guard.net:+d} that is held"
                theirs = f"{order.side} {order.remaining}, of which {order.remaining - fits} too many"
                yield Difference(Kind.EXTRA_EXIT, order.symbol, order.ref, f"{guard.net:+d}", theirs, text)
