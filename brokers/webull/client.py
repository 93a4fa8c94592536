"""Webull's endpoints for one login: each request spends from the budget first, and says what its failure proves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from brokers.access import Access, Priority
from brokers.errors import AuthExpired, AuthFailed, BrokerError, NotReached, OutcomeUnknown, RateLimited
from brokers.webull import limits
from brokers.webull.auth import Auth
from brokers.webull.http import Http

MOST_PAGES = 20

_READS = {
    limits.ACCOUNTS: "/trading/accounts/list",
    limits.BALANCES: "/trading/assets/balances/get",
    limits.POSITIONS: "/trading/assets/positions/list",
    limits.OPEN: "/trading/orders/open-orders/list",
    limits.HISTORY: "/trading/orders/historical-orders/list",
    limits.DETAIL: "/trading/orders/get",
    limits.INSTRUMENTS: "/trading/instruments/futures/contracts/list",
}
_WRITES = {
    limits.PREVIEW: "/trading/orders/preview",
    limits.PLACE: "/trading/orders/place",
    limits.REPLACE: "/trading/orders/replace",
    limits.CANCEL: "/trading/orders/cancel",
}
SNAPSHOTS = {
    "US_STOCK": (limits.STOCK_QUOTES, "/market-data/stocks/snapshots/list"),
    "US_ETF": (limits.STOCK_QUOTES, "/market-data/stocks/snapshots/list"),
    "US_OPTION": (limits.QUOTES, "/market-data/options/snapshots/list"),
    "US_FUTURES": (limits.QUOTES, "/market-data/futures/snapshots/list"),
}


class Client:
    """Safe in several threads. A 401 proves that nothing was done: it costs one renewal and one more try."""

    def __init__(self, access: Access) -> None:
        credentials = access.credentials
        self.http = Http(access.endpoints.rest_url, credentials.username, credentials.secrets.get("password", ""))
        self.auth = Auth(access, self.http)
        self._budget = access.budget
        self._lock = threading.Lock()
        self._silent_until: dict[str, datetime] = {}

    def read(self, endpoint: str, query: Mapping[str, str], priority: Priority = Priority.POLL) -> Any:
        """The decoded answer of one of the reading endpoints. Raises a `BrokerError`."""
        return self._get(endpoint, _READS[endpoint], query, priority)

    def pages(self, endpoint: str, query: Mapping[str, str], priority: Priority = Priority.POLL) -> list[Any]:
        """Every row of a list that comes in pages; older deployments answer with the bare rows."""
        rows: list[Any] = []
        key = ""
        for _ in range(MOST_PAGES):
            answer = self.read(endpoint, {**query, "pagination_key": key} if key else query, priority)
            found = answer.get("data") if isinstance(answer, dict) else answer
            if not isinstance(found, list):
                raise OutcomeUnknown(f"{endpoint}: the answer was not a list")
            rows.extend(found)
            key = str(answer.get("pagination_key") or "") if isinstance(answer, dict) else ""
            if not key:
                break
        return rows

    def snapshots(self, category: str, symbols: str, priority: Priority = Priority.POLL) -> list[Any]:
        """Quotes of at most 20 comma-separated names of the venue's."""
        endpoint, path = SNAPSHOTS[category]
        answer = self._get(endpoint, path, {"symbols": symbols, "category": category}, priority)
        return answer if isinstance(answer, list) else []

    def write(self, endpoint: str, body: Mapping[str, Any], priority: Priority) -> Any:
        """Send an order's request once. Raises a `BrokerError`: `NotReached` proves that nothing of it left."""
        path = _WRITES[endpoint]
        try:
            token = self._admitted(endpoint, priority)
        except AuthFailed as error:
            raise NotReached(str(error)) from None
        return self._sent(endpoint, token, lambda token: self._post(path, body, token, endpoint))

    def stream(self, path: str, body: Mapping[str, Any]) -> Any:
        """Tell the venue what to push. Raises a `BrokerError`."""
        send = limits.STREAMING
        return self._exchange(send, Priority.POLL, lambda token: self._post(path, body, token, send))

    def _get(self, endpoint: str, path: str, query: Mapping[str, str], priority: Priority) -> Any:
        silence = limits.silence_after(endpoint)
        return self._exchange(
            endpoint, priority, lambda token: self.http.get(path, query, token=token, silence=silence)
        )

    def _post(self, path: str, body: Mapping[str, Any], token: str, endpoint: str) -> Any:
        return self.http.post(path, body, token=token, silence=limits.silence_after(endpoint))

    def _exchange(self, endpoint: str, priority: Priority, send: Callable[[str], Any]) -> Any:
        return self._sent(endpoint, self._admitted(endpoint, priority), send)

    def _sent(self, endpoint: str, token: str, send: Callable[[str], Any]) -> Any:
        try:
            try:
                return send(token)
            except AuthExpired:
                return send(self._renewed(token))
        except AuthExpired as error:
            raise AuthFailed("UNAUTHORIZED", f"Webull no longer accepts this login: {error}") from None
        except RateLimited as error:
            with self._lock:
                self._silent_until[endpoint] = error.until
            self._budget.penalise(error.until)
            raise LimitHit(error.until, str(error)) from None

    def _admitted(self, endpoint: str, priority: Priority) -> str:
        """The token to send with, once the budget allows it; whatever fails here proves that nothing left."""
        try:
            self._check_silence(endpoint)
            token = self.auth.token()
            self._budget.spend(priority, endpoint)
        except (AuthFailed, RateLimited):
            raise
        except BrokerError as error:
            raise NotReached(f"signing in: {error}") from None
        return token

    def _check_silence(self, endpoint: str) -> None:
        with self._lock:
            until = self._silent_until.get(endpoint)
        if until is not None and datetime.now(UTC) < until:
            raise RateLimited(until, "waiting out the venue's limit")

    def _renewed(self, stale: str) -> str:
        try:
            return self.auth.renew(stale)
        except AuthFailed:
            raise
        except BrokerError as error:
            raise NotReached(f"renewing the token: {error}") from None


class LimitHit(RateLimited):
    """The venue itself answered with its limit: it read the request and did not execute it."""
