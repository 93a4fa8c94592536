"""The whole story of one signal and one trader: why, what was asked of the broker, what came of it, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.selectors import Person
from brokers.base import OrderRole, Side
from brokers.instruments import UnknownTicker, product_of
from execution import selectors
from execution.clearing.checked import Check, check_of
from execution.dialogue import Exchange, exchange, without_secrets
from execution.explained import Explained, explained
from execution.models import Fill, IntentKind, Order, OrderIntent, Transition
from execution.planning import mapped_ticker
from execution.prices import format_money, format_price
from execution.rows import fill_row
from execution.slippage import Slippage, slippage_of, speaks_of
from execution.timing import Moment, moments_of
from execution.trace import Step, grouped, steps_of
from execution.valuation import known_contract
from recorders.models import Signal
from traders.models import Trader
from traders.selectors import list_traders_for

STAMPS = ("cleared", "dispatched", "sent", "acknowledged", "filled", "protected")
"""Moments of an intent that stand on its row and need no transition of their own."""
RECORDED, STAMPED = "recorded", "stamped"


@dataclass(frozen=True, slots=True)
class Wish:
    """One intent, with what was said to the broker and back."""

    intent: OrderIntent
    check: Check
    reason: str
    exchanges: list[Exchange]
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of the signal, of an intent (`entry`, `exit`) or of an order (`entry order`, `stop order`).

    `kind` is `recorded` for a transition that was written down with the change, `stamped` for a time on the row.
    """

    at: datetime
    kind: str
    subject: str
    before: str
    after: str
    detail: str


@dataclass(frozen=True, slots=True)
class TraderTrace:
    """Phases and slippage are of `lead`: the entry where there is one. Why there is no slippage: `slippage_note`."""

    signal: Signal
    trader: Trader
    lead: OrderIntent | None
    wishes: list[Wish]
    explained: Explained | None
    phases: list[Moment]
    slippage: Slippage | None
    slippage_note: str
    events: list[Event]

    @property
    def slippage_words(self) -> str:
        """`1.5 ticks worse, $7.50`, or why there is nothing to say."""
        if self.slippage is None:
            return self.slippage_note
        ticks, dollars = abs(self.slippage.ticks), abs(self.slippage.dollars)
        if ticks == 0:
            return "none: filled at the alert's price"
        amount = f"{ticks.quantize(Decimal('0.01')).normalize():f} tick{'' if ticks == 1 else 's'}"
        return f"{amount} {'worse' if self.slippage.ticks > 0 else 'better'}, {format_money(dollars, signed=False)}"

    @property
    def price_words(self) -> str:
        """What the alert named and what was paid, in the contract's own figures."""
        if self.slippage is None or self.lead is None:
            return ""
        contract = known_contract(self.lead.symbol)
        paid, named = format_price(self.slippage.average, contract), format_price(self.slippage.reference, contract)
        return f"filled at {paid}, the alert named {named}"

    @property
    def outcome(self) -> str:
        """The status of the lead; of the signal where this trader has no intent of it."""
        return self.signal.status if self.lead is None else self.lead.status

    @property
    def reason_code(self) -> str:
        return self.signal.reason_code if self.lead is None else self.lead.reason_code

    @property
    def reason_text(self) -> str:
        return without_secrets(self.signal.reason_text if self.lead is None else self.lead.reason_text)


def list_followers(user: Person, signal: Signal) -> QuerySet[Trader]:
    """The traders that have a trace of the signal: who has an intent of it, or followed its recorder when it came."""
    wished = OrderIntent.objects.filter(signal=signal, trader=OuterRef("pk"))
    was_there = Q(created_at__lte=signal.received_at) | Exists(wished)
    traders = list_traders_for(user).filter(was_there, recorder_id=signal.recorder_id)
    return traders.select_related(None).select_related("account").order_by("account__name", "pk")


def trace_traders(signal: Signal, traders: Sequence[Trader]) -> list[TraderTrace]:
    """The traces of these traders, in their order. Four queries, however many they are."""
    rows = OrderIntent.objects.filter(signal=signal, trader__in=traders).select_related("account", "explanation")
    intents = list(rows.order_by("created_at", "id"))
    orders = list(selectors.list_orders_of(intents))
    fills = list(selectors.list_fills_of(orders))
    changes = list(selectors.list_transitions([signal.pk, *(i.pk for i in intents), *(o.pk for o in orders)]))
    orders_of = grouped((order.intent_id, order) for order in orders)
    fills_of = grouped((fill.order_id, fill) for fill in fills)
    changes_of = grouped((change.object_id, change) for change in changes)
    intents_of = grouped((intent.trader_id, intent) for intent in intents)
    found = []
    for trader in traders:
        wishes = [_wish(signal, intent, orders_of[intent.pk], fills_of) for intent in intents_of[trader.pk]]
        found.append(_trace(signal, trader, wishes, changes_of))
    return found


def _trace(
    signal: Signal, trader: Trader, wishes: list[Wish], changes_of: dict[UUID | None, list[Transition]]
) -> TraderTrace:
    lead = _lead(wishes)
    why = next((w.intent.explanation for w in wishes if w.intent.explanation is not None), None)
    slippage, note = _slippage(signal, lead)
    return TraderTrace(
        signal=signal,
        trader=trader,
        lead=None if lead is None else lead.intent,
        wishes=wishes,
        explained=None if why is None else explained(why.document),
        phases=moments_of(signal, None if lead is None else lead.intent),
        slippage=slippage,
        slippage_note="" if slippage is not None else note,
        events=_events(signal, wishes, changes_of),
    )


def _lead(wishes: list[Wish]) -> Wish | None:
    """The entry; in its absence whatever else there is, first come."""
    return min(wishes, key=lambda wish: wish.intent.kind != IntentKind.ENTRY, default=None)


def _wish(signal: Signal, intent: OrderIntent, orders: list[Order], fills_of: dict[UUID | None, list[Fill]]) -> Wish:
    exchanges = [exchange(intent, order, [fill_row(fill) for fill in fills_of[order.pk]]) for order in orders]
    return Wish(intent, check_of(intent), without_secrets(intent.reason_text), exchanges, steps_of(signal, intent))


def _slippage(signal: Signal, lead: Wish | None) -> tuple[Slippage | None, str]:
    """The slippage, or None and why there is none."""
    if lead is None or lead.intent.kind != IntentKind.ENTRY:
        return None, "only an entry is measured"
    contract = known_contract(lead.intent.symbol)
    if signal.price is None or contract is None:
        return None, "the alert states no price"
    try:
        alerted = product_of(mapped_ticker(signal.recorder, signal.ticker))
    except UnknownTicker:
        return None, f"no product is known by the alert's {signal.ticker} now"
    if not speaks_of(alerted, contract.product):
        return None, f"the alert prices {alerted.root}, and {contract.root} was traded"
    entries = [row.fill for said in lead.exchanges if said.order.role == OrderRole.ENTRY for row in said.fills]
    priced = [(fill.qty, fill.price) for fill in entries if fill.price is not None]
    return slippage_of(Side(lead.intent.side), signal.price, priced, contract), "nothing has filled"


def _events(signal: Signal, wishes: list[Wish], changes_of: dict[UUID | None, list[Transition]]) -> list[Event]:
    """In time order; what happened at one moment in the order of its causes."""
    found = _recorded("signal", changes_of[signal.pk])
    for wish in wishes:
        stamps = ((name, getattr(wish.intent, f"{name}_at")) for name in STAMPS)
        found += [Event(at, STAMPED, wish.intent.leg, "", name, "") for name, at in stamps if at is not None]
        found += _recorded(wish.intent.leg, changes_of[wish.intent.pk])
        for said in wish.exchanges:
            found += _recorded(f"{said.order.role} order", changes_of[said.order.pk])
    return sorted(found, key=lambda event: event.at)


def _recorded(subject: str, changes: list[Transition]) -> list[Event]:
    return [
        Event(c.at, RECORDED, subject, c.from_state, c.to_state, without_secrets(c.detail.strip())) for c in changes
    ]
