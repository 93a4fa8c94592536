"""What Webull's refusals mean, by HTTP status and by the end of their code; pure.

The same code comes with several prefixes (`OPENAPI_X`, `OAUTH_OPENAPI_X`, `OPENAPI_TRADE_X`), so only its end is
compared. Business refusals are HTTP 417 (Webull wire facts, errors).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson

from brokers.errors import AuthExpired, AuthFailed, BrokerError, OutcomeUnknown, RateLimited, Refused

REPEATED_ID = "PLACE_ORDER_REPEAT"
ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
NOT_CANCELABLE = "ORDER_CAN_NOT_BE_CANCEL"
TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
UNKNOWN_KEY = ("MISSING_APP_KEY", "INVALID_APP_KEY")
_TOO_MUCH_TO_CLOSE = ("QTY_EXCEED_AVAILABLE_QTY", "QTY_NOT_ENOUGH", "POSITION_NOT_ENOUGH", "POSITION_INSUFFICIENT")
# The venue failed while it worked on the request: whether it took effect is open.
_ITS_OWN_FAILURES = ("SYSTEM_ERROR", "SERVICE_NOT_AVAILABLE", "GATEWAY_TIMEOUT", "INTERNAL_ERROR")
_TEXT_LIMIT = 300


def is_code(error: BrokerError, *endings: str) -> bool:
    """Whether this is a refusal whose code ends so."""
    return isinstance(error, Refused) and error.code.endswith(endings)


def is_too_much_to_close(code: str) -> bool:
    """The position is smaller than what the order would close."""
    return code.endswith(_TOO_MUCH_TO_CLOSE)


def failure_of(status: int, content: bytes, retry_after: str | None, silence: float) -> BrokerError:
    """The error that an answer with this status is; `silence` seconds are kept where the venue names no time."""
    code, text = _reason(content)
    if status == HTTPStatus.TOO_MANY_REQUESTS or code.endswith(TOO_MANY_REQUESTS):
        seconds = int(retry_after) if retry_after and retry_after.isdigit() else silence
        return RateLimited(datetime.now(UTC) + timedelta(seconds=seconds), text or "too many requests")
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed(code, text) if code.endswith(UNKNOWN_KEY) else AuthExpired(text or code or "not authorized")
    is_doubtful = status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_doubtful or code.endswith(_ITS_OWN_FAILURES):
        return OutcomeUnknown(f"HTTP {status} {code}".rstrip())
    return Refused(code or f"HTTP_{status}", text)


def _reason(content: bytes) -> tuple[str, str]:
    """Code and text of a refusal; the gateway and the application word theirs differently."""
    try:
        body: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    if "error_msg" in body:
        return "ROUTE_NOT_FOUND" if "Route" in str(body["error_msg"]) else "", str(body["error_msg"])[:_TEXT_LIMIT]
    return str(body.get("error_code") or ""), str(body.get("message") or "")[:_TEXT_LIMIT]
