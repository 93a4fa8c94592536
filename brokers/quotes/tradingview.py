"""Prices from TradingView's chart socket, for screens only.

The protocol is not documented and its terms allow display alone, so this is off unless the installation turns it on,
and no order, stop or limit ever goes by it: its quotes are indicative whatever their delay. Futures of a visitor who
is not signed in are late; by how much the socket says itself (`update_mode`), and what it does not say is not known.

Wire: each payload is framed as `~m~<length>~m~<payload>`, the length in UTF-16 units; several frames may share one
message. `~h~<n>` is a heartbeat, to be echoed. All else is JSON: `{"m": name, "p": [...]}`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import websocket

from brokers import instruments
from brokers.connector import Backoff
from brokers.instruments import UnknownTicker
from brokers.quotes.quote import TRADINGVIEW, Quote

logger = logging.getLogger(__name__)

URL = "wss://data.tradingview.com/socket.io/websocket?from=chart&type=chart"
ORIGIN = "https://www.tradingview.com"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
FIELDS = ("lp", "lp_time", "bid", "ask", "update_mode")
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.25
SILENT_SECONDS = 60.0
LONGEST_BUFFER = 4_000_000
_HEAD = re.compile(r"~m~(\d{1,9})~m~")
_PART_OF_HEAD = re.compile(r"~?|~m|~m~\d{0,9}|~m~\d{1,9}~m?")
_DELAYED = re.compile(r"delayed_streaming_(\d{1,6})")
_SMALL_EXCHANGES = {"QM": "NYMEX_MINI", "QG": "NYMEX_MINI", "QO": "COMEX_MINI", "QI": "COMEX_MINI", "QC": "COMEX_MINI"}

OnLateQuote = Callable[[Quote], None]
"""Called in the socket's own thread."""


class NotUnderstood(ValueError):
    """The socket said something that is not this protocol."""


class Frames:
    """Payloads out of the socket's messages, however they are cut."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> Iterator[str]:
        """Every payload that is complete by now. Raises `NotUnderstood`."""
        self._rest += text
        while self._rest:
            head = _HEAD.match(self._rest)
            if head is None:
                if _PART_OF_HEAD.fullmatch(self._rest) is None:
                    raise NotUnderstood("a frame does not begin with its length")
                return
            payload = _first_units(self._rest[head.end() :], int(head[1]))
            if payload is None:
                if len(self._rest) > LONGEST_BUFFER:
                    raise NotUnderstood("a frame that is too long")
                return
            self._rest = self._rest[head.end() + len(payload) :]
            yield payload


def frame(payload: str) -> str:
    return f"~m~{len(payload.encode('utf-16-le')) // 2}~m~{payload}"


def _first_units(text: str, units: int) -> str | None:
    """As much of `text` as is `units` long in UTF-16; None while it is shorter."""
    piece = text[:units]
    if piece.isascii():
        return piece if len(piece) == units else None
    encoded = text.encode("utf-16-le")[: units * 2]
    return encoded.decode("utf-16-le") if len(encoded) == units * 2 else None


def delay_of(update_mode: object) -> int | None:
    """Seconds by which a quote is late; None for what is not known."""
    if update_mode == "streaming":
        return 0
    found = _DELAYED.fullmatch(update_mode) if isinstance(update_mode, str) else None
    return int(found[1]) if found is not None else None


@lru_cache(maxsize=1024)
def name_of(symbol: str, today: date) -> str | None:
    """TradingView's name of a contract: MNQZ6 is CME_MINI:MNQZ2026. None for what is no future that we know."""
    try:
        contract = instruments.resolve(symbol, today)
    except UnknownTicker:
        return None
    root, product = contract.root, contract.product
    exchange = _SMALL_EXCHANGES.get(root, product.exchange)
    if product.calendar == "equity" and product.exchange in {"CME", "CBOT"} and root != "NKD":
        exchange = f"{product.exchange}_MINI"
    return f"{exchange}:{symbol[:-1]}{contract.year}"


class TradingViewQuotes:
    """A `brokers.base.QuoteSource`, except that it tells whole quotes with their delay."""

    def __init__(self, on_quote: OnLateQuote, url: str = URL, backoff: Backoff | None = None) -> None:
        self._on_quote = on_quote
        self._url = url
        self._backoff = backoff or Backoff()
        self._lock = threading.Lock()
        self._wanted: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tradingview", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def subscribe(self, symbols: Iterable[str]) -> None:
        today = datetime.now(UTC).date()
        names = {name: symbol for symbol in symbols if (name := name_of(symbol, today)) is not None}
        with self._lock:
            self._wanted |= names

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        gone = set(symbols)
        with self._lock:
            self._wanted = {name: symbol for name, symbol in self._wanted.items() if symbol not in gone}

    def wanted(self) -> dict[str, str]:
        """Our symbols by TradingView's names."""
        with self._lock:
            return dict(self._wanted)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            session = _Session(self.wanted, self._on_quote, self._stopping)
            try:
                session.run(self._url)
            except (websocket.WebSocketException, OSError, NotUnderstood) as error:
                logger.info("TradingView quotes are down: %s", type(error).__name__)
            except Exception:
                # The outermost frame of this thread: a message that surprises us costs a reconnect.
                logger.exception("TradingView quotes failed")
            attempt = 0 if session.has_quoted else attempt + 1
            self._stopping.wait(self._backoff.delay(attempt))


class _Session:
    """One socket. `wanted` is looked at all the time: what is new is added, what has gone is removed."""

    def __init__(self, wanted: Callable[[], dict[str, str]], on_quote: OnLateQuote, stopping: threading.Event) -> None:
        alphabet = string.ascii_letters + string.digits
        self._id = "qs_" + "".join(secrets.choice(alphabet) for _ in range(12))
        self._wanted = wanted
        self._on_quote = on_quote
        self._stopping = stopping
        self._frames = Frames()
        self._added: dict[str, str] = {}
        self._quotes: dict[str, Quote] = {}
        self.has_quoted = False

    def run(self, url: str) -> None:
        """Until it breaks or is stopped. Raises what websocket-client and the socket do, and `NotUnderstood`."""
        socket = websocket.create_connection(
            url,
            timeout=CONNECT_SECONDS,
            origin=ORIGIN,
            header={"User-Agent": USER_AGENT},
            redirect_limit=0,
            sslopt={"context": ssl.create_default_context()},
        )
        try:
            socket.settimeout(POLL_SECONDS)
            self._greet(socket)
            heard_at = time.monotonic()
            while not self._stopping.is_set():
                self._follow_wishes(socket)
                if self._listen(socket):
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > SILENT_SECONDS:
                    raise NotUnderstood("it says nothing any more")
        finally:
            socket.close(timeout=0)

    def _greet(self, socket: websocket.WebSocket) -> None:
        self._say(socket, "set_auth_token", "unauthorized_user_token")
        self._say(socket, "quote_create_session", self._id)
        self._say(socket, "quote_set_fields", self._id, *FIELDS)

    def _follow_wishes(self, socket: websocket.WebSocket) -> None:
        wanted = self._wanted()
        new, gone = wanted.keys() - self._added.keys(), self._added.keys() - wanted.keys()
        if new:
            self._say(socket, "quote_add_symbols", self._id, *sorted(new))
        if gone:
            self._say(socket, "quote_remove_symbols", self._id, *sorted(gone))
            self._quotes = {name: quote for name, quote in self._quotes.items() if name not in gone}
        self._added = wanted

    def _listen(self, socket: websocket.WebSocket) -> bool:
        """Whether anything came."""
        try:
            message = socket.recv()
        except websocket.WebSocketTimeoutException:
            return False
        if message in {"", b""}:
            raise websocket.WebSocketConnectionClosedException("closed by TradingView")
        text = message.decode() if isinstance(message, bytes) else message
        for payload in self._frames.feed(text):
            if payload.startswith("~h~"):
                socket.send(frame(payload))
            else:
                self._take(json.loads(payload, parse_float=Decimal))
        return True

    def _take(self, message: Any) -> None:
        """Raises `NotUnderstood` when the socket has given up on us."""
        name = message.get("m") if isinstance(message, dict) else None
        if name in {"protocol_error", "critical_error"}:
            raise NotUnderstood(str(name))
        if name == "qsd":
            self._take_quote(message["p"][1])

    def _take_quote(self, update: dict[str, Any]) -> None:
        """Merge a partial update; `n` is the name as it was asked for."""
        symbol = self._added.get(update["n"])
        if symbol is None:
            return
        if update.get("s") != "ok":
            logger.warning("TradingView has no quotes of %s", update["n"])
            return
        values = update.get("v") or {}
        known = self._quotes.get(update["n"]) or Quote(symbol, None, None, None, _now(), TRADINGVIEW, None)
        merged = replace(
            known,
            last=_price(values, "lp", known.last),
            bid=_price(values, "bid", known.bid),
            ask=_price(values, "ask", known.ask),
            at=datetime.fromtimestamp(int(values["lp_time"]), UTC) if "lp_time" in values else known.at,
            delay_s=delay_of(values["update_mode"]) if "update_mode" in values else known.delay_s,
        )
        self._quotes[update["n"]] = merged
        self.has_quoted = True
        self._on_quote(merged)

    def _say(self, socket: websocket.WebSocket, name: str, *params: str) -> None:
        socket.send(frame(json.dumps({"m": name, "p": list(params)}, separators=(",", ":"))))


def _price(values: dict[str, Any], name: str, known: Decimal | None) -> Decimal | None:
    value = values.get(name)
    return known if value is None else Decimal(value)


def _now() -> datetime:
    return datetime.now(UTC)
