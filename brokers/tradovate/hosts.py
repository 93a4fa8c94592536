"""Where a login is served: the venue moves organisations to hosts of their own, and says so at run time.

REST answers 307 there, a socket's upgrade 421, and the renewal's `apiHosts` names the new host. Only addresses of the
venue's own domain are believed (Tradovate wire facts, hosts).
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from brokers.access import Access
from brokers.http import HttpClient, is_same_venue

logger = logging.getLogger(__name__)

_KEYS = {"sandbox": "demo"}


class Hosts:
    """Addresses of one login in one environment; thread-safe."""

    def __init__(self, access: Access, http: HttpClient) -> None:
        environment = access.credentials.environment
        self._key = _KEYS.get(environment, environment)
        self._http = http
        self._home = http.base_url
        self._ws_url = access.endpoints.ws_url

    @property
    def ws_url(self) -> str:
        """Where the user socket is: beside REST, wherever that has moved."""
        if self._http.base_url == self._home:
            return self._ws_url
        return urlsplit(self._ws_url)._replace(netloc=urlsplit(self._http.base_url).netloc).geturl()

    def learn(self, payload: Any) -> None:
        """Go where a renewal's answer says that the login is served, if it does say."""
        named = payload.get("apiHosts") if isinstance(payload, dict) else None
        address = named.get(self._key) if isinstance(named, dict) else None
        if isinstance(address, str) and address:
            self._move(address)

    def _move(self, address: str) -> None:
        """`address` is a whole URL, or a host name alone."""
        here = urlsplit(self._http.base_url)
        there = urlsplit(address if "://" in address else f"{here.scheme}://{address}")
        target = there._replace(path=there.path.rstrip("/") or here.path, query="", fragment="").geturl()
        if target == self._http.base_url:
            return
        if not is_same_venue(self._http.base_url, target):
            logger.warning("tradovate named a host that is not its own: %s", there.hostname)
            return
        logger.info("tradovate serves this login at %s", there.hostname)
        self._http.move(target)
