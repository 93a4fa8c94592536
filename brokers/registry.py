"""Every venue we speak to: one line each in `VENUES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from brokers.base import AccountRef, Capabilities, Connection, Credentials, Endpoints, Sink, TokenStore
from brokers.streams import StreamLoop
from brokers.tradovate import venue as tradovate

Connect = Callable[[UUID, Credentials, Endpoints, TokenStore, Sink, StreamLoop], Connection]


class SignInCheck(Protocol):
    def __call__(
        self, credentials: Credentials, endpoints: Endpoints, store: TokenStore | None = None
    ) -> tuple[AccountRef, ...]: ...


@dataclass(frozen=True, slots=True)
class Venue:
    """`connect` makes a login's connection (not started); `sign_in_check` signs in once and names its accounts.

    `sign_in_check` blocks and raises a `brokers.errors.BrokerError`: `AuthFailed` when the login is refused. Give it
    the login's token store, so that the lane goes on with the token it got.
    """

    label: str
    capabilities: Capabilities
    connect: Connect
    sign_in_check: SignInCheck


VENUES: dict[str, Venue] = {
    "tradovate": Venue("Tradovate / NinjaTrader", tradovate.CAPABILITIES, tradovate.connect, tradovate.sign_in_check),
}
