"""P1 and P2: a Signal becomes one OrderIntent per follower and leg, cleared or denied, all in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from brokers import instruments
from brokers.base import Side
from brokers.instruments import Contract
from execution import feed, locks, plan, transitions
from execution.bulk import copy_rows
from execution.followers import Follower, Holding, followers_of, holdings_of
from execution.models import IntentKind, IntentSource, IntentStatus, ObjectKind, OrderIntent
from execution.submitting import Batch, Due, Routed, take_up
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import client_order_id, idempotency_key, new_id
from justtrades.killpoints import killpoint
from recorders.alert import Action, ParsedAlert
from recorders.models import Recorder, Signal, SignalStatus
from risk import checks

log = structlog.get_logger(__name__)
MAX_PLAN_ATTEMPTS = 3

_COLUMNS = (
    "id", "owner_id", "source", "signal_id", "trader_id", "account_id", "lane_slot", "leg", "kind", "idempotency_key",
    "client_order_id", "symbol", "side", "qty", "target_distance", "stop_distance", "after_id", "status",
    "reason_code", "reason_text", "attempts", "created_at", "expires_at", "cleared_at", "dispatched_at", "finished_at",
)  # fmt: skip


@dataclass(slots=True)
class _Draft:
    """What is being written for one signal."""

    signal: Signal
    now: datetime
    expires_at: datetime
    lane: int | None
    batch: Batch
    lanes: int = settings.LANES
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    lane_slots: set[int] = field(default_factory=set)
    declined: list[plan.Declined] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned signal: what the planning lane may send at once, and the slots whose lanes have work waiting."""

    signal_id: UUID
    lane_slots: frozenset[int]
    requests: tuple[Routed, ...] = ()


def plan_next(recorder_id: UUID, lane: int | None = None) -> Planned | None:
    """Plan the recorder's oldest waiting signal, in one transaction; None when none waits.

    A caller that owns `lane` gets that lane's fresh entries marked SUBMITTING in the same transaction (P1 to P3 in one
    commit: see ADR 0004) and must send `requests` at once. Everything else is left CLEARED for `execution.dispatch`.

    Safe to call from anywhere at any time: the signal's status is the claim, and the intents' keys follow from the
    signal, so that a second plan of the same signal cannot write a second intent.
    """
    with transaction.atomic():
        locks.lock_planning_of(recorder_id)
        signal = locks.lock_next_signal_of(recorder_id)
        if signal is None:
            return None
        planned = _plan(signal, lane)
    feed.announce(signal.owner_id, "signals", "intents")
    return planned


def _plan(signal: Signal, lane: int | None) -> Planned:
    now = clock.now()
    draft = _Draft(signal, now, checks.expiry_of(signal.received_at, signal.fired_at), lane, Batch(now))
    recorder = Recorder.objects.get(pk=signal.recorder_id)
    try:
        contract = instruments.resolve(signal.ticker, now.date())
    except instruments.UnknownTicker as error:
        _finish_signal(draft, SignalStatus.REFUSED, "UNKNOWN_TICKER", f"ticker: {error}")
        transitions.record(draft.changes)
        return Planned(signal.id, frozenset())
    meaning = plan.meaning_of(_alert_of(signal))
    followers = followers_of(recorder)
    holdings = holdings_of(recorder, contract.root) if followers else {}
    for position, follower in enumerate(followers):
        _draft_follower(draft, follower, holdings.get(follower.trader_id), meaning, contract)
        if position == len(followers) // 2:
            killpoint("plan.mid")
    _close_signal(draft, has_followers=bool(followers))
    copy_rows(OrderIntent, _COLUMNS, draft.rows)
    draft.batch.changes += draft.changes
    draft.batch.write()
    return Planned(signal.id, frozenset(draft.lane_slots), tuple(draft.batch.requests))


def _alert_of(signal: Signal) -> ParsedAlert:
    return ParsedAlert(
        action=Action(signal.action),
        ticker=signal.ticker,
        quantity=signal.quantity,
        price=signal.price,
        position=signal.position,
        prev_position=signal.prev_position,
        fired_at=signal.fired_at,
    )


def _draft_follower(
    draft: _Draft, follower: Follower, holding: Holding | None, meaning: plan.Meaning, contract: Contract
) -> None:
    expected = holding.expected_qty if holding is not None else 0
    held_symbol = holding.symbol if holding is not None and expected != 0 else contract.symbol
    planned = plan.plan(
        meaning,
        alert_quantity=draft.signal.quantity,
        settings=follower.settings,
        position=expected,
        contract=contract,
    )
    if isinstance(planned, plan.Declined):
        draft.declined.append(planned)
        leg = plan.PlannedLeg("entry", is_entry=meaning is not plan.Meaning.GO_FLAT, side=_side_of(draft.signal), qty=0)
        _add(draft, follower, leg, contract.symbol, None, declined=planned)
        return
    after = holding.last_intent_id if holding is not None else None
    for leg in planned:
        symbol = contract.symbol if leg.is_entry else held_symbol
        after = _add(draft, follower, leg, symbol, after)


def _side_of(signal: Signal) -> Side:
    return Side.BUY if signal.action == Action.BUY else Side.SELL


def _add(
    draft: _Draft,
    follower: Follower,
    leg: plan.PlannedLeg,
    symbol: str,
    after: UUID | None,
    declined: plan.Declined | None = None,
) -> UUID:
    """Write one intent with its verdict into the draft; returns its id.

    What went well needs no transition of its own: `created_at`, `cleared_at` and `dispatched_at` are on the row.
    """
    kind = IntentKind.ENTRY if leg.is_entry else IntentKind.EXIT
    expires_at = draft.expires_at if leg.is_entry else None
    denial = declined or checks.check(
        follower.facts_for(is_entry=leg.is_entry, qty=leg.qty, expires_at=expires_at), draft.now
    )
    intent_id = new_id()
    key = idempotency_key("signal", draft.signal.id, follower.trader_id, leg.leg)
    name = client_order_id(key)
    status = _status_of(denial)
    if denial is None and leg.is_entry and after is None and _is_ours(draft, follower):
        status = IntentStatus.DISPATCHED
        take_up(draft.batch, _due(follower, leg, intent_id, name, symbol))
    elif denial is None:
        draft.lane_slots.add(follower.lane_slot)
    is_sent = status is IntentStatus.DISPATCHED
    draft.rows.append((
        intent_id, follower.owner_id, IntentSource.SIGNAL.value, draft.signal.id, follower.trader_id,
        follower.account_id, follower.lane_slot, leg.leg, kind.value, key, name, symbol, leg.side.value, leg.qty,
        leg.target_distance, leg.stop_distance, after, status.value, denial.code if denial else "",
        denial.text[:512] if denial else "", 1 if is_sent else 0, draft.now, expires_at,
        draft.now if denial is None else None, draft.now if is_sent else None, draft.now if denial else None,
    ))  # fmt: skip
    if denial is not None:
        detail = f"{denial.code}: {denial.text}"
        draft.changes.append(
            Change(follower.owner_id, ObjectKind.INTENT, intent_id, IntentStatus.NEW, status.value, draft.now, detail)
        )
    return intent_id


def _status_of(denial: plan.Declined | checks.Denial | None) -> IntentStatus:
    if denial is None:
        return IntentStatus.CLEARED
    return IntentStatus.EXPIRED if denial.code == checks.STALE else IntentStatus.DENIED


def _is_ours(draft: _Draft, follower: Follower) -> bool:
    return draft.lane is not None and follower.lane_slot % draft.lanes == draft.lane


def _due(follower: Follower, leg: plan.PlannedLeg, intent_id: UUID, name: str, symbol: str) -> Due:
    return Due(
        id=intent_id,
        owner_id=follower.owner_id,
        trader_id=follower.trader_id,
        account_id=follower.account_id,
        kind=IntentKind.ENTRY.value,
        client_order_id=name,
        symbol=symbol,
        side=leg.side.value,
        qty=leg.qty,
        target_distance=leg.target_distance,
        stop_distance=leg.stop_distance,
        broker_id=follower.broker_id,
        account_name=follower.account_name,
        login_id=follower.login_id,
    )


def _close_signal(draft: _Draft, *, has_followers: bool) -> None:
    """PLANNED when any follower has something to do or was denied; IGNORED, with the reason, when none has."""
    codes = {declined.code for declined in draft.declined}
    if not has_followers:
        _finish_signal(draft, SignalStatus.IGNORED, "NO_FOLLOWERS", "no trader follows this recorder")
    elif len(draft.declined) == len(draft.rows) and len(codes) == 1:
        draft.rows.clear()
        draft.changes.clear()
        _finish_signal(draft, SignalStatus.IGNORED, draft.declined[0].code, draft.declined[0].text)
    else:
        _finish_signal(draft, SignalStatus.PLANNED, "", "")


def _finish_signal(draft: _Draft, status: SignalStatus, code: str, text: str) -> None:
    signal = draft.signal
    signal.status, signal.reason_code, signal.reason_text = status, code, text[:512]
    signal.planned_at = draft.now
    signal.save(update_fields=["status", "reason_code", "reason_text", "planned_at"])
    change = Change(signal.owner_id, ObjectKind.SIGNAL, signal.id, SignalStatus.RECEIVED, status.value, draft.now, text)
    draft.changes.append(change)


def give_up_on(recorder_id: UUID, reason: str) -> None:
    """Count a failed try at the recorder's oldest waiting signal; after the last one the signal is IGNORED, visibly."""
    with transaction.atomic():
        locks.lock_planning_of(recorder_id)
        signal = locks.lock_next_signal_of(recorder_id)
        if signal is None:
            return
        signal.plan_attempts += 1
        if signal.plan_attempts >= MAX_PLAN_ATTEMPTS:
            signal.status, signal.reason_code = SignalStatus.IGNORED, "PLANNING_FAILED"
            signal.reason_text = f"planning failed {signal.plan_attempts} times: {reason}"[:512]
            transitions.record([
                Change(signal.owner_id, ObjectKind.SIGNAL, signal.id, SignalStatus.RECEIVED, signal.status,
                       clock.now(), signal.reason_text)
            ])  # fmt: skip
        signal.save(update_fields=["plan_attempts", "status", "reason_code", "reason_text"])
