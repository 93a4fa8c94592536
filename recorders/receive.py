"""P0: an alert becomes a stored Signal, once, before anybody is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from justtrades import bell, clock
from justtrades.ids import new_id
from justtrades.killpoints import killpoint
from recorders.alert import ParsedAlert, Refusal
from recorders.dedupe import WEAK_WINDOW_S, ResendKeys, resend_keys
from recorders.models import SignalStatus
from recorders.parse import MAX_BODY_BYTES, parse

PLAN_TASK = "execution.plan_signal"
PLAN_QUEUE = "plan"
KEPT_OF_OVERSIZE_BODY = 4096

_COLUMNS = (
    "id, owner_id, recorder_id, status, reason_code, reason_text, body, body_hash, resend_key, resend_key_offset, "
    "has_weak_key, resend_count, source_ip, action, ticker, quantity, price, position, prev_position, fired_at, "
    "received_at, plan_attempts"
)
# The look-back and the insert are one statement: one round trip, one commit. See `recorders.dedupe` for why both the
# look-back and the two unique keys are needed.
_INSERT = f"""
    INSERT INTO recorders_signal ({_COLUMNS})
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s::inet, %s, %s, %s, %s, %s, %s, %s, %s, 0
    WHERE NOT (%s AND EXISTS (
        SELECT 1 FROM recorders_signal
        WHERE recorder_id = %s AND body_hash = %s AND received_at > %s - make_interval(secs => {WEAK_WINDOW_S})))
    ON CONFLICT DO NOTHING
    RETURNING id
"""  # noqa: S608 - only constants of this module are put in
_COUNT_RESEND = """
    UPDATE recorders_signal SET resend_count = resend_count + 1
    WHERE id = (SELECT id FROM recorders_signal WHERE recorder_id = %s AND body_hash = %s
                ORDER BY received_at DESC LIMIT 1)
    RETURNING id, status
"""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What the door needs to know of a recorder."""

    recorder_id: UUID
    owner_id: UUID
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """`signal_id` is the first signal's id when the alert was a resend."""

    signal_id: UUID
    status: str
    is_resend: bool
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: SignalStatus
    alert: ParsedAlert | None = None
    refusal: Refusal | None = None


def receive_alert(*, inbox: Inbox, body: bytes, source_ip: str | None) -> Receipt:
    """Store the alert under its resend keys and ring for the planner. Committed when this returns.

    Raises `django.db.Error` when the store cannot be reached: then nothing was stored.
    """
    now = clock.now()
    verdict = _judge(inbox, body)
    fire_time = verdict.alert.fired_at if verdict.alert is not None else None
    keys = resend_keys(inbox.recorder_id, body, now, has_fire_time=fire_time is not None)
    killpoint("webhook.pre_commit")
    receipt = _store(inbox, body[: _kept(body)], keys, verdict, source_ip, now)
    killpoint("webhook.post_commit")
    if receipt.status == SignalStatus.RECEIVED and not receipt.is_resend:
        killpoint("webhook.pre_ring")
        bell.ring(PLAN_TASK, PLAN_QUEUE, receipt.signal_id)
    return receipt


def _kept(body: bytes) -> int:
    return len(body) if len(body) <= MAX_BODY_BYTES else KEPT_OF_OVERSIZE_BODY


def _judge(inbox: Inbox, body: bytes) -> _Verdict:
    try:
        alert = parse(body)
    except Refusal as refusal:
        return _Verdict(SignalStatus.REFUSED, refusal=refusal)
    if not inbox.is_enabled:
        off = Refusal("RECORDER_DISABLED", "recorder: is switched off, so the alert was stored and not acted on")
        return _Verdict(SignalStatus.IGNORED, alert, off)
    return _Verdict(SignalStatus.RECEIVED, alert)


def _store(
    inbox: Inbox, body: bytes, keys: ResendKeys, verdict: _Verdict, source_ip: str | None, now: datetime
) -> Receipt:
    row = (
        new_id(), inbox.owner_id, inbox.recorder_id, verdict.status.value,
        verdict.refusal.code if verdict.refusal else "", verdict.refusal.text if verdict.refusal else "",
        body, keys.body_hash, keys.key, keys.offset_key, keys.is_weak, source_ip, *_columns_of(verdict.alert), now,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*row, keys.is_weak, inbox.recorder_id, keys.body_hash, now])
        stored = cursor.fetchone()
        if stored is not None:
            return Receipt(stored[0], verdict.status.value, is_resend=False, refusal=verdict.refusal)
        cursor.execute(_COUNT_RESEND, [inbox.recorder_id, keys.body_hash])
        first_id, status = cursor.fetchone()
    return Receipt(first_id, status, is_resend=True)


def _columns_of(alert: ParsedAlert | None) -> tuple[Any, ...]:
    if alert is None:
        return ("", "", None, None, None, None, None)
    return (
        alert.action.value,
        alert.ticker,
        alert.quantity,
        alert.price,
        alert.position,
        alert.prev_position,
        alert.fired_at,
    )
