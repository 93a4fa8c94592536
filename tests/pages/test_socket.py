"""The browser's socket, over the wire."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import websocket

from accounts.models import User
from brokers.quotes.cache import Quote, store
from execution.feed import announce
from justtrades import clock
from justtrades.testing import Cast
from tests.factories import Chain
from tests.pages.conftest import LiveServer, session_cookie

SIGNED_OUT = 4401


class Listener:
    def __init__(self, server: LiveServer, cookie: str, origin: str | None = None) -> None:
        self.socket = websocket.create_connection(
            server.ws_url, timeout=10, origin=origin or server.url, cookie=f"sessionid={cookie}"
        )

    def hear(self, kind: str, check: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next message of this kind that passes the check; ten silent seconds fail."""
        while True:
            message = json.loads(self.socket.recv())
            if message["type"] == kind and check(message):
                return message

    def hear_beats(self, count: int) -> list[dict[str, Any]]:
        """Everything that comes until the last of `count` heartbeats."""
        heard = []
        while sum(message["type"] == "heartbeat" for message in heard) < count:
            heard.append(json.loads(self.socket.recv()))
        return heard


@pytest.fixture
def listen(live: LiveServer) -> Iterator[Callable[[User], Listener]]:
    opened: list[Listener] = []

    def open_listener(user: User) -> Listener:
        opened.append(Listener(live, session_cookie(user)))
        return opened[-1]

    yield open_listener
    for listener in opened:
        listener.socket.close()


def test_a_stranger_is_told_to_sign_in(live: LiveServer) -> None:
    stranger = Listener(live, "no-such-session")
    opcode, data = stranger.socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert int.from_bytes(data[:2], "big") == SIGNED_OUT


def test_a_page_of_another_site_may_not_listen(live: LiveServer, cast: Cast) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Listener(live, session_cookie(cast.alice), origin="https://evil.example")
    assert refused.value.status_code == 403


def test_news_follow_the_number_that_the_greeting_named(listen: Callable[[User], Listener], cast: Cast) -> None:
    listener = listen(cast.alice)
    first = listener.hear("hello")["seq"]
    announce(cast.alice.pk, "signals", "intents")
    news = listener.hear("news")
    assert (news["seq"], news["topics"]) == (first + 1, ["intents", "signals"])
    assert listener.hear("heartbeat")["seq"] == first + 1


def test_nobody_hears_anothers_news(listen: Callable[[User], Listener], cast: Cast, hers: Chain) -> None:
    alice, charlie = listen(cast.alice), listen(cast.charlie)
    alice.hear("hello")
    before = charlie.hear("hello")["seq"]
    announce(cast.alice.pk, "orders")
    alice.hear("news")
    charlie.socket.send(json.dumps({"type": "watch", "positions": [str(hers.position.pk)]}))
    store([Quote("MESZ6", Decimal("6031.25"), None, None, clock.now())])
    heard = charlie.hear_beats(2)
    assert {message["type"] for message in heard} <= {"heartbeat", "pnl"}
    assert {message["seq"] for message in heard if message["type"] == "heartbeat"} == {before}
    assert all(message["positions"] == {} for message in heard if message["type"] == "pnl")


def test_open_pnl_moves_with_the_quote_exactly(listen: Callable[[User], Listener], cast: Cast, hers: Chain) -> None:
    listener, position = listen(cast.alice), str(hers.position.pk)
    store([Quote("MESZ6", Decimal("6031.25"), None, None, clock.now())])
    line = listener.hear("pnl", lambda said: said["total"] is not None)["positions"][position]
    assert (Decimal(line["open"]), Decimal(line["last"]), line["ticks"]) == (Decimal(50), Decimal("6031.25"), 40)
    store([Quote("MESZ6", Decimal("6011.00"), None, None, clock.now())])
    moved = listener.hear("pnl", lambda said: said["total"] is not None and Decimal(said["total"]) < 0)
    assert Decimal(moved["total"]) == Decimal("-51.25")
    assert moved["positions"][position]["text"]["open"] == "\N{MINUS SIGN}$51.25"


def test_only_watched_positions_are_listed_and_all_count(
    listen: Callable[[User], Listener], cast: Cast, hers: Chain
) -> None:
    listener = listen(cast.alice)
    listener.socket.send(json.dumps({"type": "watch", "positions": [str(uuid.uuid4())]}))
    store([Quote("MESZ6", Decimal("6031.25"), None, None, clock.now())])
    said = listener.hear("pnl", lambda said: said["total"] is not None and said["positions"] == {})
    assert Decimal(said["total"]) == Decimal(50)


@pytest.mark.parametrize("text", ["[]", '"x"', "{}", '{"type": "watch"}', '{"type": "watch", "positions": [1, null]}'])
def test_what_makes_no_sense_is_ignored(text: str, listen: Callable[[User], Listener], cast: Cast) -> None:
    listener = listen(cast.alice)
    listener.hear("hello")
    listener.socket.send(text)
    assert listener.hear("heartbeat")["type"] == "heartbeat"


@pytest.mark.parametrize("text", ["not json", "[" * 100_000])
def test_what_is_no_json_ends_the_socket_and_nothing_else(
    text: str, listen: Callable[[User], Listener], cast: Cast
) -> None:
    broken, other = listen(cast.alice), listen(cast.alice)
    broken.hear("hello")
    broken.socket.send(text)
    while True:
        opcode, data = broken.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
    assert int.from_bytes(data[:2], "big") == 4400
    assert other.hear("heartbeat")["seq"] is not None


def test_a_quiet_socket_stays_open(listen: Callable[[User], Listener], cast: Cast) -> None:
    """Longer than a channel layer waits for news at a time: its wait must end before Redis's client gives up."""
    heard = listen(cast.alice).hear_beats(4)
    assert sum(message["type"] == "heartbeat" for message in heard) == 4
