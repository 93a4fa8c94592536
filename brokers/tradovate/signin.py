"""What signing in with a password says to Tradovate and hears from it.

A sign-in opens a session and a renewal extends it; both answer alike, refusals as HTTP 200 (Tradovate wire facts,
auth).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from brokers.access import Credentials, Token
from brokers.errors import AuthFailed, OutcomeUnknown
from brokers.tradovate.parse import parse_time
from brokers.tradovate.penalty import check_penalty

ASSUMED_LIFETIME = timedelta(minutes=75)
APP_ID = "JustTrades"
APP_VERSION = "1.0"


def login_body(credentials: Credentials) -> bytes:
    """`secrets` holds `password`, and where the venue gave them `cid`, `sec`, `app_id` and `app_version`."""
    secrets = credentials.secrets
    body = {
        "name": credentials.username,
        "password": secrets.get("password", ""),
        "appId": secrets.get("app_id", APP_ID),
        "appVersion": secrets.get("app_version", APP_VERSION),
        "deviceId": credentials.device_id,
    }
    body.update({key: secrets[key] for key in ("cid", "sec") if key in secrets})
    return orjson.dumps(body)


def token_of(payload: Any, previous: Token | None = None) -> Token:
    """The token that an answer holds; what a renewal leaves out stays as it was.

    Raises `AuthFailed` for a refusal, `PenaltyTicket`, and `OutcomeUnknown` for what is neither.
    """
    check_penalty(payload)
    if not isinstance(payload, Mapping):
        raise OutcomeUnknown("the sign-in's answer could not be read")
    if payload.get("errorText"):
        raise AuthFailed("LoginRefused", str(payload["errorText"]))
    access = payload.get("accessToken")
    if not access:
        raise OutcomeUnknown("the sign-in's answer holds no token")
    expires = payload.get("expirationTime")
    user_id = payload.get("userId")
    return Token(
        access=access,
        expires_at=parse_time(expires) if expires else datetime.now(UTC) + ASSUMED_LIFETIME,
        market_data=payload.get("mdAccessToken") or (previous.market_data if previous is not None else ""),
        user_id=str(user_id) if user_id is not None else (previous.user_id if previous is not None else ""),
    )
