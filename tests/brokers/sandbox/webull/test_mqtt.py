"""Streamed market data: an MQTT client of our own over TCP and WebSocket (wire facts, 10)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket

from brokers.sandbox.testing import RunningSandbox
from brokers.sandbox.webull.mqtt import Client
from brokers.sandbox.webull.protobuf import decode
from tests.brokers.sandbox.webull.client import PATIENCE_SECONDS, VenueClient, new_id, until

SUBSCRIBE, UNSUBSCRIBE = "/market-data/streaming/subscribe", "/market-data/streaming/unsubscribe"
CONNACK, PUBLISH, PONG, SUBACK = 0x20, 0x30, 0xD0, 0x90
PING = b"\xc0\x00"
STOCK = {"symbols": ["AAPL"], "category": "US_STOCK"}


def text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect_packet(session: str, key: str, **wanted: Any) -> bytes:
    level, protocol = wanted.get("level", 4), wanted.get("protocol", "MQTT")
    flags = bytes((level, 0xC2)) + wanted.get("keepalive", 60).to_bytes(2, "big")
    content = text(protocol) + flags + text(session) + text(key) + text("any")
    return bytes((0x10, len(content))) + content


class Subscriber:
    """A client that hands out whole packets. ``receive`` reads some bytes of the connection."""

    def __init__(
        self, send: Callable[[bytes], object], receive: Callable[[], bytes], close: Callable[[], None]
    ) -> None:
        self.send, self._receive, self.close = send, receive, close
        self._buffer = b""
        self.session = new_id()

    def packet(self) -> tuple[int, bytes]:
        while True:
            taken = self._take()
            if taken is not None:
                return taken
            data = self._receive()
            if not data:
                raise EOFError
            self._buffer += data

    def _take(self) -> tuple[int, bytes] | None:
        size = shift = 0
        for at, byte in enumerate(self._buffer[1:5], 2):
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if len(self._buffer) < at + size:
                    return None
                first, content = self._buffer[0], self._buffer[at : at + size]
                self._buffer = self._buffer[at + size :]
                return first, content
        return None

    def connect(self, client: VenueClient, **wanted: Any) -> int:
        """CONNACK's return code."""
        session, key = wanted.pop("session", self.session), wanted.pop("key", client.account.username)
        self.send(connect_packet(session, key, **wanted))
        kind, content = self.packet()
        assert (kind, content[0]) == (CONNACK, 0)
        return content[1]

    def message(self) -> tuple[str, dict[int, Any]]:
        """Topic and fields of the next publication."""
        kind, content = self.packet()
        assert kind == PUBLISH
        size = int.from_bytes(content[:2], "big")
        return content[2 : 2 + size].decode(), dict(decode(content[2 + size :]))

    def told_by_now(self) -> list[str]:
        """Topics of what was published before the answer to a ping."""
        self.send(PING)
        topics = []
        while (taken := self.packet())[0] == PUBLISH:
            topics.append(taken[1][2 : 2 + int.from_bytes(taken[1][:2], "big")].decode())
        assert taken == (PONG, b"")
        return topics

    def told_until(self, price: bytes) -> list[str]:
        """Topics of publications up to the first one that has this price."""
        topics = []
        while True:
            topic, fields = self.message()
            topics.append(topic)
            if fields.get(3) == price:
                return topics

    def is_closed(self) -> bool:
        try:
            self.packet()
        except (EOFError, ConnectionError):
            return True
        return False


@pytest.fixture
def subscriber(sandbox: RunningSandbox) -> Iterator[Callable[[], Subscriber]]:
    made: list[Subscriber] = []

    def make() -> Subscriber:
        host, port = sandbox.md_url.split(":")
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
        made.append(Subscriber(connection.sendall, lambda: connection.recv(4096), connection.close))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def connected(subscriber, client):
    made = subscriber()
    assert made.connect(client) == 0
    return made


def subscribe(client, session, sub_types=("SNAPSHOT",), **fields):
    body = {"session_id": session, "sub_types": list(sub_types), **STOCK, **fields}
    return client.post(SUBSCRIBE, **body)


def test_the_three_kinds_are_published_without_an_mqtt_subscription(client, connected):
    answered = subscribe(client, connected.session, ("SNAPSHOT", "QUOTE", "TICK"))
    assert (answered.status_code, answered.content) == (200, b"")
    told = dict(connected.message() for _ in range(3))
    assert told.keys() == {"snapshot", "quote", "tick"}
    basic = dict(decode(told["snapshot"][1]))
    assert basic[1] == b"AAPL"
    assert int(basic[3]) > 0
    assert told["snapshot"][3] == told["tick"][3] == b"300"
    assert dict(decode(told["quote"][2]))[1] == b"300"


def test_changes_between_two_pushes_are_told_as_one(client, sandbox, connected):
    subscribe(client, connected.session)
    assert connected.message()[1][3] == b"300"
    for cents in range(1, 21):
        sandbox.price("AAPL", 300 + cents / 100)
    assert len(connected.told_until(b"300.2")) < 20


def test_nothing_is_published_after_unsubscribing(client, sandbox, connected, subscriber):
    witness = subscriber()
    assert witness.connect(client) == 0
    subscribe(client, connected.session, ("SNAPSHOT", "TICK"))
    subscribe(client, witness.session)
    client.post(UNSUBSCRIBE, session_id=connected.session, sub_types=["SNAPSHOT"], **STOCK)
    connected.told_by_now()
    sandbox.price("AAPL", 301)
    assert set(connected.told_until(b"301")) == {"tick"}
    client.post(UNSUBSCRIBE, session_id=connected.session, unsubscribe_all=True)
    connected.told_by_now()
    sandbox.price("AAPL", 302)
    witness.told_until(b"302")
    assert connected.told_by_now() == []


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"level": 3, "protocol": "MQIsdp"}, 1),
        ({"level": 5}, 1),
        ({"session": ""}, 2),
        ({"key": ""}, 3),
        ({"key": "no such key"}, 104),
    ],
)
def test_who_is_not_let_in_is_told_why(client, subscriber, wanted, code):
    assert subscriber().connect(client, **wanted) == code


def test_signing_in_twice_or_with_a_bad_key_is_refused(client, sandbox, subscriber, connected):
    assert connected.connect(client) == 102
    sandbox.fault(client.account.username, "bad_login")
    assert subscriber().connect(client) == 103


def test_a_key_has_five_connections(client, subscriber, connected):
    assert [subscriber().connect(client) for _ in range(5)] == [0, 0, 0, 0, 105]


def test_a_session_that_connects_again_closes_the_older_and_keeps_its_subscriptions(client, sandbox, subscriber):
    older, newer = subscriber(), subscriber()
    assert older.connect(client) == 0
    subscribe(client, older.session)
    assert older.message()[0] == "snapshot"
    newer.session = older.session
    assert newer.connect(client) == 0
    assert older.is_closed()
    sandbox.price("AAPL", 301)
    assert set(newer.told_until(b"301")) == {"snapshot"}


def test_packets_may_come_in_pieces_and_other_subscriptions_are_refused(client, subscriber):
    made = subscriber()
    raw = connect_packet(made.session, client.account.username)
    for at in range(0, len(raw), 7):
        made.send(raw[at : at + 7])
    assert made.packet() == (CONNACK, b"\0\0")
    made.send(b"\x82\x06\x00\x07\x00\x01#\x00")
    assert made.packet() == (SUBACK, b"\x00\x07\x80")


@pytest.mark.parametrize("raw", [b"\xc0\x00", b"\x10\xff\xff\xff\xff\x01", b"\x10\x02\x00\x04", b"\x10\xff\xff\x7f"])
def test_what_is_no_mqtt_is_cut_off(subscriber, raw):
    made = subscriber()
    made.send(raw)
    assert made.is_closed()


def test_a_client_is_quiet_after_one_and_a_half_keepalives():
    one = Client(None, lambda packet: None, lambda: None)
    now = one.last_received
    assert not one.is_quiet(now + 1000)
    one.keepalive = 60
    assert not one.is_quiet(now + 89)
    assert one.is_quiet(now + 91)


def test_a_connection_may_fall_silent_or_be_ended(client, sandbox, connected, subscriber):
    sandbox.fault(client.account.username, "silent_socket")
    connected.send(PING)
    subscribe(client, connected.session)
    other = subscriber()
    assert other.connect(client) == 0
    assert sandbox.fault(client.account.username, "shutdown")["affected"] == 2
    assert connected.is_closed()
    assert other.is_closed()
    sandbox.fault(client.account.username, "refuse_connections")
    refused = subscriber()
    refused.send(connect_packet(refused.session, client.account.username))
    until(refused.is_closed, "the connection to be refused")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"category": "US_FUTURES", "symbols": ["MESmain"]}, "UNSUPPORTED_CATEGORY"),
        ({"category": "US_ETF"}, "INVALID_PARAMETER"),
        ({"symbols": []}, "OPENAPI_PARAM_ERR"),
        ({"symbols": ["AAPL"] * 101}, "OPENAPI_PARAM_ERR"),
        ({"sub_types": ["NEWS"]}, "OPENAPI_PARAM_ERR"),
        ({"session_id": "not connected"}, "OPENAPI_PARAM_ERR"),
    ],
)
def test_what_cannot_be_streamed_is_refused(client, connected, fields, code):
    refused = subscribe(client, connected.session, **fields)
    assert (refused.status_code, refused.json()["error_code"]) == (417, code)


def test_a_session_is_its_keys_own(new_client, connected):
    assert subscribe(new_client(), connected.session).status_code == 417


def test_the_documented_grab_may_be_demanded(client, sandbox, connected):
    sandbox.switches(grab_required=True)
    assert subscribe(client, connected.session).status_code == 417
    assert subscribe(client, connected.session, grab="true").status_code == 200


def test_futures_may_be_streamed_where_that_is_switched_on(client, sandbox, connected, symbol):
    sandbox.switches(futures_streaming=True)
    assert subscribe(client, connected.session, category="US_FUTURES", symbols=[symbol]).status_code == 200
    topic, fields = connected.message()
    assert (topic, fields[3]) == ("snapshot", b"6900")


def test_the_same_is_spoken_inside_websocket_frames(client, sandbox):
    address = sandbox.rest_url.replace("http", "ws") + "/mqtt"
    connection = websocket.create_connection(address, subprotocols=["mqtt"], timeout=PATIENCE_SECONDS)
    made = Subscriber(connection.send_binary, lambda: bytes(connection.recv()), connection.close)
    assert made.connect(client) == 0
    assert subscribe(client, made.session, ("QUOTE",)).status_code == 200
    assert made.message()[0] == "quote"
    made.close()
