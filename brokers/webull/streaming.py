"""Webull's pushed quotes over MQTT: what is subscribed, and what each message says.

There is no MQTT SUBSCRIBE: the session is named over HTTP. Nothing is restored after a reconnect, so everything is
named again (Webull wire facts, market data streaming).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from google.protobuf.message import DecodeError
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brokers.errors import BrokerError
from brokers.webull import protos
from brokers.webull.client import Client
from brokers.webull.parse import decimal_of, time_of
from brokers.webull.prices import Price

logger = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 60
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 1, 30
SUB_TYPES = ("SNAPSHOT", "QUOTE")
MOST_SYMBOLS = 100
_MESSAGES = {"snapshot": protos.SNAPSHOT, "quote": protos.QUOTE, "tick": protos.TICK}


class QuotePush:
    """One MQTT session in paho's own thread, in which `on_price` and `on_up` are called."""

    def __init__(
        self, client: Client, url: str, app_key: str, on_price: Callable[[Price], None], on_up: Callable[[], None]
    ) -> None:
        self._client = client
        self._session_id = uuid4().hex
        self._on_price = on_price
        self._on_up = on_up
        # Without a scheme it is a server on this machine.
        self._address = urlsplit(url if "://" in url else f"mqtt://{url}")
        scheme = self._address.scheme
        self._mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._session_id,
            clean_session=True,
            protocol=mqtt.MQTTv311,
            transport="websockets" if scheme in ("ws", "wss") else "tcp",
        )
        self._mqtt.username_pw_set(app_key, uuid4().hex)
        if scheme in ("mqtts", "wss"):
            self._mqtt.tls_set()
        if scheme in ("ws", "wss"):
            self._mqtt.ws_set_options(path=self._address.path or "/mqtt")
        self._mqtt.reconnect_delay_set(min_delay=FIRST_RETRY_SECONDS, max_delay=LAST_RETRY_SECONDS)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_message = self._on_message

    @property
    def is_up(self) -> bool:
        return self._mqtt.is_connected()

    def start(self) -> None:
        self._mqtt.connect_async(self._address.hostname or "", self._address.port or 1883, KEEPALIVE_SECONDS)
        self._mqtt.loop_start()

    def stop(self) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def subscribe(self, category: str, symbols: Iterable[str]) -> None:
        """Ask for pushes. Raises a `BrokerError`; `Refused` where the venue does not push these."""
        wanted = sorted(symbols)
        for start in range(0, len(wanted), MOST_SYMBOLS):
            self._tell("subscribe", category, wanted[start : start + MOST_SYMBOLS])

    def unsubscribe(self, category: str, symbols: Iterable[str]) -> None:
        """What is pushed in spite of a failure here is not listened to."""
        try:
            self._tell("unsubscribe", category, sorted(symbols))
        except BrokerError as error:
            logger.info("quotes of %s are still pushed: %s", category, error)

    def _tell(self, verb: str, category: str, symbols: list[str]) -> None:
        body = {
            "session_id": self._session_id,
            "symbols": symbols,
            "category": category,
            "sub_types": SUB_TYPES,
            "grab": "true",
        }
        self._client.stream(f"/market-data/streaming/{verb}", body)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            logger.info("quotes are refused: %s", reason)
        else:
            self._on_up()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        kind = _MESSAGES.get(message.topic)
        if kind is None:
            return
        try:
            price = price_of_push(message.topic, kind.FromString(message.payload))
        except (DecodeError, ValueError) as error:
            logger.warning("a pushed quote could not be read: %s", type(error).__name__)
            return
        self._on_price(price)


def price_of_push(topic: str, message: Any) -> Price:
    """What a message says; a quote has no last price and a snapshot no book. Raises ValueError."""
    at = time_of(message.basic.timestamp) or datetime.now(UTC)
    bid = ask = last = None
    if topic == "quote":
        bid = decimal_of(message.bids[0].price) if message.bids else None
        ask = decimal_of(message.asks[0].price) if message.asks else None
    else:
        last = decimal_of(message.price)
    return Price(message.basic.symbol, bid, ask, last, at)
