"""What a venue without brackets or OCO of its own leaves to us: exits that follow the fill, and shrink with each other.

Everything is decided from rows, in the transaction that booked the fill, so that a crash at any moment leaves either
the fill and the wish for its exits, or neither. What a venue does itself is in its capabilities; where it links exits,
those that we placed one by one, because its own were refused or never came, are shrunk by us all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from brokers.base import Side
from execution.abilities import abilities_of, native_part
from execution.bulk import update_rows
from execution.models import IntentKind, IntentSource, IntentStatus, ObjectKind, Order, OrderIntent, Position
from execution.models.order import WORKING
from execution.protect import EXITS_FOLLOW
from execution.reports.ledger import Ledger
from execution.shrink import cuts_to
from execution.submitting import bracket_of_rows
from execution.transitions import Change
from justtrades.ids import client_order_id, idempotency_key

Key = tuple[UUID, str]
LEAVING = frozenset({IntentKind.EXIT, IntentKind.REDUCE})
WISH_TEXT = "this broker places no exits with an entry: they follow its fill"


def care(
    ledger: Ledger,
    positions: Mapping[Key, Position],
    legs: Mapping[Key, Sequence[Order]],
    intents: Iterable[OrderIntent],
) -> None:
    """Wish for what the touched positions lack and have too much of. `intents` are those that were live before."""
    touched = {key: position for key, position in positions.items() if key in ledger.touched}
    keys = [key for key, position in touched.items() if _is_ours(ledger, position)]
    shrinking = [*keys, *(key for key in touched.keys() - set(keys) if any(_is_single(leg) for leg in legs[key]))]
    if not shrinking:
        return
    under_way = [intent for intent in intents if intent.status in _UNDER_WAY]
    under_way.sort(key=lambda intent: (intent.created_at, intent.id))
    leaving = {
        (one.trader_id, one.symbol): one.id for one in under_way if one.kind in LEAVING and one.trader_id is not None
    }
    filling = {one.id for one in under_way if one.kind == IntentKind.ENTRY}
    if keys:
        _wish_exits(ledger, {key: positions[key] for key in keys}, leaving)
    for key in shrinking:
        # A close takes the legs out of its own way. Beside a flat one they only wait to open something, and whether the
        # close that is under way was ever sent may not be known.
        if key not in leaving or positions[key].net_qty == 0:
            _cut_excess(ledger, positions[key], [leg for leg in legs[key] if leg.intent_id not in filling])


_UNDER_WAY = frozenset({IntentStatus.CLEARED, IntentStatus.DISPATCHED, IntentStatus.UNKNOWN})


def _is_ours(ledger: Ledger, position: Position) -> bool:
    venue = ledger.venues.get(position.account_id)
    return venue is not None and not abilities_of(venue, position.symbol).native_oco


def _is_single(leg: Order) -> bool:
    """Placed by us for a position that was open: what came with an entry has no id of ours."""
    return leg.client_order_id is not None


def _cut_excess(ledger: Ledger, position: Position, legs: Sequence[Order]) -> None:
    """No more contracts may rest in stops, nor in targets, than are held: what is over could open a position.

    `legs` are without those that came with an entry which is still filling: they are sized for the whole of it.
    """
    resting = [leg for leg in legs if leg.status in WORKING]
    if position.net_qty == 0:
        # What the venue made with an entry it ends by itself; `execution.watchdog.tidy` looks after it.
        resting = [leg for leg in resting if leg.client_order_id is not None]
    closing = _closing_side(position)
    own = [leg for leg in resting if closing in {leg.side, None}]
    wanted = {leg.id: 0 for leg in resting if leg not in own}
    wanted |= {cut.order_id: cut.wanted_qty for cut in cuts_to(own, abs(position.net_qty))}
    for leg in resting:
        qty = wanted.get(leg.id)
        if qty is not None and leg.wanted_qty != qty:
            leg.wanted_qty, leg.change_sent_at, leg.change_attempts = qty, None, 0
            ledger.wishes[leg.id] = leg


def _closing_side(position: Position) -> str | None:
    """The side that makes the position smaller; a leg on the other one would make it bigger. None when flat."""
    if position.net_qty == 0:
        return None
    return (Side.SELL if position.net_qty > 0 else Side.BUY).value


def _wish_exits(ledger: Ledger, positions: Mapping[Key, Position], leaving: Mapping[Key, UUID]) -> None:
    """An intent for the exits of each entry's contracts that have just been filled and brought none along.

    Where something is just closing the position it waits for that: legs placed beside a close could outlive it.
    """
    wished: list[OrderIntent] = []
    seen: list[tuple[UUID, int]] = []
    for order in ledger.changed_entries():
        if order.trader_id is None:
            continue
        key = (order.trader_id, order.symbol)
        position = positions.get(key)
        entry = ledger.intent_of(order)
        fresh = order.filled_qty - order.exits_wished
        if position is None or entry is None or fresh <= 0:
            continue
        order.exits_wished = order.filled_qty
        seen.append((order.id, order.exits_wished))
        abilities = abilities_of(ledger.venues[order.account_id], order.symbol)
        bracket = bracket_of_rows(entry.bracket)
        if native_part(bracket, abilities) != bracket and position.net_qty != 0:
            wished.append(_exits_of(ledger, entry, order, fresh, leaving.get(key)))
    update_rows(Order, ("exits_wished",), seen)
    OrderIntent.objects.bulk_create(wished, ignore_conflicts=True)
    ledger.changes += [
        Change(one.owner_id, ObjectKind.INTENT, one.id, "", IntentStatus.CLEARED, ledger.now, WISH_TEXT)
        for one in wished
    ]


def _exits_of(ledger: Ledger, entry: OrderIntent, order: Order, qty: int, after_id: UUID | None) -> OrderIntent:
    wish = f"exits:{entry.id}:{order.filled_qty}"
    source, kind = IntentSource.RISK_ACTION, IntentKind.PROTECT
    key = idempotency_key(source.value, wish, entry.trader_id, kind.value)
    return OrderIntent(
        owner_id=entry.owner_id,
        source=source,
        signal_id=entry.signal_id,
        trader_id=entry.trader_id,
        account_id=entry.account_id,
        lane_slot=entry.lane_slot,
        leg=kind.value,
        kind=kind,
        idempotency_key=key,
        client_order_id=client_order_id(key),
        symbol=entry.symbol,
        side=("sell" if order.side == "buy" else "buy"),
        qty=qty,
        exits=entry.exits,
        stop_distance=entry.stop_distance,
        after_id=after_id,
        status=IntentStatus.CLEARED,
        reason_code=EXITS_FOLLOW,
        reason_text=WISH_TEXT,
        created_at=ledger.now,
        cleared_at=ledger.now,
    )
