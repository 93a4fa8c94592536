"""Trade events over gRPC: who may listen, and what is told (wire facts, 8)."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from brokers.sandbox.webull.protobuf import decode, encode
from tests.brokers.sandbox.webull.client import (
    HASHES,
    PATIENCE_SECONDS,
    VenueClient,
    encoded_mac,
    future,
    signed_headers,
    until,
)

METHOD = "/grpc.trade.event.EventService/Subscribe"
SUCCESS, PING, AUTH_ERROR, EXCEEDED, ORDER = 0, 1, 2, 3, 1024


class Listener:
    """One subscription; ``events`` holds (event type, payload) as they come, ``ended`` the status of its end."""

    def __init__(self, client: VenueClient, **wanted: Any) -> None:
        algorithm = wanted.get("algorithm", "HMAC-SHA256")
        accounts = wanted.get("accounts", [client.futures, client.margin])
        now = int(time.time() * 1000)
        raw = encode((1, wanted.get("subscribe_type", 7)), (2, now), *((5, name) for name in accounts))
        metadata = signed_headers(client.account.username, algorithm) | wanted.get("metadata", {})
        text = "=".join(f"{name}={value}" for name, value in sorted(metadata.items()))
        text += f"&{HASHES[algorithm][1](raw).hexdigest()}"
        metadata["x-signature"] = encoded_mac(wanted.get("secret", client.account.password), algorithm, text)
        self.channel = grpc.insecure_channel(client.sandbox.ws_url)
        self.call = self.channel.unary_stream(METHOD)(raw, metadata=list(metadata.items()))
        self.events: queue.Queue[tuple[int, Any]] = queue.Queue()
        self.ended: queue.Queue[grpc.StatusCode] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            for raw in self.call:
                fields = dict(decode(raw))
                payload = fields.get(4)
                self.events.put((fields.get(1, 0), None if payload is None else json.loads(payload)))
            self.ended.put(grpc.StatusCode.OK)
        except grpc.RpcError as error:
            self.ended.put(error.code())

    def next(self) -> tuple[int, Any]:
        return self.events.get(timeout=PATIENCE_SECONDS)

    def scene(self, name: str) -> dict[str, Any]:
        """The next order event, which must be this scene."""
        kind, payload = self.next()
        assert (kind, payload["scene_type"]) == (ORDER, name)
        return payload

    def end(self) -> grpc.StatusCode:
        return self.ended.get(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self.call.cancel()
        self.channel.close()


@pytest.fixture
def listen(client: VenueClient) -> Iterator[Any]:
    made: list[Listener] = []

    def start(who: VenueClient = client, **wanted: Any) -> Listener:
        made.append(Listener(who, **wanted))
        return made[-1]

    yield start
    for listener in made:
        listener.close()


@pytest.fixture
def listener(listen):
    started = listen()
    assert started.next() == (SUCCESS, None)
    return started


def test_fills_changes_and_cancels_are_told(client, listener, symbol):
    name = client.placed(future(symbol, qty=2))
    filled = listener.scene("FINAL_FILLED")
    assert (filled["client_order_id"], filled["account_id"]) == (name, client.futures)
    assert (filled["order_status"], filled["filled_qty"], filled["filled_price"]) == ("FILLED", "2.00", "6900")
    assert (filled["symbol"], filled["category"], filled["side"]) == (symbol, "US_FUTURES", "BUY")
    assert "order_id" not in filled

    resting = client.placed(future(symbol, "BUY", "LIMIT", limit_price="6800"))
    changes = [{"client_order_id": resting, "limit_price": "6810"}]
    client.post("/trading/orders/replace", account_id=client.futures, modify_orders=changes)
    changed = listener.scene("MODIFY_SUCCESS")
    assert (changed["client_order_id"], changed["order_status"]) == (resting, "SUBMITTED")
    assert "filled_price" not in changed
    client.cancel(resting)
    assert listener.scene("CANCEL_SUCCESS")["order_status"] == "CANCELLED"


def test_events_may_name_the_order_id(client, sandbox, listener, symbol):
    sandbox.switches(event_order_id=True)
    name = client.placed(future(symbol))
    assert listener.scene("FINAL_FILLED")["order_id"] == client.detail(name)["order_id"]


def test_parts_and_failures_are_told(client, sandbox, listener, symbol):
    sandbox.fault(client.account.id, "partial_fill", parts=[1, 1])
    client.placed(future(symbol, qty=2))
    part = listener.scene("FILLED")
    assert (part["order_status"], part["filled_qty"]) == ("SUBMITTED", "1.00")
    assert listener.scene("FINAL_FILLED")["filled_qty"] == "2.00"
    sandbox.fault(client.account.id, "reject", mode="async")
    client.placed(future(symbol))
    assert listener.scene("PLACE_FAILED")["order_status"] == "FAILED"


def test_events_may_come_before_the_reply(client, sandbox, listener, symbol):
    sandbox.fault(client.account.id, "events_before_reply")
    name = client.placed(future(symbol))
    assert listener.scene("FINAL_FILLED")["client_order_id"] == name
    assert sandbox.faults() == []


def test_pings_tell_that_the_stream_lives(sandbox, listen):
    sandbox.switches(ping_seconds=0.05)
    started = listen()
    assert [started.next() for _ in range(3)] == [(SUCCESS, None), (PING, None), (PING, None)]


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SHA1"])
def test_both_digests_are_taken(listen, algorithm):
    assert listen(algorithm=algorithm).next() == (SUCCESS, None)


@pytest.mark.parametrize(
    "wanted",
    [
        {"secret": "not the secret"},
        {"accounts": ["SOMEBODY-ELSE"]},
        {"accounts": []},
        {"metadata": {"x-timestamp": "2020-01-01T00:00:00Z"}},
        {"metadata": {"x-app-key": "unknown"}},
    ],
)
def test_who_may_not_listen_is_told_and_left(listen, wanted):
    refused = listen(**wanted)
    assert refused.next() == (AUTH_ERROR, None)
    assert refused.end() is grpc.StatusCode.OK


def test_a_second_stream_of_a_key_is_refused(sandbox, listen, listener):
    assert listen().end() is grpc.StatusCode.RESOURCE_EXHAUSTED
    sandbox.switches(second_stream="event")
    assert listen().next() == (EXCEEDED, None)
    listener.close()
    until(lambda: listen().next()[0] == SUCCESS, "the first stream to be gone")


def test_only_asked_for_accounts_and_kinds_are_told(new_client, sandbox, listen, symbol):
    sandbox.switches(ping_seconds=0.05)
    stocks_only, positions_only = new_client(), new_client()
    listeners = [
        listen(stocks_only, accounts=[stocks_only.margin]),
        listen(positions_only, subscribe_type=2),
    ]
    for started, who in zip(listeners, (stocks_only, positions_only), strict=True):
        assert started.next() == (SUCCESS, None)
        who.becomes(who.placed(future(symbol)), "FILLED")
        assert {started.next()[0] for _ in range(4)} == {PING}


@pytest.mark.parametrize("by_id", [True, False])
def test_an_account_may_get_pings_only(client, sandbox, listen, symbol, by_id):
    sandbox.switches(ping_seconds=0.05)
    sandbox.fault(client.account.id if by_id else client.account.username, "no_events")
    started = listen()
    assert started.next() == (SUCCESS, None)
    client.becomes(client.placed(future(symbol)), "FILLED")
    assert {started.next()[0] for _ in range(4)} == {PING}
    sandbox.clear_faults()
    client.placed(future(symbol))
    until(lambda: started.next()[0] == ORDER, "an event")


def test_a_stream_may_fall_silent_or_be_ended(client, sandbox, listener, listen, symbol):
    assert sandbox.fault(client.account.username, "silent_socket")["affected"] == 1
    client.becomes(client.placed(future(symbol)), "FILLED")
    assert sandbox.fault(client.account.username, "shutdown")["affected"] == 1
    assert listener.end() is grpc.StatusCode.UNAVAILABLE
    assert listener.events.empty()
    assert listen().next() == (SUCCESS, None)


def test_the_end_of_tokens_may_end_streams(client, sandbox, listener):
    sandbox.fault(client.account.username, "token_expiry", drop_sockets=True)
    assert listener.end() is grpc.StatusCode.UNAVAILABLE


def test_connections_may_be_refused_or_the_key_be_bad(client, sandbox, listen):
    sandbox.fault(client.account.username, "refuse_connections")
    assert listen().end() is grpc.StatusCode.UNAVAILABLE
    sandbox.clear_faults()
    sandbox.fault(client.account.username, "bad_login")
    assert listen().next() == (AUTH_ERROR, None)


def test_events_may_be_told_again(client, sandbox, listener, symbol):
    client.placed(future(symbol))
    first = listener.scene("FINAL_FILLED")
    assert sandbox.fault(client.account.id, "replay")["affected"] == 1
    assert listener.scene("FINAL_FILLED") == first


def test_there_is_no_other_method(client):
    with grpc.insecure_channel(client.sandbox.ws_url) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/grpc.trade.event.EventService/Other")(b"", timeout=PATIENCE_SECONDS)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
