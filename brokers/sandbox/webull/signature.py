"""Webull's request signatures, over HTTP and over gRPC, in both of their algorithms (wire facts, 3.1 and 8)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

ALGORITHM = "x-signature-algorithm"
SIGNATURE = "x-signature"
SIGNED_HEADERS = ("x-app-key", "x-timestamp", "x-signature-version", ALGORITHM, "x-signature-nonce")
_Hash = Callable[..., Any]
# Algorithm → (hash of the HMAC, hash of the body).
ALGORITHMS: dict[str, tuple[_Hash, _Hash]] = {
    "HMAC-SHA256": (hashlib.sha256, hashlib.sha256),
    "HMAC-SHA1": (hashlib.sha1, hashlib.md5),
}


def http_signature(
    secret: str,
    headers: Mapping[str, str],
    host: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> str:
    """Base64 signature of one HTTP request. ``headers`` holds SIGNED_HEADERS; ``query`` is decoded.

    A parameter that is given twice is signed as its values, sorted and joined with ``&``. Raises KeyError for a
    missing header or an unknown algorithm.
    """
    algorithm = headers[ALGORITHM]
    signed = {name: [headers[name]] for name in SIGNED_HEADERS} | {"host": [host]}
    for name, value in query:
        signed.setdefault(name, []).append(value)
    pairs = (f"{name}={'&'.join(sorted(values))}" for name, values in sorted(signed.items()))
    text = f"{path}&{'&'.join(pairs)}"
    if body:
        text += f"&{_digest(algorithm, body).upper()}"
    return _mac(algorithm, secret, text)


def grpc_signature(secret: str, metadata: Mapping[str, str], request: bytes) -> str:
    """Base64 signature of a subscription: no path and no host, pairs joined with ``=``, the digest in lower case."""
    algorithm = metadata[ALGORITHM]
    pairs = (f"{name}={metadata[name]}" for name in sorted(SIGNED_HEADERS))
    return _mac(algorithm, secret, f"{'='.join(pairs)}&{_digest(algorithm, request)}")


def hosts_of(header: str) -> tuple[str, ...]:
    """What a client may take for its host: the Host header, it without the port, and either with a scheme."""
    bare = header.rpartition(":")[0] or header
    return header, bare, f"http://{header}", f"http://{bare}"


def matches(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _digest(algorithm: str, body: bytes) -> str:
    return str(ALGORITHMS[algorithm][1](body).hexdigest())


def _mac(algorithm: str, secret: str, text: str) -> str:
    encoded = quote(text, safe="-._~").encode()
    return base64.b64encode(hmac.new(f"{secret}&".encode(), encoded, ALGORITHMS[algorithm][0]).digest()).decode()
