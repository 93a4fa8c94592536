"""What a person may do about a break, each in one click. Only these ever change our books, or trade, because of one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.selectors import Person
from brokers.models import BrokerAccount
from execution import feed, locks, transitions
from execution.flattening import flatten
from execution.guard.rebase import rebase
from execution.models import (
    Break,
    BreakKind,
    BreakState,
    BrokerPosition,
    Command,
    Fill,
    IntentSource,
    Order,
    Position,
)
from execution.models.order import IN_FLIGHT, WORKING
from execution.reconcile import breaks
from execution.reconcile.books import claimed
from execution.reconcile.claims import believe_empty, take_brokers_quantity
from execution.reconcile.failures import EMPTY
from justtrades import clock

RESOLVE = "resolve_break"
CODE = "BOOKS_DIFFER"
FLAT = "+0"


class How(StrEnum):
    BROKER = "broker"
    FLATTEN = "flatten"
    LEAVE = "leave"
    CANCEL = "cancel"


LABELS = {
    How.BROKER: "Take the broker's quantity",
    How.FLATTEN: "Close everything on this account",
    How.LEAVE: "Leave it, and go on",
    How.CANCEL: "Cancel this order",
}
WAYS = {
    BreakKind.QUANTITY: (How.BROKER, How.FLATTEN, How.LEAVE),
    BreakKind.EXTERNAL_POSITION: (How.BROKER, How.FLATTEN),
    BreakKind.EXTERNAL_ORDER: (How.CANCEL,),
}


def ways_of(row: Break) -> tuple[How, ...]:
    """What its owner may do about it; nothing once it is over, or where it ends by itself."""
    if row.state == BreakState.RESOLVED:
        return ()
    if row.kind == BreakKind.UNREADABLE and row.theirs == EMPTY:
        return (How.BROKER,)
    ways = WAYS.get(BreakKind(row.kind), ())
    # Where the broker holds nothing, nothing there could be somebody else's: all that can be wrong is our books.
    return tuple(how for how in ways if how is not How.LEAVE or row.theirs != FLAT)


def resolve(*, actor: Person, row: Break, how: str) -> Break:
    """Do it, and write down who did. `row` with its account.

    Raises `ValidationError` naming `how` when this is no way to end it, or not now.
    """
    if how not in ways_of(row):
        names = ", ".join(ways_of(row)) or "nothing: it is over, or ends by itself"
        raise ValidationError({"how": f"Was {how!r}, may be {names}."})
    with transaction.atomic():
        command = Command.objects.create(
            owner_id=row.owner_id, actor_id=actor.pk, kind=RESOLVE, payload={"break": str(row.pk), "how": how}
        )
        _ACTIONS[How(how)](row, actor, command, clock.now())
    row.refresh_from_db()
    feed.announce(row.owner_id, "connections", "positions", "orders")
    return row


def accept_broker(*, account: BrokerAccount, symbol: str, reason: str) -> int:
    """Make our books say what the broker says of a contract: the signed contracts that our trader holds now.

    Inside a transaction. Raises `ValidationError` naming `how` when it cannot be told whose they are, or while
    something is under way. Nothing is traded.
    """
    at_venue = _heard(account, symbol)
    if at_venue is None:
        raise ValidationError({"how": "The broker has not said anything about it."})
    in_flight = Order.objects.filter(account=account, symbol=symbol, status__in=[state.value for state in IN_FLIGHT])
    if in_flight.exists():
        raise ValidationError({"how": f"An order in {symbol} is on its way: try again in a few seconds."})
    net = claimed(at_venue)
    take_brokers_quantity(account, symbol, net, at_venue.avg_price, reason)
    _settle(at_venue)
    return net


def _heard(account: BrokerAccount, symbol: str) -> BrokerPosition | None:
    """What the broker said last of the contract, locked, with our positions in it; None: it never spoke of it."""
    locks.lock_positions(Position.objects.filter(account=account, symbol=symbol).values_list("trader_id", "symbol"))
    at_venue = locks.lock_broker_position(account.pk, symbol)
    if at_venue is None and BrokerPosition.objects.filter(account=account, symbol=symbol).exists():
        raise ValidationError({"how": f"The broker is saying something new of {symbol}: try again in a few seconds."})
    return at_venue


def _settle(at_venue: BrokerPosition) -> None:
    """From the broker's word on the fills alone say what it should hold, and the day's limits count from that.

    Comes last: what was waited for until here may have been a fill. Raises `ValidationError` naming `how` when there is
    one that the broker's word may not count, or may count already.
    """
    net, said_at = claimed(at_venue), _said_at(at_venue)
    since = Fill.objects.filter(account_id=at_venue.account_id, symbol=at_venue.symbol, stored_at__gt=said_at)
    if since.exists():
        raise ValidationError({
            "how": f"Something of {at_venue.symbol} has been filled since the broker last spoke of it: "
            "try again after the next look at its books, within a minute."
        })  # fmt: skip
    rebase(at_venue.account_id, at_venue.symbol, net, None if net == 0 else at_venue.avg_price)
    at_venue.settled_qty, at_venue.settled_at = net, said_at
    at_venue.save(update_fields=["settled_qty", "settled_at"])


def _said_at(at_venue: BrokerPosition) -> datetime:
    """When the broker said so last. Of what its answers lack the row keeps the first of them, the break the newest."""
    if at_venue.gone_at is None:
        return at_venue.reported_at
    seen = Break.objects.filter(
        account_id=at_venue.account_id, symbol=at_venue.symbol, kind=BreakKind.QUANTITY, theirs=FLAT
    ).exclude(state=BreakState.RESOLVED)
    return max([at_venue.gone_at, *seen.values_list("last_seen_at", flat=True)])


def _take(row: Break, actor: Person, _command: Command, now: datetime) -> None:
    if row.kind == BreakKind.UNREADABLE:
        believe_empty(row.account, f"the broker's empty answer was believed by {actor}")
        _end(row, actor, now, "our books hold nothing there now, and no order: nothing was traded")
        return
    net = accept_broker(account=row.account, symbol=row.symbol, reason=f"the broker's quantity was taken by {actor}")
    _end(row, actor, now, f"our books say {net:+d} now, as the broker does: nothing was traded")


def _flatten(row: Break, actor: Person, command: Command, now: datetime) -> None:
    """It stays open until the books agree: closing takes its time."""
    text = f"closing all of {row.account.name} was asked for by {actor}"
    key = f"{IntentSource.COMMAND.value}:{command.pk}:{row.account_id}"
    flatten.begin(row.account, flatten.Wish(IntentSource.COMMAND, key, CODE, text, command))
    Break.objects.filter(pk=row.pk).update(resolution=text)
    transitions.record([breaks.change_of(row, row.state, now, text)])


def _leave(row: Break, actor: Person, _command: Command, now: datetime) -> None:
    at_venue = _heard(row.account, row.symbol)
    if at_venue is None or claimed(at_venue) == 0:
        raise ValidationError({"how": f"The broker holds none of it now: nothing of {row.symbol} can be left there."})
    _settle(at_venue)
    _end(row, actor, now, "left as it is: the difference counts as not ours from here on")


def _cancel(row: Break, actor: Person, _command: Command, now: datetime) -> None:
    wished = Order.objects.filter(
        account_id=row.account_id, broker_order_id=row.ref, trader=None, intent=None, status__in=sorted(WORKING)
    ).update(wanted_qty=0, wanted_price=None, change_sent_at=None, change_attempts=0)
    if wished == 0:
        raise ValidationError({"how": "It works at the broker no more."})
    text = f"its cancel was asked for by {actor}"
    Break.objects.filter(pk=row.pk).update(resolution=text)
    transitions.record([breaks.change_of(row, row.state, now, text)])


_ACTIONS = {How.BROKER: _take, How.FLATTEN: _flatten, How.LEAVE: _leave, How.CANCEL: _cancel}


def _end(row: Break, actor: Person, now: datetime, resolution: str) -> None:
    """Raises `ValidationError` when somebody else has ended it."""
    ended = Break.objects.filter(pk=row.pk).exclude(state=BreakState.RESOLVED).update(
        state=BreakState.RESOLVED, pauses_entries=False, is_suspected=False, resolved_at=now, resolved_by_id=actor.pk,
        resolution=resolution,
    )  # fmt: skip
    if ended != 1:
        raise ValidationError({"how": "It is over already."})
    before, row.state = row.state, BreakState.RESOLVED
    transitions.record([breaks.change_of(row, before, now, resolution)])
    breaks.hush(row)
