"""Making our books what the broker says, on somebody's word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError

from brokers.base import OrderRole, OrderStatus
from brokers.models import BrokerAccount
from execution import locks, spans, transitions
from execution.guard.rebase import rebase
from execution.models import BrokerPosition, ObjectKind, Order, Position, SpanEnd
from execution.models.order import LIVE
from execution.reports.ledger import Ledger
from execution.reports.positions import AT_VENUE
from execution.reports.settle import is_protected, settle
from execution.spans import Ended
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import new_id
from traders.models import Trader


def take_brokers_quantity(
    account: BrokerAccount, symbol: str, net: int, average: Decimal | None, reason: str
) -> list[Position]:
    """Set the positions in the contract; those whose quantity has changed. `net` is signed, `average` in points.

    Inside a transaction. Raises `ValidationError` naming `how` when it cannot be told which trader's it is.
    """
    held = list(Position.objects.filter(account=account, symbol=symbol).exclude(net_qty=0))
    if net == 0:
        keys = [(position.trader_id, symbol) for position in held]
    else:
        keys = [(_owner_of_it(account, held).pk, symbol)]
        _make_sure_of(account, keys[0])
    now = clock.now()
    changed = []
    for position in locks.lock_positions(keys).values():
        if position.net_qty != net:
            _set(account, position, net, average, now, reason)
            changed.append(position)
    return changed


def believe_empty(account: BrokerAccount, reason: str) -> None:
    """Nothing is held there, and nothing works. Inside a transaction."""
    held = Position.objects.filter(account=account).exclude(net_qty=0).values_list("symbol", flat=True)
    said = BrokerPosition.objects.filter(account=account).exclude(net_qty=0).values_list("symbol", flat=True)
    for symbol in {*held, *said}:
        take_brokers_quantity(account, symbol, 0, None, reason)
        rebase(account.pk, symbol, 0, None)
    now = clock.now()
    at_venue = Order.objects.filter(account=account, status__in=AT_VENUE, broker_order_id__isnull=False)
    names = list(at_venue.values_list("account_id", "broker_order_id"))
    ledger = Ledger(now, {(account.login_id, account.broker_id): account}, {account.pk: account.login.venue})
    ledger.load((), [(pk, name) for pk, name in names if name is not None])
    for order in ledger.by_broker.values():
        ledger.move(order, OrderStatus.CANCELED, reason)
    ledger.write()
    settle(ledger)
    ledger.write_intents()
    BrokerPosition.objects.filter(account=account).update(net_qty=0, gone_at=None, settled_qty=0, settled_at=now)


def _owner_of_it(account: BrokerAccount, held: Sequence[Position]) -> Trader:
    """The one trader that holds the contract, or else the only one that trades the account."""
    if len(held) == 1:
        return held[0].trader
    traders = list(Trader.objects.filter(account=account)[:2]) if not held else []
    if len(traders) != 1:
        raise ValidationError({
            "how": "Several traders use this account, so nobody can tell whose it is: close it, or leave it."
        })  # fmt: skip
    return traders[0]


def _make_sure_of(account: BrokerAccount, key: tuple[UUID, str]) -> None:
    """A trader that never held the contract has no row of it."""
    Position.objects.bulk_create(
        [Position(id=new_id(), owner_id=account.owner_id, trader_id=key[0], account=account, symbol=key[1])],
        ignore_conflicts=True,
    )


def _set(
    account: BrokerAccount, position: Position, net: int, average: Decimal | None, now: datetime, reason: str
) -> None:
    before, since = position.net_qty, position.unprotected_since
    if net == 0:
        spans.end_flat(position, now)
        position.avg_price, position.exits, position.is_at_break_even = None, "", False
        position.stop_distance = None
    else:
        position.avg_price = position.avg_price if average is None else average
        position.opened_at = position.opened_at if before * net > 0 else now
    position.net_qty, position.updated_at = net, now
    legs = Order.objects.filter(
        trader_id=position.trader_id, symbol=position.symbol, status__in=[state.value for state in LIVE],
        role__in=[OrderRole.TARGET.value, OrderRole.STOP.value],
    )  # fmt: skip
    if not is_protected(position, legs):
        position.unprotected_since = since or now
    elif since is not None:
        if net != 0:
            spans.write([Ended(position, since, SpanEnd.PROTECTED)], {account.pk: account.login.venue}, now)
        position.unprotected_since = None
    position.save(
        update_fields=[
            "net_qty", "avg_price", "exits", "is_at_break_even", "stop_distance", "opened_at", "unprotected_since",
            "updated_at",
        ]
    )  # fmt: skip
    transitions.record([
        Change(position.owner_id, ObjectKind.POSITION, position.id, f"{before:+d}", f"{net:+d}", now, reason)
    ])  # fmt: skip
