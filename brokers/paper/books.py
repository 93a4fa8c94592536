"""One paper account's books, and the JSON document that they survive a restart in.

Numbers that must be exact are texts in the document. What is done leaves the books after two days: nobody asks for it
by then, and the document is written with every change.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from brokers.base import AccountRef, BracketLeg, OrderRole, Trail
from brokers.matching.types import Account, Kind, Order, Position, Status
from brokers.paper.listings import Listing, listing_of
from brokers.paper.records import Fill, Record, record_of
from brokers.sessions import session_of

VERSION = 1
KEPT = timedelta(days=2)
FIRST_ID = 1001

Json = dict[str, Any]


class Books:
    """Orders, fills, positions and cash of `ref`. Its cash begins with `balance`.

    `day` is the trading day that was begun last, and `realized_before` what had been realised until then, in dollars.
    """

    def __init__(self, ref: AccountRef, balance: Decimal) -> None:
        self.ref = ref
        self.account = Account(1, ref.name, cash=balance)
        self.fills: list[Fill] = []
        self.day: date | None = None
        self.realized_before = Decimal(0)
        self._day_ends: datetime | None = None
        self._next_id = FIRST_ID

    def take_id(self) -> int:
        taken, self._next_id = self._next_id, self._next_id + 1
        return taken

    def order_named(self, client_order_id: str) -> Order | None:
        """The order that was placed under this id."""
        orders = self.account.orders.values()
        return next((order for order in orders if record_of(order).client_order_id == client_order_id), None)

    def order_of(self, broker_order_id: str) -> Order | None:
        return self.account.orders.get(int(broker_order_id)) if broker_order_id.isdecimal() else None

    def begin_day(self, now: datetime) -> None:
        """Before anything is traded at `now`: a new trading day counts from here."""
        if self._day_ends is not None and now < self._day_ends:
            return
        today = session_of(now)
        self._day_ends = today.end
        if today.day != self.day:
            self.day, self.realized_before = today.day, self.realized

    @property
    def realized(self) -> Decimal:
        """Dollars of all positions since the books began, before commissions."""
        return sum((position.realized for position in self.account.positions.values()), Decimal(0))

    def prune(self, now: datetime) -> None:
        """Forget what was done two days ago."""
        orders = self.account.orders
        for order in [o for o in orders.values() if o.is_done and now - record_of(o).at > KEPT]:
            del orders[order.id]
        self.fills = [fill for fill in self.fills if fill.order_id in orders or now - fill.at <= KEPT]

    def dump(self) -> str:
        document = {
            "version": VERSION,
            "next_id": self._next_id,
            "cash": str(self.account.cash),
            "day": None if self.day is None else self.day.isoformat(),
            "realized_before": str(self.realized_before),
            "positions": [_dump_position(position) for position in self.account.positions.values()],
            "orders": [_dump_order(order) for order in self.account.orders.values()],
            "fills": [_dump_fill(fill) for fill in self.fills],
        }
        return orjson.dumps(document).decode()

    def load(self, document: str, now: datetime) -> None:
        """Raises ValueError or LookupError for what this version has not written."""
        saved = orjson.loads(document)
        if not isinstance(saved, dict) or saved.get("version") != VERSION:
            raise ValueError("books of another kind or version cannot be read")
        self._next_id = saved["next_id"]
        self.account.cash = Decimal(saved["cash"])
        # Books of before it was counted begin their day now.
        day = saved.get("day")
        self.day = None if day is None else date.fromisoformat(day)
        self.realized_before = Decimal(saved.get("realized_before", "0"))
        for row in saved["positions"]:
            listing = _listed(row["symbol"], now)
            position = Position(listing, row["net"], Decimal(row["cost"]), Decimal(row["realized"]))
            self.account.positions[listing.name] = position
        for row in saved["orders"]:
            order = _load_order(row, self.account, now)
            self.account.orders[order.id] = order
        self.fills = [_load_fill(row) for row in saved["fills"]]


def _listed(symbol: str, now: datetime) -> Listing:
    found = listing_of(symbol, now.date())
    if found is None:
        raise ValueError(f"the books hold {symbol}, which is not listed")
    return found


def _dump_position(position: Position) -> Json:
    return {
        "symbol": position.contract.name,
        "net": position.net,
        "cost": str(position.cost),
        "realized": str(position.realized),
    }


def _dump_order(order: Order) -> Json:
    record = record_of(order)
    return {
        "id": order.id,
        "symbol": order.contract.name,
        "side": order.side,
        "qty": order.qty,
        "kind": order.kind,
        "limit": _text(order.limit),
        "stop": _text(order.stop),
        "trail": _text(order.trail),
        "average": _text(order.average),
        "rested_at": _text(order.rested_at),
        "status": order.status,
        "filled": order.filled,
        "is_triggered": order.is_triggered,
        "has_rested": order.has_rested,
        "client_order_id": record.client_order_id,
        "role": record.role,
        "at": record.at.isoformat(),
        "parent": record.parent,
        "bracket_index": record.bracket_index,
        "bracket": [_dump_leg(leg) for leg in record.bracket],
        "sibling": record.sibling,
        "trails": _dump_trail(record.trail),
        "entry_price": _text(record.entry_price),
    }


def _load_order(row: Json, account: Account, now: datetime) -> Order:
    record = Record(
        client_order_id=row["client_order_id"],
        role=OrderRole(row["role"]),
        at=datetime.fromisoformat(row["at"]),
        parent=row["parent"],
        bracket_index=row["bracket_index"],
        bracket=tuple(_load_leg(leg) for leg in row["bracket"]),
        sibling=row["sibling"],
        trail=_load_trail(row["trails"]),
        entry_price=_number(row["entry_price"]),
    )
    return Order(
        id=row["id"],
        account=account,
        contract=_listed(row["symbol"], now),
        side=row["side"],
        qty=row["qty"],
        kind=Kind(row["kind"]),
        status=Status(row["status"]),
        filled=row["filled"],
        extra=record,
        is_triggered=row["is_triggered"],
        has_rested=row["has_rested"],
        limit=_number(row["limit"]),
        stop=_number(row["stop"]),
        trail=_number(row["trail"]),
        average=_number(row["average"]),
        rested_at=_number(row["rested_at"]),
    )


def _dump_leg(leg: BracketLeg) -> Json:
    return {
        "qty": leg.qty,
        "target": _text(leg.target_distance),
        "stop": _text(leg.stop_distance),
        "trails": _dump_trail(leg.trail),
    }


def _load_leg(row: Json) -> BracketLeg:
    return BracketLeg(row["qty"], _number(row["target"]), _number(row["stop"]), _load_trail(row["trails"]))


def _dump_trail(trail: Trail | None) -> Json | None:
    if trail is None:
        return None
    return {"distance": str(trail.distance), "trigger": str(trail.trigger), "step": str(trail.step)}


def _load_trail(row: Json | None) -> Trail | None:
    if row is None:
        return None
    return Trail(Decimal(row["distance"]), Decimal(row["trigger"]), Decimal(row["step"]))


def _dump_fill(fill: Fill) -> Json:
    return {
        "id": fill.id,
        "order_id": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "qty": fill.qty,
        "price": str(fill.price),
        "at": fill.at.isoformat(),
    }


def _load_fill(row: Json) -> Fill:
    price, at = Decimal(row["price"]), datetime.fromisoformat(row["at"])
    return Fill(row["id"], row["order_id"], row["symbol"], row["side"], row["qty"], price, at)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
