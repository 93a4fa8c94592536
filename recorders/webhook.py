"""The webhook door: bytes in, one committed row, a small answer. Nothing else happens in the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpResponse, JsonResponse
from prometheus_client import Counter
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from recorders.parse import MAX_BODY_BYTES
from recorders.receive import Inbox, Receipt, receive_alert, receive_alert_if_live

log = structlog.get_logger(__name__)
Found = TypeVar("Found")
UNKNOWN_TOKENS = Counter("justtrades_webhook_unknown_token_total", "Alerts that came to an address nobody owns")
NOT_STORED = Counter("justtrades_webhook_not_stored_total", "Alerts answered with 503 because they could not be stored")
_FIND_INBOX = """
    SELECT r.id, r.owner_id, r.is_enabled, r.symbol_map
    FROM recorders_webhooktoken t JOIN recorders_recorder r ON r.id = t.recorder_id
    WHERE t.token_hash = %s AND (t.expires_at IS NULL OR t.expires_at > now())
"""
MOST_KNOWN_INBOXES = 10_000
_known_inboxes: dict[str, Inbox] = {}
"""By token hash. Each use is confirmed by the statement that stores the alert, so an old one does no harm."""


class OnlyJson(BaseContentNegotiation):
    """The door answers in JSON whatever is asked for; asking costs more than the answer."""

    def select_parser(self, _request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, _request: Request, renderers: Any, _format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class WebhookView(APIView):
    """`POST` stores an alert, `GET` says whether the address is live.

    Answers: 200 `{"signal_id"}` once stored (a resend gets the first one's id), 404 for an unknown token, and 503 when
    the store is out of reach: TradingView sends again after a 503, and after nothing else (reliability notes, 0.4).
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = OnlyJson

    def get(self, _request: Request, token: str) -> HttpResponse:
        inbox = _guarded(lambda: find_inbox(_hash(token)))
        if isinstance(inbox, HttpResponse):
            return inbox
        return JsonResponse({"ready": inbox.is_enabled}) if inbox is not None else _unknown_token()

    def post(self, request: Request, token: str) -> HttpResponse:
        body = request._request.read(MAX_BODY_BYTES + 1)  # DRF's own reading would parse by content type
        receipt = _guarded(lambda: _receive(_hash(token), body, request.META.get("REMOTE_ADDR")))
        if isinstance(receipt, HttpResponse):
            return receipt
        if receipt is None:
            return _unknown_token()
        answer: dict[str, object] = {"signal_id": str(receipt.signal_id), "status": receipt.status}
        if receipt.others:
            answer["signal_ids"] = [str(receipt.signal_id), *map(str, receipt.others)]
        if receipt.is_resend:
            answer["resend"] = True
        if receipt.refusal is not None:
            answer["reason"] = {"code": receipt.refusal.code, "text": receipt.refusal.text}
        return JsonResponse(answer)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_inbox(token_hash: str) -> Inbox | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIND_INBOX, [token_hash])
        row = cursor.fetchone()
    return Inbox(row[0], row[1], row[2], json.loads(row[3])) if row is not None else None


def _receive(token_hash: str, body: bytes, source_ip: str | None) -> Receipt | None:
    """Store under the inbox that we remember, if the store agrees that it still is; else find it anew."""
    known = _known_inboxes.get(token_hash)
    if known is not None:
        receipt = receive_alert_if_live(inbox=known, token_hash=token_hash, body=body, source_ip=source_ip)
        if receipt is not None:
            return receipt
    inbox = find_inbox(token_hash)
    _remember(token_hash, inbox)
    return receive_alert(inbox=inbox, body=body, source_ip=source_ip) if inbox is not None else None


def _remember(token_hash: str, inbox: Inbox | None) -> None:
    if len(_known_inboxes) >= MOST_KNOWN_INBOXES:
        _known_inboxes.clear()
    if inbox is not None:
        _known_inboxes[token_hash] = inbox
    else:
        _known_inboxes.pop(token_hash, None)


def _guarded(work: Callable[[], Found]) -> Found | HttpResponse:
    """`work`'s result, or the 503 that makes TradingView send again.

    A connection that the server dropped since its last use is replaced once: receiving is safe to repeat, the resend
    keys make the second try find what the first one stored.
    """
    for _ in range(2):
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            connection.close()
            reason = type(error).__name__
        except DatabaseError as error:
            reason = type(error).__name__
            break
    NOT_STORED.inc()
    log.error("webhook.not_stored", reason=reason)
    return JsonResponse(
        {"detail": "the alert was not stored, send it again"}, status=status.HTTP_503_SERVICE_UNAVAILABLE
    )


def _unknown_token() -> HttpResponse:
    UNKNOWN_TOKENS.inc()
    return JsonResponse({"detail": "token: names no recorder"}, status=status.HTTP_404_NOT_FOUND)
