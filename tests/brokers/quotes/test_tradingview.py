"""TradingView's quote socket, against a server that speaks its frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from brokers.connector import Backoff
from brokers.quotes.quote import Quote
from brokers.quotes.tradingview import Frames, NotUnderstood, TradingViewQuotes, delay_of, frame, name_of
from tests.brokers.scripted import Peer, SocketServer, until

HELLO = (
    '{"session_id":"<0.1.2>_fra-charts-1","timestamp":1795444500,"release":"release_207-1","protocol":"json",'
    '"javastudies":"javastudies-3.66","auth_scheme_vsn":2}'
)
LAST_TRADE = 1795444501


@pytest.fixture
def server() -> Iterator[SocketServer]:
    made = SocketServer()
    yield made
    made.close()


@pytest.fixture
def heard() -> list[Quote]:
    return []


@pytest.fixture
def quotes(server: SocketServer, heard: list[Quote]) -> Iterator[TradingViewQuotes]:
    made = TradingViewQuotes(heard.append, server.url, Backoff(first=0.01, most=0.05))
    made.start()
    yield made
    made.stop()


class Chart:
    """The server's side of one socket."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.said: list[list[str]] = []
        self.peer.send(frame(HELLO))
        self.session = self.hear("quote_create_session")[0]

    def hear(self, name: str) -> list[str]:
        """The parameters of the client's next message of this name."""
        while True:
            payload = self.payload()
            message = json.loads(payload)
            if message["m"] == name:
                return list(message["p"])

    def payload(self) -> str:
        (payload,) = Frames().feed(self.peer.receive())
        return payload

    def qsd(self, symbol: str, status: str = "ok", **values: object) -> str:
        update = {"n": symbol, "s": status, "v": values}
        return frame(json.dumps({"m": "qsd", "p": [self.session, update]}, separators=(",", ":")))


def opened(server: SocketServer) -> Chart:
    return Chart(server.accepted())


def test_it_introduces_itself_and_adds_the_symbols_by_their_names(
    server: SocketServer, quotes: TradingViewQuotes
) -> None:
    quotes.subscribe(["MNQZ6"])
    peer = server.accepted()
    peer.send(frame(HELLO))
    names = []
    for _ in range(4):
        (payload,) = Frames().feed(peer.receive())
        message = json.loads(payload)
        names.append((message["m"], message["p"][1:]))
    assert names == [
        ("set_auth_token", []),
        ("quote_create_session", []),
        ("quote_set_fields", ["lp", "lp_time", "bid", "ask", "update_mode"]),
        ("quote_add_symbols", ["CME_MINI:MNQZ2026"]),
    ]
    assert b"Origin: https://www.tradingview.com" in server.heads[0]
    assert b"User-Agent: Mozilla/5.0" in server.heads[0]


def test_partial_updates_are_merged_and_carry_their_delay(
    server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote]
) -> None:
    quotes.subscribe(["MNQZ6"])
    chart = opened(server)
    (name,) = chart.hear("quote_add_symbols")[1:]
    chart.peer.send(chart.qsd(name, lp=25310.25, lp_time=LAST_TRADE, update_mode="delayed_streaming_600", ch=12.5))
    chart.peer.send(chart.qsd(name, bid=25310.0))
    chart.peer.send(chart.qsd(name, lp=25311, ask=25311.5, lp_time=LAST_TRADE + 2))
    until(lambda: len(heard) == 3)
    at = datetime.fromtimestamp(LAST_TRADE, UTC)
    assert heard[0] == Quote("MNQZ6", Decimal("25310.25"), None, None, at, "tradingview/chart", 600)
    assert (heard[1].last, heard[1].bid, heard[1].at) == (Decimal("25310.25"), Decimal("25310.0"), at)
    assert (heard[2].last, heard[2].ask, heard[2].delay_s) == (Decimal(25311), Decimal("25311.5"), 600)


def test_its_prices_are_for_screens_even_when_they_are_not_late(
    server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote]
) -> None:
    quotes.subscribe(["MNQZ6"])
    chart = opened(server)
    (name,) = chart.hear("quote_add_symbols")[1:]
    now = int(datetime.now(UTC).timestamp())
    chart.peer.send(chart.qsd(name, lp=25310.25, lp_time=now, update_mode="streaming"))
    until(lambda: heard)
    assert heard[0].delay_s == 0
    assert heard[0].is_indicative
    assert not heard[0].is_fresh(datetime.now(UTC))


def test_frames_may_share_a_message_and_be_cut_anywhere(
    server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote]
) -> None:
    quotes.subscribe(["MNQZ6", "MESZ6"])
    chart = opened(server)
    mes, mnq = chart.hear("quote_add_symbols")[1:]
    both = chart.qsd(mnq, lp=1) + frame("~h~7") + chart.qsd(mes, lp=2)
    chart.peer.send(both[:11])
    chart.peer.send(both[11:90])
    chart.peer.send(both[90:])
    until(lambda: len(heard) == 2)
    assert [(quote.symbol, quote.last) for quote in heard] == [("MNQZ6", Decimal(1)), ("MESZ6", Decimal(2))]
    assert chart.payload() == "~h~7"


def test_a_heartbeat_is_echoed_as_it_came(server: SocketServer, quotes: TradingViewQuotes) -> None:
    chart = opened(server)
    chart.hear("quote_set_fields")
    for beat in ("~h~1", "~h~2"):
        chart.peer.send(frame(beat))
        assert chart.peer.receive() == f"~m~4~m~{beat}"


def test_symbols_come_and_go(server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote]) -> None:
    chart = opened(server)
    quotes.subscribe(["MNQZ6"])
    (name,) = chart.hear("quote_add_symbols")[1:]
    quotes.unsubscribe(["MNQZ6", "MESZ6"])
    assert chart.hear("quote_remove_symbols")[1:] == [name]
    chart.peer.send(chart.qsd(name, lp=1))
    quotes.subscribe(["MESZ6", "no such thing"])
    assert chart.hear("quote_add_symbols")[1:] == ["CME_MINI:MESZ2026"]
    chart.peer.send(chart.qsd("CME_MINI:MESZ2026", lp=2))
    until(lambda: heard)
    assert [quote.symbol for quote in heard] == ["MESZ6"]


def test_a_symbol_that_it_refuses_is_left_out(
    server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote]
) -> None:
    quotes.subscribe(["MESZ6", "MNQZ6"])
    chart = opened(server)
    mes, mnq = chart.hear("quote_add_symbols")[1:]
    chart.peer.send(chart.qsd(mes, "error") + chart.qsd(mnq, lp=1))
    until(lambda: heard)
    assert [quote.symbol for quote in heard] == ["MNQZ6"]


@pytest.mark.parametrize(
    "trouble",
    [
        frame('{"m":"protocol_error","p":["invalid"]}'),
        frame('{"m":"critical_error","p":["qs_x","no"]}'),
        "<html>not the protocol</html>",
        frame("{not json"),
        frame('{"m":"qsd","p":[]}'),
        None,
    ],
)
def test_it_connects_again_with_a_new_session_after_trouble(
    server: SocketServer, quotes: TradingViewQuotes, heard: list[Quote], trouble: str | None
) -> None:
    quotes.subscribe(["MNQZ6"])
    first = opened(server)
    first.hear("quote_add_symbols")
    if trouble is None:
        first.peer.close()
    else:
        first.peer.send(trouble)
    second = opened(server)
    session, name = second.hear("quote_add_symbols")
    assert session != first.session
    second.peer.send(second.qsd(name, lp=1))
    until(lambda: heard)


def test_a_refused_upgrade_is_tried_again(heard: list[Quote], server: SocketServer) -> None:
    server.refuse_with = "403 Forbidden"
    quotes = TradingViewQuotes(heard.append, server.url, Backoff(first=0.01, most=0.05))
    quotes.start()
    until(lambda: server.upgrades >= 2)
    server.refuse_with = None
    opened(server)
    quotes.stop()


@pytest.mark.parametrize(
    ("mode", "delay"),
    [
        ("streaming", 0), ("delayed_streaming_600", 600), ("delayed_streaming_900", 900), ("endofday", None),
        ("delayed_streaming_", None), ("", None), (None, None), (600, None),
    ],
)  # fmt: skip
def test_an_update_mode_that_is_not_known_is_never_taken_for_no_delay(mode: object, delay: int | None) -> None:
    assert delay_of(mode) == delay


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("MNQZ6", "CME_MINI:MNQZ2026"), ("YMZ6", "CBOT_MINI:YMZ2026"), ("6EZ6", "CME:6EZ2026"),
        ("MGCZ6", "COMEX:MGCZ2026"), ("CLF7", "NYMEX:CLF2027"), ("QMF7", "NYMEX_MINI:QMF2027"), ("AAPL", None),
    ],
)  # fmt: skip
def test_contracts_are_called_as_tradingview_calls_them(symbol: str, name: str | None) -> None:
    assert name_of(symbol, date(2026, 11, 25)) == name


def test_a_length_counts_utf_16_units() -> None:
    payloads = ["plain", "Größe", "\N{CHART WITH UPWARDS TREND} up", ""]
    assert list(Frames().feed("".join(map(frame, payloads)))) == payloads
    assert frame("\N{CHART WITH UPWARDS TREND}").startswith("~m~2~m~")


def test_a_text_without_a_length_is_not_understood() -> None:
    for text in ("hello", "~m~x~m~", "~x"):
        with pytest.raises(NotUnderstood):
            list(Frames().feed(text))
