"""P0: an alert becomes a stored Signal, once, before anybody is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from justtrades import bell, clock
from justtrades.ids import new_id
from justtrades.killpoints import killpoint
from recorders.alert import Action, ParsedAlert, Refusal
from recorders.dedupe import WEAK_WINDOW_S, ResendKeys, resend_keys
from recorders.models import SignalStatus
from recorders.parse import MAX_BODY_BYTES, NO_PRODUCT, Parsed, parse_body
from recorders.prepared import PreparedStatement

PLAN_TASK = "execution.plan_recorder"
PLAN_QUEUE = "plan"
KEPT_OF_OVERSIZE_BODY = 4096

_COLUMNS = (
    "id, owner_id, recorder_id, status, reason_code, reason_text, body, body_hash, resend_key, resend_key_offset, "
    "has_weak_key, resend_count, source_ip, action, ticker, quantity, price, position, prev_position, position_side, "
    "fired_at, dialect, strategy, limit_price, premium, overrides, flags, link, received_at, plan_attempts"
)
# The look-back and the insert are one statement: one round trip, one commit. See `recorders.dedupe` for why both the
# look-back and the two unique keys are needed.
_INSERT = f"""
    INSERT INTO recorders_signal ({_COLUMNS})
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s::inet, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
           %s::jsonb, %s, '', %s, 0
    WHERE NOT (%s AND EXISTS (
        SELECT 1 FROM recorders_signal
        WHERE recorder_id = %s AND body_hash = %s AND received_at > %s - make_interval(secs => {WEAK_WINDOW_S})))
    {{and_confirmed}}
    ON CONFLICT DO NOTHING
    RETURNING id
"""  # noqa: S608 - only constants of this module are put in
_INSERT_AS_TOLD = _INSERT.format(and_confirmed="")
_CONFIRMED = """
    AND EXISTS (
        SELECT 1 FROM recorders_webhooktoken t JOIN recorders_recorder r ON r.id = t.recorder_id
        WHERE t.token_hash = %s AND (t.expires_at IS NULL OR t.expires_at > now())
          AND r.id = %s AND r.owner_id = %s AND r.is_enabled = %s)
"""
_INSERT_IF_LIVE = PreparedStatement(
    "receive_alert",
    _INSERT.format(and_confirmed=_CONFIRMED),
    "uuid, uuid, uuid, text, text, text, bytea, text, text, text, bool, text, text, text, numeric, numeric, numeric, "
    "numeric, smallint, timestamptz, text, text, numeric, numeric, text, text, timestamptz, bool, uuid, text, "
    "timestamptz, text, uuid, uuid, bool",
)
_COUNT_RESEND = """
    UPDATE recorders_signal SET resend_count = resend_count + 1
    WHERE id = (SELECT id FROM recorders_signal WHERE recorder_id = %s AND body_hash = %s
                ORDER BY received_at DESC LIMIT 1)
    RETURNING id, status
"""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What the door needs to know of a recorder. `symbols` is its own symbol map."""

    recorder_id: UUID
    owner_id: UUID
    is_enabled: bool
    symbols: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """`signal_id` is the first signal's id when the alert was a resend. `others` are those of further alerts in the
    same body.
    """

    signal_id: UUID
    status: str
    is_resend: bool
    refusal: Refusal | None = None
    others: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: SignalStatus
    alert: ParsedAlert | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Incoming:
    """An alert taken in and judged, ready to be stored."""

    inbox: Inbox
    body: bytes
    keys: ResendKeys
    verdict: _Verdict
    source_ip: str | None
    received_at: datetime


def receive_alert(*, inbox: Inbox, body: bytes, source_ip: str | None) -> Receipt:
    """Store each alert of the body under its resend keys and ring for the planner. Committed when this returns.

    Raises `django.db.Error` when the store cannot be reached: then nothing was stored.
    """
    alerts = _take_in(inbox, body, source_ip)
    if len(alerts) == 1:
        receipts = [_store(alerts[0], _insert_as_told) or _first_of(alerts[0])]
    else:
        with transaction.atomic():
            receipts = [_store(alert, _insert_as_told) or _first_of(alert) for alert in alerts]
    for receipt in receipts:
        _ring_for(inbox, receipt)
    return replace(receipts[0], others=tuple(receipt.signal_id for receipt in receipts[1:]))


def receive_alert_if_live(*, inbox: Inbox, token_hash: str, body: bytes, source_ip: str | None) -> Receipt | None:
    """`receive_alert` for an inbox that is remembered: the statement that stores the alert checks that it still holds.

    None, and nothing stored, when the address is dead by now, the recorder was changed, the alert is a resend, there
    are several alerts, or the ticker is one that the recorder's symbol map may have learned since.
    """
    alerts = _take_in(inbox, body, source_ip)
    refusal = alerts[0].verdict.refusal
    if len(alerts) > 1 or (refusal is not None and refusal.code in NO_PRODUCT):
        return None
    confirmed = (token_hash, inbox.recorder_id, inbox.owner_id, inbox.is_enabled)
    receipt = _store(alerts[0], lambda row: _INSERT_IF_LIVE.fetch_one([*row, *confirmed]))
    if receipt is not None:
        _ring_for(inbox, receipt)
    return receipt


def _take_in(inbox: Inbox, body: bytes, source_ip: str | None) -> list[_Incoming]:
    now = clock.now()
    alerts = []
    for place, part in enumerate(parse_body(body, inbox.symbols)):
        verdict = _judge(inbox, part)
        has_fire_time = verdict.alert is not None and verdict.alert.fired_at is not None
        # The bytes as they came are the resend's key; what is kept of them has no secrets in it.
        named = body if place == 0 else body + b"#%d" % place
        keys = resend_keys(inbox.recorder_id, named, now, has_fire_time=has_fire_time)
        # Alerts of one body are planned in its order.
        at = now + timedelta(microseconds=place)
        alerts.append(_Incoming(inbox, part.body[: _kept(part.body)], keys, verdict, source_ip, at))
    return alerts


def _ring_for(inbox: Inbox, receipt: Receipt) -> None:
    if receipt.status == SignalStatus.RECEIVED and not receipt.is_resend:
        killpoint("webhook.pre_ring")
        bell.ring(PLAN_TASK, PLAN_QUEUE, inbox.recorder_id)


def _kept(body: bytes) -> int:
    return len(body) if len(body) <= MAX_BODY_BYTES else KEPT_OF_OVERSIZE_BODY


def _judge(inbox: Inbox, part: Parsed) -> _Verdict:
    if part.alert is None:
        return _Verdict(SignalStatus.REFUSED, refusal=part.refusal)
    if part.alert.action is Action.HEARTBEAT:
        alive = Refusal("HEARTBEAT", "a sign of life, and nothing to do")
        return _Verdict(SignalStatus.IGNORED, part.alert, alive)
    if not inbox.is_enabled:
        off = Refusal("RECORDER_DISABLED", "recorder: is switched off, so the alert was stored and not acted on")
        return _Verdict(SignalStatus.IGNORED, part.alert, off)
    return _Verdict(SignalStatus.RECEIVED, part.alert)


def _store(alert: _Incoming, insert: Callable[[Sequence[Any]], tuple[Any, ...] | None]) -> Receipt | None:
    """None when the statement found a reason not to insert."""
    inbox, keys, refusal, status = alert.inbox, alert.keys, alert.verdict.refusal, alert.verdict.status.value
    row = (
        new_id(), inbox.owner_id, inbox.recorder_id, status, refusal.code if refusal else "",
        refusal.text if refusal else "", alert.body, keys.body_hash, keys.key, keys.offset_key, keys.is_weak,
        alert.source_ip, *_columns_of(alert.verdict.alert), alert.received_at,
    )  # fmt: skip
    look_back = (keys.is_weak, inbox.recorder_id, keys.body_hash, alert.received_at)
    killpoint("webhook.pre_commit")
    stored = insert([*row, *look_back])
    killpoint("webhook.post_commit")
    return Receipt(stored[0], status, is_resend=False, refusal=refusal) if stored is not None else None


def _insert_as_told(row: Sequence[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_AS_TOLD, row)
        stored: tuple[Any, ...] | None = cursor.fetchone()
    return stored


def _first_of(alert: _Incoming) -> Receipt:
    """The signal that the same alert became when it was first sent."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_RESEND, [alert.inbox.recorder_id, alert.keys.body_hash])
        first_id, status = cursor.fetchone()
    return Receipt(first_id, status, is_resend=True)


def _columns_of(alert: ParsedAlert | None) -> tuple[Any, ...]:
    if alert is None:
        return ("", "", None, None, None, None, None, None, "", "", None, None, "{}", "")
    return (
        alert.action.value,
        alert.ticker,
        alert.quantity,
        alert.price,
        alert.position,
        alert.prev_position,
        alert.position_side,
        alert.fired_at,
        alert.dialect,
        alert.strategy,
        alert.limit_price,
        alert.premium,
        json.dumps(dict(alert.settings)),
        " ".join(alert.flags),
    )
