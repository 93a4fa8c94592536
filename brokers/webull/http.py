"""Signed HTTP to Webull: keep-alive, short time-outs, no retry of its own, and every failure says what is proven.

The bytes that are signed are the bytes that are sent. Texts never carry a secret: neither headers, bodies nor queries
enter them.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from brokers.errors import BrokerError, NotReached, OutcomeUnknown
from brokers.webull.codes import failure_of
from brokers.webull.signing import API_VERSION, SIGNATURE_HEADER, Algorithm, sign_http, signed_headers

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
MOST_CONNECTIONS = 64

# Connections are shared by all logins, cookies are not: each login has its own `requests.Session` on this pool.
_pool = HTTPAdapter(pool_connections=8, pool_maxsize=MOST_CONNECTIONS, max_retries=0)


class _Nobody(requests.auth.AuthBase):
    """Keeps `requests` from looking into the user's netrc."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class Http:
    """JSON over one login's REST address, each request signed with its app key; safe in several threads."""

    def __init__(self, base_url: str, app_key: str, app_secret: str, algorithm: Algorithm = Algorithm.SHA256) -> None:
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(self._base_url).netloc
        self._app_key = app_key
        self._app_secret = app_secret
        self._algorithm = algorithm
        self._session = requests.Session()
        self._session.mount("https://", _pool)
        self._session.mount("http://", _pool)

    def get(self, path: str, query: Mapping[str, str], *, token: str, silence: float) -> Any:
        """The decoded JSON answer. Raises a `BrokerError`; `silence` as in `codes.failure_of`."""
        return self._exchange("GET", path, query, b"", token=token, silence=silence)

    def post(self, path: str, body: Any, *, token: str, silence: float) -> Any:
        """Send a JSON body once; None for an empty answer. Only `OutcomeUnknown` leaves the effect open."""
        return self._exchange("POST", path, {}, orjson.dumps(body), token=token, silence=silence)

    def _exchange(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, *, token: str, silence: float
    ) -> Any:
        response = self._send(method, path, query, body, token)
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise failure_of(response.status_code, response.content, response.headers.get("Retry-After"), silence)
        if not response.content and method == "POST":
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise OutcomeUnknown(f"{path}: the answer was not JSON") from None

    def _send(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._base_url + path,
                params=query or None,
                data=body or None,
                headers=self._headers(path, query, body, token),
                auth=_Nobody(),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.ConnectTimeout:
            raise NotReached(f"{path}: connecting took too long") from None
        except requests.ConnectionError as error:
            raise _connection_failure(path, error) from None
        except requests.RequestException as error:
            raise OutcomeUnknown(f"{path}: {type(error).__name__}") from None

    def _headers(self, path: str, query: Mapping[str, str], body: bytes, token: str) -> dict[str, str]:
        headers = signed_headers(self._app_key, self._algorithm)
        signature = sign_http(
            self._app_secret, headers, host=self._host, path=path, query=tuple(query.items()), body=body
        )
        headers |= {SIGNATURE_HEADER: signature, "x-version": API_VERSION}
        if token:
            headers["x-access-token"] = token
        if body:
            headers["Content-Type"] = "application/json"
        return headers


def _connection_failure(path: str, error: requests.ConnectionError) -> BrokerError:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return NotReached(f"{path}: no connection")
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return NotReached(f"{path}: the venue's certificate is not valid")
    return OutcomeUnknown(f"{path}: the connection broke")
