"""The protobuf messages of the venue: trade events (package grpc.trade.event) and streamed market data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brokers.sandbox.webull.protobuf import Field, decode, encode

SUBSCRIBE_METHOD = "/grpc.trade.event.EventService/Subscribe"
SUBSCRIBE_SUCCESS, PING, AUTH_ERROR, NUM_OF_CONN_EXCEED, SUBSCRIBE_EXPIRED = range(5)
ORDER_EVENT = 1024
ORDERS = 1
JSON, TEXT = "application/json", "text/plain"
Level = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SubscribeRequest:
    """``subscribe_type`` is a bit mask (1 orders, 2 positions, 4 options); ``timestamp`` epoch ms."""

    subscribe_type: int
    timestamp: int
    accounts: tuple[str, ...]

    @classmethod
    def parse(cls, raw: bytes) -> SubscribeRequest:
        """Raises MalformedError."""
        numbers = {1: 0, 2: 0}
        accounts: list[str] = []
        for number, value in decode(raw):
            if isinstance(value, int) and number in numbers:
                numbers[number] = value
            elif isinstance(value, bytes) and number == 5:  # noqa: PLR2004  SubscribeRequest.accounts
                accounts.append(value.decode(errors="replace"))
        return cls(numbers[1], numbers[2], tuple(accounts))


def subscribe_response(event_type: int, content_type: str, payload: str, request_id: str, timestamp: int) -> bytes:
    """A SubscribeResponse; ``timestamp`` is epoch ms."""
    head: list[Field] = [(1, event_type), (2, ORDERS), (3, content_type), (4, payload)]
    return encode(*head, (5, request_id), (6, timestamp))


def basic(symbol: str, instrument_id: str, timestamp: str, session: str) -> bytes:
    return encode((1, symbol), (2, instrument_id), (3, timestamp), (4, session))


def snapshot(about: bytes, figures: Sequence[str]) -> bytes:
    """``figures``: trade_time, price, open, high, low, pre_close, volume, change, change_ratio."""
    return encode((1, about), *enumerate(figures, 2))


def quote(about: bytes, asks: Sequence[Level], bids: Sequence[Level]) -> bytes:
    """Levels are (price, size), best first."""
    fields: list[Field] = [(1, about)]
    fields += [(2, encode((1, price), (2, size))) for price, size in asks]
    fields += [(3, encode((1, price), (2, size))) for price, size in bids]
    return encode(*fields)


def tick(about: bytes, time: str, price: str, volume: str, side: str) -> bytes:
    return encode((1, about), (2, time), (3, price), (4, volume), (5, side))
