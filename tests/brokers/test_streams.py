"""The stream loop over real sockets: bytes in any shape come out as whole messages, bursts go out first."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from brokers.connector import Backoff, Stream
from brokers.errors import AuthFailed, BrokerError, RateLimited
from brokers.links import Link, text_frame
from brokers.streams import Outgoing, StreamLoop
from tests.brokers.scripted import Peer, SocketServer, closing_port, frame, until


class Ear:
    """A session that keeps what it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stream = Stream(self)
        self.link: Link | None = None
        self.texts: list[bytes] = []
        self.written: list[object] = []
        self.unsent: list[object] = []
        self.closings: list[str] = []
        self.failures: list[BrokerError] = []
        self.refuse_with: BrokerError | None = None
        self.log: list[str] = []

    def on_connecting(self) -> None: ...

    def prepare(self) -> str:
        if self.refuse_with is not None:
            raise self.refuse_with
        return self.url

    def on_open(self, link: Link) -> None:
        self.link = link

    def on_texts(self, messages: Sequence[bytes]) -> None:
        if b"explode" in messages:
            raise RuntimeError("a bug in a session")
        self.log.append("read")
        self.texts.extend(messages)

    def on_tick(self, now: float) -> None: ...

    def on_written(self, written: Sequence[tuple[object, float]]) -> None:
        self.log.append("written")
        self.written.extend(ticket for ticket, _ in written)

    def on_unsent(self, tickets: Sequence[object], reason: str) -> None:
        self.unsent.extend(tickets)

    def on_closed(self, reason: str) -> None:
        self.link = None
        self.closings.append(reason)

    def on_connect_failed(self, error: BrokerError) -> None:
        self.failures.append(error)


@pytest.fixture
def server() -> Iterator[SocketServer]:
    server = SocketServer()
    yield server
    server.close()


@pytest.fixture
def loop() -> Iterator[StreamLoop]:
    loop = StreamLoop(backoff=Backoff(first=0.01, most=0.05))
    loop.start()
    yield loop
    loop.stop()


def connect(loop: StreamLoop, server: SocketServer) -> tuple[Ear, Peer]:
    ear = Ear(server.url)
    loop.add(ear.stream)
    peer = server.accepted()
    until(lambda: ear.link)
    return ear, peer


def out(ear: Ear, text: str, ticket: object) -> Outgoing:
    assert ear.link is not None
    return Outgoing(ear.stream, ear.link, text_frame(text), ticket)


def test_messages_survive_bytes_that_drip_one_at_a_time(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    for byte in frame("a[1]") + frame("x" * 200) + frame("h"):
        peer.send_raw(bytes([byte]))
    until(lambda: len(ear.texts) == 3)
    assert ear.texts == [b"a[1]", b"x" * 200, b"h"]


def test_many_messages_in_one_segment_come_out_apart(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    peer.send_raw(b"".join(frame(f"a[{n}]") for n in range(3000)) + frame("half")[:3])
    until(lambda: len(ear.texts) == 3000)
    peer.send_raw(frame("half")[3:])
    until(lambda: len(ear.texts) == 3001)
    assert ear.texts == [*(f"a[{n}]".encode() for n in range(3000)), b"half"]


def test_a_frame_of_several_megabytes_arrives_whole(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    big = b"".join(b"%08d" % n for n in range(400_000))
    peer.send_raw(frame(big) + frame("after"))
    until(lambda: len(ear.texts) == 2)
    assert ear.texts[0] == big


def test_fragments_are_joined_around_a_ping(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    peer.send_raw(frame("a[", final=False) + frame("1,", opcode=0, final=False))
    peer.send_raw(frame("are you there", opcode=9) + frame("2]", opcode=0))
    until(lambda: ear.texts)
    assert ear.texts == [b"a[1,2]"]
    assert peer.receive_frame() == (10, b"are you there")


def test_a_close_frame_is_answered_and_the_stream_reconnects(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    peer.send_raw(frame(b"\x03\xe9going away", opcode=8))
    assert peer.receive_frame()[0] == 8
    until(lambda: ear.closings)
    assert ear.closings == ["closed by the venue: 1001 going away"]
    server.accepted()


def test_a_broken_protocol_costs_the_link(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    peer.send_raw(b"\xff\x02ab")
    until(lambda: ear.closings)
    assert "not a WebSocket frame" in ear.closings[0]
    server.accepted()


def test_a_bug_in_one_session_leaves_the_others_alone(loop: StreamLoop, server: SocketServer) -> None:
    broken, broken_peer = connect(loop, server)
    healthy, healthy_peer = connect(loop, server)
    broken_peer.send("explode")
    until(lambda: broken.closings)
    healthy_peer.send("still here")
    until(lambda: healthy.texts)
    assert healthy.closings == []


def test_a_burst_reaches_every_socket_in_order(loop: StreamLoop, server: SocketServer) -> None:
    pairs = [connect(loop, server) for _ in range(20)]
    with loop.burst():
        for index, (ear, _) in enumerate(pairs):
            loop.submit([out(ear, f"first {index}", 1), out(ear, f"second {index}", 2)])
    until(lambda: all(ear.written == [1, 2] for ear, _ in pairs))
    for index, (_, peer) in enumerate(pairs):
        assert [peer.receive(), peer.receive()] == [f"first {index}", f"second {index}"]


def test_a_burst_is_written_before_what_was_already_waiting_to_be_read(loop: StreamLoop, server: SocketServer) -> None:
    pairs = [connect(loop, server) for _ in range(8)]
    is_held, gate = threading.Event(), threading.Event()
    loop.call(lambda: is_held.set() or gate.wait())
    assert is_held.wait(5)
    for _, peer in pairs:
        peer.send_raw(frame("news") * 50)
    loop.submit([out(ear, "order", "ticket") for ear, _ in pairs])
    gate.set()
    until(lambda: all(len(ear.texts) == 50 and ear.written for ear, _ in pairs))
    assert all(ear.log[0] == "written" for ear, _ in pairs)


def test_a_full_socket_keeps_the_rest_and_sends_it_in_order(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    size = 3_000_000
    loop.submit([out(ear, letter * size, letter) for letter in "abc"])
    assert [peer.receive() for _ in range(3)] == [letter * size for letter in "abc"]
    until(lambda: len(ear.written) == 3)
    assert ear.written == ["a", "b", "c"]


def test_frames_behind_a_full_socket_are_proven_unsent_when_it_dies(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    loop.submit([out(ear, "x" * 20_000_000, "begun"), out(ear, "order", "untouched")])
    assert peer.sock.recv(1000)
    peer.reset()
    until(lambda: ear.closings)
    assert ear.written == ["begun"]
    assert ear.unsent == ["untouched"]


def test_frames_for_a_link_that_is_gone_are_unsent(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    late = out(ear, "order", "late")
    peer.close()
    until(lambda: ear.closings)
    loop.submit([late])
    until(lambda: ear.unsent)
    assert (ear.written, ear.unsent) == ([], ["late"])


def test_a_removed_stream_is_closed_and_stays_away(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    loop.remove(ear.stream)
    assert peer.receive_frame()[0] == 8
    until(lambda: ear.closings)
    other, _ = connect(loop, server)
    assert server.upgrades == 2
    assert other.link is not None


def test_a_refused_port_is_retried_until_it_opens(loop: StreamLoop, server: SocketServer) -> None:
    with closing_port() as port:
        ear = Ear(f"ws://127.0.0.1:{port}/")
        loop.add(ear.stream)
        until(lambda: len(ear.failures) >= 2)
    ear.url = server.url
    server.accepted()
    until(lambda: ear.link)


def test_a_refused_login_is_not_tried_again(loop: StreamLoop, server: SocketServer) -> None:
    ear = Ear(server.url)
    ear.refuse_with = AuthFailed("LoginRefused", "wrong password")
    loop.add(ear.stream)
    until(lambda: ear.failures)
    connect(loop, server)
    assert len(ear.failures) == 1
    assert server.upgrades == 1


def test_too_many_connections_cools_everybody_down(loop: StreamLoop, server: SocketServer) -> None:
    server.refuse_with = "429 Too Many Requests"
    first = Ear(server.url)
    loop.add(first.stream)
    until(lambda: first.failures)
    assert isinstance(first.failures[0], RateLimited)
    server.refuse_with = None
    second = Ear(server.url)
    loop.add(second.stream)
    turned = threading.Event()
    loop.call(lambda: loop.call(turned.set))
    assert turned.wait(5)
    assert (server.upgrades, second.link) == (1, None)


def test_a_stream_may_hold_everybody_back(loop: StreamLoop, server: SocketServer) -> None:
    ear, peer = connect(loop, server)
    held = threading.Event()
    loop.call(lambda: (ear.stream.hold(30.0, everybody=True), held.set()))
    assert held.wait(5)
    peer.close()
    until(lambda: ear.closings)
    second = Ear(server.url)
    loop.add(second.stream)
    turned = threading.Event()
    loop.call(lambda: loop.call(turned.set))
    assert turned.wait(5)
    assert (second.link, server.upgrades) == (None, 1)


def test_hundreds_of_sockets_are_served_by_one_thread(loop: StreamLoop, server: SocketServer) -> None:
    before = threading.active_count()
    ears = [Ear(server.url) for _ in range(200)]
    for ear in ears:
        loop.add(ear.stream)
    peers = [server.accepted() for _ in ears]
    until(lambda: all(ear.link for ear in ears), 20)
    for peer in peers:
        peer.send("a[]")
    until(lambda: all(ear.texts for ear in ears))
    assert threading.active_count() - before <= 4
