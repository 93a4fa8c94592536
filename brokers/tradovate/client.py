"""Tradovate over REST for one login: reads, and orders when the socket is down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brokers.access import Priority, Token
from brokers.errors import AuthExpired, OutcomeUnknown, Refused
from brokers.http import HttpClient
from brokers.tradovate.auth import Auth
from brokers.tradovate.gate import Gate
from brokers.tradovate.orders import Call
from brokers.tradovate.penalty import check_penalty
from brokers.tradovate.types import Contract

NO_CONTRACT = "UnknownContract"


class Client:
    """REST calls with the login's token. Reads renew an expired token and ask once more; orders never repeat here."""

    def __init__(self, http: HttpClient, auth: Auth, gate: Gate) -> None:
        self._http = http
        self._auth = auth
        self.gate = gate

    def read(self, path: str, params: Mapping[str, str] | None = None, priority: Priority = Priority.POLL) -> Any:
        """Raises a `BrokerError`; an expired token is renewed once."""
        return self._asking(path, priority, lambda bearer: self._http.get(path, params, bearer=bearer))

    def ask(self, path: str, body: bytes) -> Any:
        """A question that needs a body; otherwise as `read`."""
        return self._asking(path, Priority.POLL, lambda bearer: self._http.post(path, body, bearer=bearer))

    def read_list(self, path: str, params: Mapping[str, str] | None = None) -> list[Any]:
        payload = self.read(path, params)
        if not isinstance(payload, list):
            raise OutcomeUnknown(f"{path}: the answer was not a list")
        return payload

    def place(self, call: Call, token: Token) -> Any:
        """Send an order call once with this token; its budget is spent already. Raises a `BrokerError`."""
        return self._exchange(
            call.endpoint, lambda bearer: self._http.post(call.endpoint, call.body, bearer=bearer), token
        )

    def find_contract(self, name: str, priority: Priority = Priority.POLL) -> Contract:
        """Raises `Refused` with code `UnknownContract` when the venue does not know the name."""
        try:
            found = self.read("contract/find", {"name": name}, priority)
            return Contract(found["id"], found["name"])
        except Refused as error:
            raise Refused(NO_CONTRACT, f"{name}: {error.text or 'not found'}") from None
        except (KeyError, TypeError):
            raise OutcomeUnknown("contract/find: the answer could not be read") from None

    def _asking(self, path: str, priority: Priority, send: Callable[[str], Any]) -> Any:
        token = self._auth.token()
        self.gate.spend(priority, path)
        try:
            return self._exchange(path, send, token)
        except AuthExpired:
            renewed = self._auth.renew(token)
            self.gate.spend(priority, path)
            return self._exchange(path, send, renewed)

    def _exchange(self, endpoint: str, send: Callable[[str], Any], token: Token) -> Any:
        with self.gate.heeding(endpoint):
            payload = send(token.access)
            check_penalty(payload)
        return payload
