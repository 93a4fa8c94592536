"""What stands around positions that are without their stop, read in a handful of queries however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from brokers.base import OrderRole
from execution.abilities import abilities_of, native_part
from execution.models import (
    Flatten,
    FlattenStatus,
    IntentKind,
    Order,
    OrderIntent,
    Position,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import LIVE, WORKING
from execution.spans import rearm_wish, wish_key
from execution.submitting import bracket_of_rows
from execution.watchdog.owed import contradictions, unbooked
from execution.watchdog.steps import Facts
from traders.exits import template_from

Key = tuple[UUID, str]
LONGEST_WAIT = timedelta(days=1)
"""How long before a position an entry may have been sent that opened it."""


@dataclass(slots=True)
class Scene:
    """`Key` is trader or account, and contract."""

    under_way: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    flattening: set[Key] = field(default_factory=set)
    flattened: set[UUID] = field(default_factory=set)
    in_flight: set[Key] = field(default_factory=set)
    owed: set[Key] = field(default_factory=set)
    unpriced: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    reported: dict[Key, int] = field(default_factory=dict)
    holders: dict[Key, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    rearmed: set[str] = field(default_factory=set)

    @classmethod
    def around(cls, positions: Sequence[Position]) -> Scene:
        """Of positions with account, login and `unprotected_since`."""
        scene = cls()
        scene._read_intents(positions)
        scene._read_orders(positions)
        scene._read_books(positions)
        return scene

    def facts(self, position: Position, *, is_asked: bool) -> Facts:
        mine, there = (position.trader_id, position.symbol), (position.account_id, position.symbol)
        kinds = self.under_way.get(mine, set())
        closing = "sell" if position.net_qty > 0 else "buy"
        reported = self.reported.get(there)
        is_gone = reported is not None and not _covers(reported, position.net_qty)
        is_turned = reported is not None and reported * position.net_qty < 0
        is_others = is_gone and (is_turned or self.holders[there] - {position.trader_id} != set())
        return Facts(
            is_leaving=IntentKind.EXIT in kinds or there in self.flattening or position.trader_id in self.flattened
            or position.account_id in self.flattened,
            is_moving=not kinds.isdisjoint({IntentKind.REDUCE, IntentKind.PROTECT}),
            is_in_flight=mine in self.in_flight,
            is_owed=mine in self.owed,
            is_asked=is_asked,
            is_known=_is_known(position),
            is_rearmed=_rearm_key(position) in self.rearmed,
            is_doubted=is_gone or there in self.unpriced,
            is_less=is_gone and not is_others,
            may_be_gone=closing in self.unpriced.get(there, set()) or is_others,
        )  # fmt: skip

    def _read_intents(self, positions: Sequence[Position]) -> None:
        traders, accounts = {p.trader_id for p in positions}, {p.account_id for p in positions}
        symbols = {p.symbol for p in positions}
        live = OrderIntent.objects.filter(symbol__in=symbols, status__in=sorted(LIVE_INTENTS))
        for trader_id, symbol, kind in live.filter(trader_id__in=traders).values_list("trader_id", "symbol", "kind"):
            if trader_id is not None:
                self.under_way[trader_id, symbol].add(kind)
        whole = live.filter(account_id__in=accounts, kind=IntentKind.FLATTEN)
        self.flattening = set(whole.values_list("account_id", "symbol"))
        acting = Flatten.objects.filter(account_id__in=accounts, status=FlattenStatus.ACTING)
        # Of a trader, or of all that the account holds.
        self.flattened = {trader or account for trader, account in acting.values_list("trader_id", "account_id")}
        keys = [_rearm_key(position) for position in positions]
        wished = OrderIntent.objects.filter(idempotency_key__in=keys)
        self.rearmed = set(wished.values_list("idempotency_key", flat=True))

    def _read_orders(self, positions: Sequence[Position]) -> None:
        accounts, symbols = {p.account_id for p in positions}, {p.symbol for p in positions}
        pending = Order.objects.filter(
            account_id__in=accounts,
            symbol__in=symbols,
            role=OrderRole.STOP.value,
            status__in=sorted(LIVE - WORKING),
            trader__isnull=False,
        )
        self.in_flight = {
            (trader, symbol) for trader, symbol in pending.values_list("trader_id", "symbol") if trader is not None
        }
        self.owed = _owed(positions)

    def _read_books(self, positions: Sequence[Position]) -> None:
        accounts, symbols = {p.account_id for p in positions}, {p.symbol for p in positions}
        here = Q(account_id__in=accounts, symbol__in=symbols)
        waiting = unbooked().filter(here)
        for account_id, symbol, side in waiting.values_list("account_id", "symbol", "side"):
            self.unpriced[account_id, symbol].add(side)
        self.reported = {key: theirs for key, (_, theirs) in contradictions(here).items()}
        if self.reported:
            entering = OrderIntent.objects.filter(here, kind=IntentKind.ENTRY, status__in=sorted(LIVE_INTENTS))
            held = Position.objects.exclude(net_qty=0).filter(here)
            for rows in (held, entering):
                for account_id, symbol, trader_id in rows.values_list("account_id", "symbol", "trader_id"):
                    if trader_id is not None:
                        self.holders[account_id, symbol].add(trader_id)


def _owed(positions: Sequence[Position]) -> set[Key]:
    """Positions whose broker makes a stop with the entry and has told of fewer contracts in it than it has filled."""
    since = min(p.opened_at or p.updated_at for p in positions) - LONGEST_WAIT
    wanted = {(p.trader_id, p.symbol): p for p in positions}
    entries = Order.objects.filter(
        intent__kind=IntentKind.ENTRY,
        intent__trader_id__in={trader for trader, _ in wanted},
        intent__created_at__gte=since,
        role=OrderRole.ENTRY.value,
        filled_qty__gt=0,
    ).select_related("intent")
    owing: dict[UUID, tuple[Key, int]] = {}
    for order in entries:
        position = wanted.get((order.trader_id, order.symbol)) if order.trader_id is not None else None
        if position is None or order.intent is None or order.trader_id is None:
            continue
        is_of_this = position.opened_at is None or order.updated_at >= position.opened_at
        bracket = native_part(
            bracket_of_rows(order.intent.bracket), abilities_of(position.account.login.venue, order.symbol)
        )
        if is_of_this and any(leg.stop_distance is not None for leg in bracket):
            owing[order.intent.id] = ((order.trader_id, order.symbol), order.filled_qty)
    told: dict[UUID | None, int] = defaultdict(int)
    stops = Order.objects.filter(intent_id__in=owing, role=OrderRole.STOP.value)
    for intent_id, qty in stops.values_list("intent_id", "qty"):
        told[intent_id] += qty
    return {key for intent_id, (key, filled) in owing.items() if told[intent_id] < filled}


def _covers(reported: int, held: int) -> bool:
    return reported * held > 0 and abs(reported) >= abs(held)


def _is_known(position: Position) -> bool:
    if position.avg_price is None or position.exits == "":
        return False
    return template_from(position.exits).stop is not None


def _rearm_key(position: Position) -> str:
    since = position.unprotected_since
    return "" if since is None else wish_key(rearm_wish(position, since), position, IntentKind.PROTECT)
