"""REST failures over real sockets: each says exactly what it proves, and none says a secret."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from brokers import http
from brokers.errors import AuthExpired, BrokerError, NotReached, OutcomeUnknown, RateLimited, Refused
from brokers.http import HttpClient, is_same_venue
from tests.brokers.scripted import Answer, RestServer, closing_port

Serve = Callable[[Callable[[str, str, bytes, dict[str, str]], Answer | None]], RestServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[RestServer] = []

    def start(answer: Callable[[str, str, bytes, dict[str, str]], Answer | None]) -> RestServer:
        servers.append(RestServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_a_json_answer_is_decoded_and_the_bearer_sent(serve: Serve) -> None:
    seen: list[str | None] = []

    def answer(_method: str, _path: str, _body: bytes, headers: dict[str, str]) -> Answer:
        seen.append(headers.get("Authorization"))
        return 200, b'{"price":25000.25,"id":516124640015}'

    client = HttpClient(serve(answer).url)
    assert client.get("fill/list", {"a": "1"}, bearer="T0KEN") == {"price": 25000.25, "id": 516124640015}
    assert client.post("auth/x", b"{}") == {"price": 25000.25, "id": 516124640015}
    assert seen == ["Bearer T0KEN", None]


def test_a_connection_is_kept_alive_between_requests(serve: Serve) -> None:
    ports: set[int] = set()
    server = serve(lambda *_: (200, b"{}"))
    original = server._server.finish_request

    def finish(request: object, address: tuple[str, int]) -> None:
        ports.add(address[1])
        original(request, address)  # type: ignore[arg-type]

    server._server.finish_request = finish  # type: ignore[method-assign,assignment]
    client = HttpClient(server.url)
    for _ in range(5):
        client.get("account/list")
    assert len(ports) == 1


def test_a_closed_port_proves_that_nothing_was_sent() -> None:
    with closing_port() as port, pytest.raises(NotReached):
        HttpClient(f"http://127.0.0.1:{port}/v1").post("order/placeorder", b"{}", bearer="T0KEN")


def test_an_unknown_name_proves_that_nothing_was_sent() -> None:
    with pytest.raises(NotReached):
        HttpClient("http://no-such-host.invalid/v1").post("order/placeorder", b"{}")


def test_a_host_that_does_not_answer_the_knock_proves_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as queue:
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        with pytest.raises(NotReached):
            HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}/v1").post("order/placeorder", b"{}")


def test_a_dropped_connection_after_the_request_leaves_the_outcome_open(serve: Serve) -> None:
    server = serve(lambda *_: None)
    with pytest.raises(OutcomeUnknown):
        HttpClient(server.url).post("order/placeorder", b"{}")
    assert len(server.requests) == 1


def test_a_slow_answer_leaves_the_outcome_open(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.1)

    def answer(*_: object) -> Answer:
        time.sleep(0.5)
        return 200, b"{}"

    server = serve(answer)
    with pytest.raises(OutcomeUnknown):
        HttpClient(server.url).post("order/placeorder", b"{}")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (401, b"Expired Access Token", AuthExpired),
        (401, b"", AuthExpired),
        (400, b"missing required field orderType", Refused),
        (403, b"", Refused),
        (404, b"", Refused),
        (302, b"", Refused),
        (408, b"", OutcomeUnknown),
        (500, b"oops", OutcomeUnknown),
        (502, b"", OutcomeUnknown),
        (503, b"", OutcomeUnknown),
        (423, b"", RateLimited),
        (429, b"", RateLimited),
        (200, b"{not json", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"\xff\xfe", OutcomeUnknown),
    ],
)
def test_a_status_becomes_what_to_do_next(serve: Serve, status: int, text: bytes, expected: type[BrokerError]) -> None:
    server = serve(lambda *_: (status, text))
    with pytest.raises(expected) as raised:
        HttpClient(server.url).post("order/placeorder", b'{"secret":"S3CRET"}', bearer="T0KEN")
    assert type(raised.value) is expected
    assert len(server.requests) == 1
    assert "S3CRET" not in str(raised.value)
    assert "T0KEN" not in repr(raised.value)
    assert raised.value.__cause__ is None


def test_a_429_holds_as_long_as_the_venue_says(serve: Serve) -> None:
    server = serve(lambda *_: (429, b"", {"Retry-After": "1800"}))
    with pytest.raises(RateLimited) as raised:
        HttpClient(server.url).get("order/list")
    assert 1790 < (raised.value.until - datetime.now(UTC)).total_seconds() <= 1800


def test_a_lock_holds_for_an_hour(serve: Serve) -> None:
    """H3"""
    server = serve(lambda *_: (423, b""))
    with pytest.raises(RateLimited) as raised:
        HttpClient(server.url).get("order/list")
    assert 3_590 < (raised.value.until - datetime.now(UTC)).total_seconds() <= 3_600


def test_a_form_is_sent_as_one(serve: Serve) -> None:
    seen: list[tuple[bytes, str | None, str | None]] = []

    def answer(_method: str, _path: str, body: bytes, headers: dict[str, str]) -> Answer:
        seen.append((body, headers.get("Content-Type"), headers.get("Authorization")))
        return 200, b"{}"

    HttpClient(serve(answer).url).post_form("auth/oauthtoken", {"code": "a b&c", "client_id": "7"})
    assert seen == [(b"code=a+b%26c&client_id=7", "application/x-www-form-urlencoded", None)]


def test_a_moved_host_gets_the_bearer_again(serve: Serve) -> None:
    """H6"""
    seen: list[tuple[str, str, bytes, str | None]] = []

    def there(method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        seen.append((method, path, body, headers.get("Authorization")))
        return 200, b'{"orderId":1}'

    moved = serve(there)
    first = serve(lambda *_: (307, b"", {"Location": f"{moved.url}/order/placeorder"}))
    assert HttpClient(first.url).post("order/placeorder", b'{"a":1}', bearer="T0KEN") == {"orderId": 1}
    assert seen == [("POST", "/v1/order/placeorder", b'{"a":1}', "Bearer T0KEN")]


def test_a_host_that_has_moved_is_asked_first_from_then_on(serve: Serve) -> None:
    """H6"""
    moved = serve(lambda *_: (200, b"[]"))
    first = serve(lambda _m, path, _b, _h: (307, b"", {"Location": f"{moved.url}{path.removeprefix('/v1')}"}))
    client = HttpClient(first.url)
    for _ in range(3):
        client.get("order/deps", {"masterid": "7"})
    assert (first.paths(), moved.paths()) == (["/v1/order/deps?masterid=7"], ["/v1/order/deps?masterid=7"] * 3)
    assert client.base_url == moved.url


def test_a_redirect_of_one_path_alone_moves_nothing(serve: Serve) -> None:
    """H6"""
    other = serve(lambda *_: (200, b"[]"))
    first = serve(lambda *_: (307, b"", {"Location": f"{other.url}/elsewhere"}))
    client = HttpClient(first.url)
    client.get("order/list")
    assert client.base_url == first.url


def test_a_new_host_that_cannot_be_reached_is_given_up_for_the_first(serve: Serve) -> None:
    """H6"""
    first = serve(lambda *_: (200, b"[]"))
    client = HttpClient(first.url)
    with closing_port() as port:
        client.move(f"http://127.0.0.1:{port}/v1")
        with pytest.raises(NotReached):
            client.get("order/list")
    assert client.get("order/list") == []


@pytest.mark.parametrize(
    ("url", "other", "expected"),
    [
        ("https://demo.x.com/v1", "https://demo-7.x.com/v1", True),
        ("https://demo.x.com/v1", "wss://live.x.com/socket", True),
        ("https://demo.x.com/v1", "https://x.com.evil.com/v1", False),
        ("https://demo.x.com/v1", "http://demo.x.com/v1", False),
        ("https://demo.x.com/v1", "/v1", False),
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1", True),
        ("http://127.0.0.1:1/v1", "http://10.1.0.1:1/v1", False),
        ("http://10.1.0.1:1/v1", "http://evil.0.1:1/v1", False),
    ],
)
def test_only_hosts_of_one_domain_share_a_token(url: str, other: str, *, expected: bool) -> None:
    """H6"""
    assert is_same_venue(url, other) is expected


def test_a_token_is_never_carried_to_a_stranger(serve: Serve) -> None:
    """H6, L2"""
    server = serve(lambda *_: (307, b"", {"Location": "http://evil.example/v1/order/placeorder"}))
    with pytest.raises(Refused) as raised:
        HttpClient(server.url).post("order/placeorder", b"{}", bearer="T0KEN")
    assert raised.value.code == "REDIRECT"
