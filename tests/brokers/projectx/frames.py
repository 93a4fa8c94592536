"""Rows of the documented shapes, written by hand: what the Gateway answers and its hubs say."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

ACCOUNT_ID = 20481234
ACCOUNT_NAME = "PRAC-V2-000000-00000001"
MNQ = "CON.F.US.MNQ.Z26"
SYMBOL = "MNQZ6"
TAG = "e" * 26
CREATED = "2026-11-23T14:52:32.175123+00:00"

MNQ_ROW: dict[str, Any] = {
    "id": MNQ,
    "name": SYMBOL,
    "description": "Micro E-mini Nasdaq-100: December 2026",
    "tickSize": 0.25,
    "tickValue": 0.5,
    "activeContract": True,
    "symbolId": "F.US.MNQ",
}


def account(**fields: Any) -> dict[str, Any]:
    row = {"id": ACCOUNT_ID, "name": ACCOUNT_NAME, "balance": 150345.5, "canTrade": True, "isVisible": True}
    return {**row, "simulated": True, **fields}


def contract(**fields: Any) -> dict[str, Any]:
    return {**MNQ_ROW, **fields}


def order(order_id: int, status: int, **fields: Any) -> dict[str, Any]:
    """A market buy of one MNQZ6 unless told otherwise; null members are left out, as on the hub."""
    row = {"id": order_id, "accountId": ACCOUNT_ID, "contractId": MNQ, "symbolId": "F.US.MNQ"}
    return {**row, "creationTimestamp": CREATED, "status": status, "type": 2, "side": 0, "size": 1, **fields}


def trade(trade_id: int, order_id: int, **fields: Any) -> dict[str, Any]:
    """A half-turn that opens."""
    row = {"id": trade_id, "accountId": ACCOUNT_ID, "contractId": MNQ, "creationTimestamp": CREATED}
    money = {"price": 25000.25, "profitAndLoss": None, "fees": 0.37}
    return {**row, **money, "side": 0, "size": 1, "voided": False, "orderId": order_id, **fields}


def position(kind: int, size: int, average: float = 25000.25, **fields: Any) -> dict[str, Any]:
    row = {"id": 6124, "accountId": ACCOUNT_ID, "contractId": MNQ, "creationTimestamp": CREATED}
    return {**row, "type": kind, "size": size, "averagePrice": average, **fields}


def ok(**payload: Any) -> bytes:
    return orjson.dumps({**payload, "success": True, "errorCode": 0, "errorMessage": None})


def failure(code: int, message: str | None = None, **payload: Any) -> bytes:
    return orjson.dumps({**payload, "success": False, "errorCode": code, "errorMessage": message})


def jwt(serial: int = 1, lifetime: timedelta = timedelta(hours=24)) -> str:
    """A three-part token that says when it ends; the signature is nobody's business here."""
    claims = {"sub": "trader1", "jti": str(serial), "exp": int((datetime.now(UTC) + lifetime).timestamp())}
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    texts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, f"signature{serial}"])
