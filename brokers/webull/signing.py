"""Webull's request signature, over HTTP and over gRPC; pure.

A request is signed over exactly the bytes that are sent: whoever signs a body must send that body (Webull wire facts,
signature). Query values are signed as they are, not URL-encoded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote
from uuid import uuid4

SIGNATURE_VERSION = "1.0"
SIGNATURE_HEADER = "x-signature"
API_VERSION = "v3"


class Algorithm(StrEnum):
    SHA1 = "HMAC-SHA1"
    SHA256 = "HMAC-SHA256"


def stamp_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed_headers(
    app_key: str, algorithm: Algorithm, *, at: datetime | None = None, nonce: str = ""
) -> dict[str, str]:
    """The headers that a signature covers, with a fresh nonce unless one is given."""
    return {
        "x-app-key": app_key,
        "x-timestamp": stamp_of(at or datetime.now(UTC)),
        "x-signature-version": SIGNATURE_VERSION,
        "x-signature-algorithm": algorithm.value,
        "x-signature-nonce": nonce or str(uuid4()),
    }


def sign_http(
    secret: str,
    headers: Mapping[str, str],
    *,
    host: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> str:
    """The `x-signature` of an HTTP request; `headers` are those of `signed_headers`, `host` is what `Host` will say."""
    parts: dict[str, list[str]] = {}
    for name, value in (*headers.items(), ("host", host), *query):
        parts.setdefault(name, []).append(value)
    pairs = "&".join(f"{name}={'&'.join(sorted(values))}" for name, values in sorted(parts.items()))
    text = f"{path}&{pairs}"
    algorithm = Algorithm(headers["x-signature-algorithm"])
    if body:
        text += f"&{_digest(algorithm, body).upper()}"
    return _mac(algorithm, secret, text)


def sign_grpc(secret: str, headers: Mapping[str, str], request: bytes) -> str:
    """The `x-signature` of a streaming call: neither path nor host, and its pairs are joined with `=`.

    `request` is the serialized message.
    """
    algorithm = Algorithm(headers["x-signature-algorithm"])
    pairs = "=".join(f"{name}={value}" for name, value in sorted(headers.items()))
    return _mac(algorithm, secret, f"{pairs}&{_digest(algorithm, request)}")


def _digest(algorithm: Algorithm, data: bytes) -> str:
    if algorithm is Algorithm.SHA1:
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _mac(algorithm: Algorithm, secret: str, text: str) -> str:
    name = "sha1" if algorithm is Algorithm.SHA1 else "sha256"
    encoded = quote(text, safe="-._~")
    return base64.b64encode(hmac.new(f"{secret}&".encode(), encoded.encode(), name).digest()).decode()
