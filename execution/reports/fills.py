"""P5: each execution is stored once and applied once, with its order and its position, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from brokers.base import OrderRole, OrderStatus, Side
from brokers.instruments import product_of
from brokers.reports import FillReport
from execution import locks
from execution.bulk import insert_unless_there, update_rows
from execution.models import Fill, IntentKind, IntentStatus, ObjectKind, Order, Position
from execution.reports.ledger import Ledger
from execution.transitions import Change
from justtrades.ids import new_id
from justtrades.killpoints import killpoint
from risk.pnl import Holding, after_fill

_POSITION_COLUMNS = (
    "net_qty", "avg_price", "realized_pnl", "stop_distance", "exits", "is_at_break_even", "opened_at", "updated_at",
)  # fmt: skip
PRICE_PLACES = Decimal("0.0000000001")
AVERAGE_PLACES = Decimal("0.0000000000000001")


def store_fills(ledger: Ledger, reports: Iterable[tuple[UUID, FillReport]]) -> list[tuple[UUID, FillReport]]:
    """Insert what is new and return it; a fill whose price came late gets its price. Each with its account's id."""
    by_key = {(account_id, report.broker_fill_id): report for account_id, report in reports}
    if not by_key:
        return []
    known = Fill.objects.filter(
        account_id__in={account for account, _ in by_key}, broker_fill_id__in={name for _, name in by_key}
    )
    for fill in known:
        report = by_key.pop((fill.account_id, fill.broker_fill_id), None)
        if report is not None and fill.price is None and report.price is not None:
            fill.price = report.price
            fill.save(update_fields=["price"])
    fresh = [
        {
            "id": new_id(),
            "account_id": account_id,
            "broker_fill_id": name,
            "broker_order_id": report.broker_order_id,
            "symbol": report.symbol,
            "side": report.side.value,
            "qty": report.qty,
            "price": report.price,
            "filled_at": report.at,
        }
        for (account_id, name), report in by_key.items()
    ]
    insert_unless_there(Fill, fresh)
    return [(account_id, report) for (account_id, _), report in by_key.items()]


def apply_fills(ledger: Ledger, broker_orders: Iterable[tuple[UUID, str]]) -> None:
    """Apply every stored, priced, unapplied fill of these orders to the order and to the positions that it moves."""
    keys = set(broker_orders)
    waiting = [fill for fill in _waiting(keys) if (fill.account_id, fill.broker_order_id) in keys]
    pairs = [
        (fill, ledger.by_broker[fill.account_id, fill.broker_order_id])
        for fill in waiting
        if (fill.account_id, fill.broker_order_id) in ledger.by_broker
    ]
    ours = [(fill, order) for fill, order in pairs if order.trader_id is not None or _is_flatten(ledger, order)]
    if not ours:
        return
    positions = _positions_for([order for _, order in ours])
    booked: list[UUID] = []
    for fill, order in ours:
        if fill.price is not None:
            _count(ledger, fill, order, fill.price)
            _book_to(ledger, fill, order, positions, booked)
            booked.append(fill.id)
    killpoint("fills.mid")
    applied = [(fill.id, order.id, ledger.now, fill.realized_pnl, _shares_text(fill)) for fill, order in ours]
    update_rows(Fill, ("order_id", "applied_at", "realized_pnl", "shares"), applied)
    rows = [(p.id, *(getattr(p, name) for name in _POSITION_COLUMNS)) for p in positions.values()]
    update_rows(Position, _POSITION_COLUMNS, rows)


def _shares_text(fill: Fill) -> str | None:
    return None if fill.shares is None else json.dumps(fill.shares)


def _is_flatten(ledger: Ledger, order: Order) -> bool:
    """Whether the order closes an account's contract, whoever holds it."""
    intent = ledger.intent_of(order)
    return intent is not None and intent.kind == IntentKind.FLATTEN


def _waiting(keys: set[tuple[UUID, str]]) -> Sequence[Fill]:
    if not keys:
        return []
    return list(
        Fill.objects.filter(
            applied_at__isnull=True,
            price__isnull=False,
            account_id__in={account for account, _ in keys},
            broker_order_id__in={name for _, name in keys},
        ).order_by("filled_at", "broker_fill_id")
    )


def _positions_for(orders: Sequence[Order]) -> dict[tuple[UUID, str], Position]:
    """Those that the orders' fills can move, locked; a trader's first one in a contract is made."""
    wanted = {(order.trader_id, order.symbol): order for order in orders if order.trader_id is not None}
    missing = wanted.keys() - set(
        Position.objects.filter(
            trader_id__in={trader for trader, _ in wanted}, symbol__in={symbol for _, symbol in wanted}
        ).values_list("trader_id", "symbol")
    )
    Position.objects.bulk_create(
        [
            Position(id=new_id(), owner_id=order.owner_id, trader_id=key[0], account_id=order.account_id, symbol=key[1])
            for key, order in wanted.items()
            if key in missing
        ],
        ignore_conflicts=True,
    )
    return locks.lock_positions({*wanted, *_holders([order for order in orders if order.trader_id is None])})


def _holders(flattens: Sequence[Order]) -> set[tuple[UUID, str]]:
    """Who holds what is being closed for everybody."""
    if not flattens:
        return set()
    rows = Position.objects.exclude(net_qty=0).filter(
        account_id__in={order.account_id for order in flattens}, symbol__in={order.symbol for order in flattens}
    )
    return set(rows.values_list("trader_id", "symbol"))


def _own_part(fill: Fill, order: Order, position: Position, booked: Sequence[UUID]) -> int:
    """Contracts of the fill that are the trader's own.

    The venue's flatten also closes what the owner holds there by hand. That is not the trader's, and a close never
    opens. While a fill of an entry still waits for its price, what the trader holds is not known, and all counts.
    """
    net, closing = position.net_qty, -Side(fill.side).sign
    own = min(fill.qty, max(0, net * closing))
    if order.role != OrderRole.EXIT or own == fill.qty:
        return fill.qty
    entries = Order.objects.filter(trader_id=position.trader_id, symbol=order.symbol, role=OrderRole.ENTRY.value)
    awaited = Fill.objects.filter(
        account_id=fill.account_id, broker_order_id__in=entries.values("broker_order_id"), applied_at__isnull=True
    )
    return fill.qty if awaited.exclude(id__in=booked).exists() else own


def _count(ledger: Ledger, fill: Fill, order: Order, price: Decimal) -> None:
    """The order's own side of a fill."""
    filled_before = order.filled_qty
    total = filled_before + fill.qty
    average_before = price if order.avg_price is None else order.avg_price
    order.avg_price = ((average_before * filled_before + price * fill.qty) / total).quantize(PRICE_PLACES)
    order.filled_qty = total
    ledger.touch(order)
    ledger.move(order, OrderStatus.FILLED if total >= order.qty else OrderStatus.PARTIALLY_FILLED)


def _book_to(
    ledger: Ledger, fill: Fill, order: Order, positions: dict[tuple[UUID, str], Position], booked: Sequence[UUID]
) -> None:
    """The positions' side of a fill: its trader's, or of a flatten everybody's who held the contract."""
    price = fill.price
    if price is None:
        return
    if order.trader_id is None:
        _share_out(ledger, fill, order, list(positions.values()), price)
        return
    position = positions[order.trader_id, order.symbol]
    own = _own_part(fill, order, position, booked)
    fill.realized_pnl = Decimal(0) if own == 0 else _book(ledger, fill, position, own, price)
    _note_entry(ledger, order, position)


def _share_out(ledger: Ledger, fill: Fill, order: Order, positions: Sequence[Position], price: Decimal) -> None:
    """What is left over was the owner's own, opened by hand at the broker: no position of ours moves for it."""
    closing, left = -Side(fill.side).sign, fill.qty
    shares: list[tuple[str, int, str]] = []
    total = Decimal(0)
    for position in sorted(positions, key=lambda one: one.id):
        is_held_there = position.account_id == order.account_id and position.symbol == order.symbol
        own = min(left, max(0, position.net_qty * closing)) if is_held_there else 0
        if own > 0:
            realized = _book(ledger, fill, position, own, price)
            shares.append((str(position.trader_id), own, str(realized)))
            ledger.touched.add((position.trader_id, position.symbol))
            total, left = total + realized, left - own
    fill.realized_pnl, fill.shares = total, shares
    intent = ledger.intent_of(order)
    if intent is not None and order.status == OrderStatus.FILLED:
        ledger.move_intent(intent, IntentStatus.DONE)


def _book(ledger: Ledger, fill: Fill, position: Position, qty: int, price: Decimal) -> Decimal:
    """Move the position by `qty` contracts of the fill; what that realised."""
    before, realized_before = position.net_qty, position.realized_pnl
    held = Holding(before, position.avg_price, realized_before)
    now_held = after_fill(held, Side(fill.side), qty, price, product_of(position.symbol).point_value)
    position.net_qty, position.realized_pnl = now_held.net_qty, now_held.realized_pnl
    position.avg_price = None if now_held.avg_price is None else now_held.avg_price.quantize(AVERAGE_PLACES)
    position.updated_at = ledger.now
    if before == 0:
        position.opened_at = ledger.now
    if position.net_qty == 0:
        # What is opened next says itself what it wants.
        position.exits, position.is_at_break_even, position.stop_distance = "", False, None
    ledger.changes.append(
        Change(position.owner_id, ObjectKind.POSITION, position.id, f"{before:+d}", f"{position.net_qty:+d}",
               ledger.now, f"{fill.side} {qty} @ {price}")
    )  # fmt: skip
    return position.realized_pnl - realized_before


def _note_entry(ledger: Ledger, order: Order, position: Position) -> None:
    """An entry's fill tells the position what stop it wants, and the intent when it was complete."""
    intent = ledger.intent_of(order)
    if intent is None or order.role != "entry":
        return
    position.stop_distance, position.exits = intent.stop_distance, intent.exits
    # A new average is a new entry: what was safe at the old one need not be.
    position.is_at_break_even = False
    if order.filled_qty >= order.qty and intent.filled_at is None:
        intent.filled_at = ledger.now
        ledger.stamp(intent)
