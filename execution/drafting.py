"""The rows that one plan writes: intents with their verdicts, and the orders of what goes out at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from brokers.base import OrderType, Side
from execution.bulk import copy_rows
from execution.clearing.clearance import Clearance, Entry
from execution.explain import Explanations
from execution.followers import Follower
from execution.intents import order_name
from execution.models import IntentKind, IntentSource, IntentStatus, ObjectKind, OrderIntent
from execution.models.intent import MAX_FIGURE
from execution.plan import Declined, LegKind, PlannedLeg
from execution.submitting import Batch, Due, bracket_rows, take_up
from execution.transitions import Change
from justtrades.ids import idempotency_key, new_id
from recorders.settings import Settings
from risk import checks

_COLUMNS = (
    "id", "owner_id", "source", "signal_id", "command_id", "trader_id", "account_id", "lane_slot", "leg", "kind",
    "idempotency_key", "client_order_id", "symbol", "side", "qty", "leaves_qty", "target_distance", "stop_distance",
    "order_type",
    "price", "bracket", "exits", "cancel_at", "explanation_id", "after_id", "status", "reason_code", "reason_text",
    "reason_had", "reason_limit", "attempts", "created_at", "expires_at", "cleared_at", "dispatched_at", "finished_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """Which of the three sources the intents come from, and its row."""

    source: IntentSource
    id: UUID
    expires_at: datetime

    @property
    def signal_id(self) -> UUID | None:
        return self.id if self.source is IntentSource.SIGNAL else None

    @property
    def command_id(self) -> UUID | None:
        return self.id if self.source is IntentSource.COMMAND else None


@dataclass(slots=True)
class Draft:
    """`lane` is the lane whose fresh entries may go out with the plan's own commit (ADR 0004); None: nobody's.

    `clearance` judges its entries: there is none where nothing is entered.
    """

    origin: Origin
    now: datetime
    lane: int | None
    batch: Batch
    clearance: Clearance | None = None
    explanations: Explanations = field(default_factory=Explanations)
    lanes: int = settings.LANES
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    lane_slots: set[int] = field(default_factory=set)
    declined: list[Declined] = field(default_factory=list)
    planned: int = 0

    def write(self) -> None:
        if self.clearance is not None:
            self.clearance.finish()
        self.explanations.write()
        copy_rows(OrderIntent, _COLUMNS, self.rows)
        self.batch.changes += self.changes
        self.batch.write()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A leg with what surrounds it: `after` must be finished first, `why` is its explanation's digest ("" for none).

    It is sent `delay_s` seconds after the plan at the earliest; a limit entry is canceled `timeout_s` after it.
    """

    leg: PlannedLeg
    symbol: str
    after: UUID | None = None
    why: str = ""
    delay_s: int = 0
    timeout_s: int | None = None


def wanted(leg: PlannedLeg, symbol: str, after: UUID | None, why: str, settings: Settings) -> Wanted:
    delay_s = settings.entry_delay_s if leg.is_entry else 0
    timeout_s = settings.limit_timeout_s if leg.order_type is OrderType.LIMIT else None
    return Wanted(leg, symbol, after, why, delay_s, timeout_s)


def add_declined(draft: Draft, follower: Follower, want: Wanted, declined: Declined) -> None:
    """An intent that is over before it began, so that its owner reads the reason."""
    draft.declined.append(declined)
    _add(draft, follower, want, declined)


def add_leg(draft: Draft, follower: Follower, want: Wanted) -> UUID:
    """An intent with the verdict of the pre-trade checks; returns its id."""
    draft.planned += 1
    goes_now = _goes_at_once(draft, follower, want)
    return _add(draft, follower, want, _verdict(draft, follower, want, goes_now=goes_now), goes_now=goes_now)


def _verdict(draft: Draft, follower: Follower, want: Wanted, *, goes_now: bool) -> checks.Denial | None:
    if not want.leg.is_entry:
        facts = follower.facts_for(is_entry=False, qty=want.leg.qty, expires_at=None)
        return checks.check(facts, draft.now)
    if draft.clearance is None:
        raise ValueError("an entry cannot be drafted without anybody to clear it")
    return draft.clearance.judge(follower, Entry(want.symbol, want.leg, draft.origin.expires_at, goes_now))


def _add(
    draft: Draft, follower: Follower, want: Wanted, denial: Declined | checks.Denial | None, *, goes_now: bool = False
) -> UUID:
    """What went well needs no transition of its own: `created_at`, `cleared_at` and `dispatched_at` are on the row."""
    leg, intent_id = want.leg, new_id()
    key = idempotency_key(draft.origin.source.value, draft.origin.id, follower.trader_id, leg.leg)
    name = order_name(_KINDS[leg.kind], key)
    status = _status_of(denial)
    if denial is None and goes_now:
        status = IntentStatus.DISPATCHED
        take_up(draft.batch, _due(follower, leg, intent_id, name, want.symbol))
    elif denial is None:
        draft.lane_slots.add(follower.lane_slot)
    is_sent = status is IntentStatus.DISPATCHED
    nearest = next((one.target_distance for one in leg.bracket if one.target_distance is not None), None)
    stop = next((one.stop_distance for one in leg.bracket if one.stop_distance is not None), None)
    draft.rows.append((
        intent_id, follower.owner_id, draft.origin.source.value, draft.origin.signal_id, draft.origin.command_id,
        follower.trader_id, follower.account_id, follower.lane_slot, leg.leg, _KINDS[leg.kind], key, name, want.symbol,
        leg.side.value, leg.qty, leg.leaves, nearest, stop, leg.order_type.value, leg.price,
        bracket_rows(leg.bracket, leg.bracket_targets), leg.exits_text, _later(draft.now, want.timeout_s),
        want.why or None, want.after, status.value, denial.code if denial else "",
        denial.text[:512] if denial else "", *_figures(denial), 1 if is_sent else 0, draft.now,
        draft.origin.expires_at if leg.is_entry else None, None if denial else _later(draft.now, want.delay_s),
        draft.now if is_sent else None, draft.now if denial else None,
    ))  # fmt: skip
    if denial is not None:
        detail = f"{denial.code}: {denial.text}"
        draft.changes.append(
            Change(follower.owner_id, ObjectKind.INTENT, intent_id, IntentStatus.NEW, status.value, draft.now, detail)
        )
    return intent_id


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


_KINDS = {kind: IntentKind(kind.value).value for kind in LegKind}


def _figures(denial: Declined | checks.Denial | None) -> tuple[str, str]:
    return (denial.had[:MAX_FIGURE], denial.limit[:MAX_FIGURE]) if isinstance(denial, checks.Denial) else ("", "")


def _status_of(denial: Declined | checks.Denial | None) -> IntentStatus:
    if denial is None:
        return IntentStatus.CLEARED
    return IntentStatus.EXPIRED if denial.code == checks.STALE else IntentStatus.DENIED


def _goes_at_once(draft: Draft, follower: Follower, want: Wanted) -> bool:
    is_free = want.leg.is_entry and want.after is None and want.delay_s == 0
    return is_free and draft.lane is not None and follower.lane_slot % draft.lanes == draft.lane


def _due(follower: Follower, leg: PlannedLeg, intent_id: UUID, name: str, symbol: str) -> Due:
    return Due(
        id=intent_id,
        owner_id=follower.owner_id,
        trader_id=follower.trader_id,
        account_id=follower.account_id,
        kind=_KINDS[leg.kind],
        client_order_id=name,
        symbol=symbol,
        side=leg.side.value,
        qty=leg.qty,
        bracket=leg.bracket,
        order_type=leg.order_type.value,
        price=leg.price,
        broker_id=follower.broker_id,
        account_name=follower.account_name,
        login_id=follower.login_id,
        venue=follower.venue,
    )


def nothing_leg(*, is_entry: bool, side: Side) -> PlannedLeg:
    """What is written down of something that is not done."""
    return PlannedLeg("entry" if is_entry else "exit", LegKind.ENTRY if is_entry else LegKind.EXIT, side, 0)
