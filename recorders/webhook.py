"""The webhook door: bytes in, one committed row, a small answer. Nothing else happens in the request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from prometheus_client import Counter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recorders.parse import MAX_BODY_BYTES
from recorders.receive import Inbox, Receipt, receive_alert

log = structlog.get_logger(__name__)
Found = TypeVar("Found")
UNKNOWN_TOKENS = Counter("justtrades_webhook_unknown_token_total", "Alerts that came to an address nobody owns")
NOT_STORED = Counter("justtrades_webhook_not_stored_total", "Alerts answered with 503 because they could not be stored")
_FIND_INBOX = """
    SELECT r.id, r.owner_id, r.is_enabled
    FROM recorders_webhooktoken t JOIN recorders_recorder r ON r.id = t.recorder_id
    WHERE t.token_hash = %s AND (t.expires_at IS NULL OR t.expires_at > now())
"""


class WebhookView(APIView):
    """`POST` stores an alert, `GET` says whether the address is live.

    Answers: 200 `{"signal_id"}` once stored (a resend gets the first one's id), 404 for an unknown token, and 503 when
    the store is out of reach: TradingView sends again after a 503, and after nothing else (reliability notes, 0.4).
    """

    authentication_classes = ()
    permission_classes = ()

    def get(self, _request: Request, token: str) -> Response:
        inbox = _guarded(lambda: find_inbox(token))
        if isinstance(inbox, Response):
            return inbox
        return Response({"ready": inbox.is_enabled}) if inbox is not None else _unknown_token()

    def post(self, request: Request, token: str) -> Response:
        body = request._request.read(MAX_BODY_BYTES + 1)  # DRF's own reading would parse by content type
        receipt = _guarded(lambda: _receive(token, body, request.META.get("REMOTE_ADDR")))
        if isinstance(receipt, Response):
            return receipt
        if receipt is None:
            return _unknown_token()
        answer: dict[str, object] = {"signal_id": str(receipt.signal_id), "status": receipt.status}
        if receipt.is_resend:
            answer["resend"] = True
        if receipt.refusal is not None:
            answer["reason"] = {"code": receipt.refusal.code, "text": receipt.refusal.text}
        return Response(answer)


def find_inbox(token: str) -> Inbox | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIND_INBOX, [hashlib.sha256(token.encode()).hexdigest()])
        row = cursor.fetchone()
    return Inbox(*row) if row is not None else None


def _receive(token: str, body: bytes, source_ip: str | None) -> Receipt | None:
    inbox = find_inbox(token)
    return receive_alert(inbox=inbox, body=body, source_ip=source_ip) if inbox is not None else None


def _guarded(work: Callable[[], Found]) -> Found | Response:
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
    return Response({"detail": "the alert was not stored, send it again"}, status=status.HTTP_503_SERVICE_UNAVAILABLE)


def _unknown_token() -> Response:
    UNKNOWN_TOKENS.inc()
    return Response({"detail": "token: names no recorder"}, status=status.HTTP_404_NOT_FOUND)
