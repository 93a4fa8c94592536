"""REST the careful way: keep-alive, short time-outs, no retry of its own, and every failure says what is proven.

A request that provably never left is `NotReached`; one that may have been read is `OutcomeUnknown`; an answer is a
refusal only when the venue gave it. Texts never carry a secret: neither headers, bodies nor queries enter them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from brokers.errors import AuthExpired, BrokerError, NotReached, OutcomeUnknown, RateLimited, Refused

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
DEFAULT_SILENCE_SECONDS = 60
LOCK_SECONDS = 3_600
_MOVED = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
_TEXT_LIMIT = 300
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"

# Connections are shared by all logins, cookies are not: each login has its own `requests.Session` on this pool.
_pool = HTTPAdapter(pool_connections=16, pool_maxsize=64, max_retries=0)


class _Bearer(requests.auth.AuthBase):
    """Set even when there is no token, because `requests` would else look into the user's netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


class HttpClient:
    """JSON over one venue's REST address for one login; safe in several threads.

    The address may change: a redirect that stays with the venue is followed for good, `move` is told by other means.
    A new address that cannot be reached is given up for the first one.
    """

    def __init__(self, base_url: str) -> None:
        self._home = self._base_url = base_url.rstrip("/") + "/"
        self._session = requests.Session()
        self._session.mount("https://", _pool)
        self._session.mount("http://", _pool)

    @property
    def base_url(self) -> str:
        """Without a trailing slash."""
        return self._base_url.rstrip("/")

    def move(self, base_url: str) -> None:
        """Ask this address from now on. The caller has made sure that it is the venue's: see `is_same_venue`."""
        self._base_url = base_url.rstrip("/") + "/"

    def get(self, path: str, params: Mapping[str, str] | None = None, *, bearer: str | None = None) -> Any:
        """The decoded JSON answer. Raises a `BrokerError`."""
        return self._exchange("GET", path, params=params, body=None, bearer=bearer)

    def post(self, path: str, body: bytes, *, bearer: str | None = None) -> Any:
        """Send a JSON body once. Raises a `BrokerError`; only `OutcomeUnknown` leaves the effect open."""
        return self._exchange("POST", path, params=None, body=body, bearer=bearer)

    def post_form(self, path: str, fields: Mapping[str, str]) -> Any:
        """Like `post`, with the fields as an HTML form sends them, and without a token."""
        return self._exchange("POST", path, params=None, body=urlencode(fields).encode(), bearer=None, kind=_FORM)

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        body: bytes | None,
        bearer: str | None,
        kind: str = _JSON,
    ) -> Any:
        base = self._base_url
        url = urljoin(base, path)
        try:
            response = self._send(method, url, params=params, body=body, bearer=bearer, kind=kind)
        except NotReached:
            if self._base_url == base:
                self._base_url = self._home
            raise
        if response.status_code in _MOVED:
            # The venue moves organisations between hosts: the request was not executed, the new host needs the token.
            target = _same_venue(url, response.headers.get("Location", ""))
            response = self._send(method, target, params=None, body=body, bearer=bearer, kind=kind)
            self._follow(base, path, target)
        check_status(response.status_code, response.text[:_TEXT_LIMIT], response.headers.get("Retry-After"))
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise OutcomeUnknown(f"{path}: the answer was not JSON") from None

    def _follow(self, base: str, path: str, target: str) -> None:
        """Ask the new host first from now on, unless only this one path has moved."""
        where = target.partition("?")[0]
        if where.endswith(f"/{path}") and self._base_url == base:
            self._base_url = where.removesuffix(path)

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None,
        body: bytes | None,
        bearer: str | None,
        kind: str,
    ) -> requests.Response:
        where = urlsplit(url).path
        try:
            return self._session.request(
                method,
                url,
                params=params,
                data=body,
                headers={"Content-Type": kind} if body is not None else None,
                auth=_Bearer(bearer),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.ConnectTimeout:
            raise NotReached(f"{where}: connecting took too long") from None
        except requests.ConnectionError as error:
            raise _connection_failure(where, error) from None
        except requests.RequestException as error:
            raise OutcomeUnknown(f"{where}: {type(error).__name__}") from None


def check_status(status: int, text: str = "", retry_after: str | None = None) -> None:
    """Raise what an HTTP status means; a socket reply's status means the same."""
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise _failure(status, text.strip(), retry_after)


def _failure(status: int, text: str, retry_after: str | None) -> BrokerError:
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthExpired(text or "not authorised")
    if status in (HTTPStatus.LOCKED, HTTPStatus.TOO_MANY_REQUESTS):
        silence = LOCK_SECONDS if status == HTTPStatus.LOCKED else DEFAULT_SILENCE_SECONDS
        seconds = int(retry_after) if retry_after and retry_after.isdigit() else silence
        return RateLimited(datetime.now(UTC) + timedelta(seconds=seconds), text or f"HTTP {status}")
    # 408 and the 5xx say nothing about whether the request took effect.
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown(f"HTTP {status}")
    return Refused(f"HTTP_{status}", text)


def _connection_failure(where: str, error: requests.ConnectionError) -> BrokerError:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return NotReached(f"{where}: no connection")
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return NotReached(f"{where}: the venue's certificate is not valid")
    return OutcomeUnknown(f"{where}: the connection broke")


def is_same_venue(url: str, other: str) -> bool:
    """Whether a token of one address may be sent to the other: both are of one registered domain, or one host."""
    origin, target = urlsplit(url), urlsplit(other)
    if not origin.hostname or not target.hostname or _is_secure(origin.scheme) is not _is_secure(target.scheme):
        return False
    if origin.hostname == target.hostname:
        return True
    is_number = _is_address(origin.hostname) or _is_address(target.hostname)
    return not is_number and _domain(origin.hostname) == _domain(target.hostname)


def _same_venue(url: str, location: str) -> str:
    """The redirect's address if it stays with the venue: a token is never carried to a stranger."""
    target = urljoin(url, location)
    if not location or not is_same_venue(url, target):
        raise Refused("REDIRECT", f"redirected to {urlsplit(target).hostname or 'nowhere'}")
    return target


def _is_secure(scheme: str) -> bool:
    return scheme in ("https", "wss")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _domain(host: str) -> str:
    return ".".join(host.rsplit(".", 2)[-2:])
