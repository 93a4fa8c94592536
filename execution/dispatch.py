"""P3 for what waits: claim the lane's cleared intents in one transaction, then send them.

Whoever holds the lane may call this at any time; the claim (`FOR UPDATE SKIP LOCKED` on CLEARED rows) makes sure that
an intent is sent by one caller. What is on the wire is never sent again from here: see `execution.reports.outcomes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from brokers.base import Side
from execution import changes, feed, owing, protect, shrink
from execution.bulk import update_rows
from execution.clearing.recheck import Recheck
from execution.models import IntentKind, IntentStatus, ObjectKind, Order, OrderIntent
from execution.models.intent import FINISHED, MAX_FIGURE
from execution.shrink import Cut
from execution.submitting import Batch, Due, Routed, take_up
from execution.transitions import Change
from justtrades import clock
from justtrades.killpoints import killpoint

CHUNK = 500
"""Intents per transaction."""
CUT_BOUND = timedelta(seconds=5)
"""How long an intent waits for legs that are in its way. Then a partial exit is given up, so that nothing waits behind
it for ever, and an exit goes all the same: it must get through, and what it could overshoot the watchdog ends."""

_CLAIM = """
    SELECT i.id, i.owner_id, i.trader_id, i.account_id, i.kind, i.client_order_id, i.symbol, i.side, i.qty,
           i.bracket, i.order_type, i.price, a.broker_id, a.name, a.login_id, i.expires_at, b.status, b.kind,
           p.net_qty, i.leaves_qty,
           i.kind = 'exit' AND (EXISTS (
               SELECT 1 FROM traders_trader s
               WHERE s.account_id = i.account_id AND s.id <> i.trader_id
                 AND (s.is_enabled OR EXISTS (
                     SELECT 1 FROM execution_position h
                     WHERE h.trader_id = s.id AND h.symbol = i.symbol AND h.net_qty <> 0)))
               OR EXISTS (
               SELECT 1 FROM execution_break k
               WHERE k.account_id = i.account_id AND k.symbol = i.symbol AND k.kind = 'external_position'
                 AND k.state = 'adopted')),
           i.exits,
           (SELECT o.id FROM execution_order o WHERE i.attempts > 0 AND o.client_order_id = i.client_order_id),
           i.attempts, i.reason_code, i.reason_text, i.cleared_at, l.venue
    FROM execution_orderintent i
    JOIN brokers_brokeraccount a ON a.id = i.account_id
    JOIN brokers_brokerlogin l ON l.id = a.login_id
    LEFT JOIN execution_orderintent b ON b.id = i.after_id
    LEFT JOIN execution_position p ON p.trader_id = i.trader_id AND p.symbol = i.symbol
    WHERE i.status = 'cleared' AND i.cleared_at <= %s AND i.lane_slot %% %s = %s
      AND (b.id IS NULL OR b.status = ANY(%s))
      AND (i.kind IN ('flatten', 'cancel') OR NOT EXISTS (
          SELECT 1 FROM execution_orderintent f
          WHERE f.account_id = i.account_id AND f.symbol = i.symbol AND f.kind = 'flatten'
            AND f.status IN ('new', 'cleared', 'dispatched', 'unknown')))
      AND (i.kind <> 'entry' OR NOT EXISTS (
          SELECT 1 FROM execution_orderintent x
          WHERE x.trader_id = i.trader_id AND x.symbol = i.symbol AND x.kind = 'exit'
            AND x.status IN ('new', 'cleared', 'dispatched', 'unknown')
            AND (x.created_at, x.id) < (i.created_at, i.id)))
    ORDER BY i.created_at, i.id
    LIMIT %s
    FOR UPDATE OF i SKIP LOCKED
"""
_INTENT_COLUMNS = (
    "status", "reason_code", "reason_text", "reason_had", "reason_limit", "dispatched_at", "finished_at", "attempts",
)  # fmt: skip

Submit = Callable[[Sequence[Routed]], None]


@dataclass(slots=True)
class _Claim:
    batch: Batch
    statuses: list[tuple[object, ...]] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    owners: set[UUID] = field(default_factory=set)
    owed: set[owing.Key] = field(default_factory=set)
    recheck: Recheck = field(init=False)

    def __post_init__(self) -> None:
        self.recheck = Recheck(self.batch.now)


def dispatch_due(lane: int, submit: Submit) -> int:
    """Send every cleared intent of the lane whose predecessor is finished; returns how many were taken up."""
    taken = 0
    while True:
        claim, count = _claim_chunk(lane)
        send(claim.batch.requests, submit)
        changes.send_changes(lane, submit)
        for owner_id in claim.owners:
            feed.announce(owner_id, "intents", "orders")
        taken += count
        if count < CHUNK:
            return taken


def send(requests: Sequence[Routed], submit: Submit) -> None:
    """Hand over what was marked SUBMITTING; from here on only the brokers know."""
    if not requests:
        return
    killpoint("dispatch.pre_send")
    submit(requests)
    killpoint("dispatch.post_send")


def _claim_chunk(lane: int) -> tuple[_Claim, int]:
    claim = _Claim(Batch(clock.now()))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [claim.batch.now, settings.LANES, lane, sorted(FINISHED), CHUNK])
            due = [Due(*row) for row in cursor.fetchall()]
        if due:
            killpoint("dispatch.pre_mark")
        in_the_way = shrink.orders_in_the_way(due)
        claim.recheck = Recheck.of(due, claim.batch.now)
        claim.owed = owing.fills_owed(due, claim.batch.now)
        for intent in due:
            orders = [] if intent.trader_id is None else in_the_way.get((intent.trader_id, intent.symbol), [])
            _decide(claim, intent, orders)
        claim.recheck.finish()
        shrink.wish_for(claim.cuts)
        update_rows(OrderIntent, _INTENT_COLUMNS, claim.statuses)
        claim.batch.write()
    return claim, len(claim.statuses)


def _decide(claim: _Claim, intent: Due, orders: list[Order]) -> None:
    is_owed = intent.trader_id is not None and (intent.trader_id, intent.symbol) in claim.owed
    if is_owed and (intent.kind == IntentKind.REDUCE or intent.is_shared):
        # A plain order closes what our books hold, and they are about to hold more.
        return
    verdict = None if is_owed and intent.kind == IntentKind.EXIT else _verdict(intent, claim.batch.now, orders)
    cuts = None if verdict is not None else shrink.cuts_before(intent, orders)
    if cuts is not None:
        claim.cuts += [cut for cut in cuts if _is_new(cut, orders)]
        if claim.batch.now - intent.cleared_at <= CUT_BOUND:
            # It stays CLEARED: the next look comes with the broker's report, or within a second.
            return
        if intent.kind == IntentKind.REDUCE:
            verdict = (IntentStatus.FAILED, "LEGS_NOT_CUT", f"its exits still worked after {CUT_BOUND.seconds} s")
    claim.owners.add(intent.owner_id)
    denial = None if verdict is not None else claim.recheck.denial_of(intent)
    if denial is not None:
        _set_intent(claim, intent, IntentStatus.DENIED, denial.code, denial.text, (denial.had, denial.limit))
        return
    if verdict is not None:
        _set_intent(claim, intent, *verdict)
        return
    if intent.kind != IntentKind.PROTECT:
        take_up(claim.batch, intent)
    elif not protect.take_up(claim.batch, intent):
        _set_intent(claim, intent, IntentStatus.DONE, intent.reason_code, intent.reason_text)
        return
    _set_intent(claim, intent, IntentStatus.DISPATCHED, intent.reason_code, intent.reason_text)


def _is_new(cut: Cut, orders: list[Order]) -> bool:
    return all(order.wanted_qty != cut.wanted_qty for order in orders if order.id == cut.order_id)


Ending = tuple[IntentStatus, str, str]


def _verdict(intent: Due, now: datetime, orders: list[Order]) -> Ending | None:
    """Why a claimed intent is not to be sent after all; None when it is."""
    if intent.kind == IntentKind.FLATTEN:
        return None
    if intent.kind == IntentKind.CANCEL and intent.trader_id is not None:
        return IntentStatus.DONE, "", f"{changes.cancel_entries(intent.trader_id, intent.symbol)} waiting entries"
    if intent.kind != IntentKind.ENTRY:
        return _verdict_without_position(intent, orders)
    if intent.expires_at is not None and now > intent.expires_at:
        age = (now - intent.expires_at).total_seconds()
        return IntentStatus.EXPIRED, "STALE", f"age: {age:.1f} s over the limit of 30 s, entries are not sent late"
    if intent.predecessor_kind == IntentKind.EXIT and intent.predecessor != IntentStatus.DONE:
        return IntentStatus.DENIED, "EXIT_NOT_DONE", f"the exit before it ended as {intent.predecessor}"
    return None


def _verdict_without_position(intent: Due, orders: list[Order]) -> Ending | None:
    """An exit of what is gone is done; one that would now point the other way must not go."""
    held = intent.held_qty or 0
    is_gone = held == 0
    if intent.kind == IntentKind.EXIT:
        is_gone = held == 0 and not orders
    elif intent.kind == IntentKind.REDUCE:
        is_gone = abs(held) <= (intent.leaves_qty or 0) or (held > 0) != (intent.side == Side.SELL)
    if not is_gone:
        return None
    return IntentStatus.DONE, "ALREADY_FLAT", f"the position in {intent.symbol} was closed before"


def _set_intent(
    claim: _Claim, intent: Due, status: IntentStatus, code: str, text: str, figures: tuple[str, str] = ("", "")
) -> None:
    batch = claim.batch
    is_sent = status is IntentStatus.DISPATCHED
    had, limit = figures
    claim.statuses.append((
        intent.id, status.value, code, text[:512], had[:MAX_FIGURE], limit[:MAX_FIGURE],
        batch.now if is_sent else None, None if is_sent else batch.now,
        intent.attempts + 1 if is_sent else intent.attempts,
    ))  # fmt: skip
    batch.changes.append(
        Change(intent.owner_id, ObjectKind.INTENT, intent.id, IntentStatus.CLEARED, status.value, batch.now, text)
    )
