"""What each market data session is to be told, and telling it (wire facts, 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull import figures, messages
from brokers.sandbox.webull.calls import Call, Reply
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import US_ETF, US_FUTURES, US_STOCK, category
from brokers.sandbox.webull.wire import figure, now_ms, parameter_error, refusal

if TYPE_CHECKING:
    from brokers.sandbox.webull.mqtt import Server

PUSHES_PER_SECOND = 3
MOST_SYMBOLS = 100
SUB_TYPES = ("SNAPSHOT", "QUOTE", "TICK")
TRADING_SESSION = "RTH"


@dataclass(slots=True)
class Session:
    """``wanted`` maps (contract id, sub type) to the symbol it was asked by; ``stale`` are those with news."""

    wanted: dict[tuple[int, str], str] = field(default_factory=dict)
    stale: set[tuple[int, str]] = field(default_factory=set)


class Streaming:
    """Subscriptions by session; a session that comes back within a minute still has them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.server: Server | None = None
        self.sessions: dict[str, Session] = {}

    def forget(self, session_id: str) -> None:
        self.sessions.pop(session_id, None)

    def moved(self, contract: Contract) -> None:
        for session in self.sessions.values():
            session.stale.update((contract.id, kind) for kind in SUB_TYPES if (contract.id, kind) in session.wanted)

    def push(self) -> None:
        """Called PUSHES_PER_SECOND times a second: the newest of whatever has changed."""
        if self.server is None:
            return
        for session_id, session in self.sessions.items():
            client = self.server.session(session_id)
            if client is None or not session.stale:
                continue
            for contract_id, kind in sorted(session.stale & session.wanted.keys()):
                contract = self._desk.listings.by_id[contract_id]
                client.publish(kind.lower(), payload(self._desk, contract, session.wanted[contract_id, kind], kind))
            session.stale.clear()


def payload(desk: Desk, contract: Contract, symbol: str, kind: str) -> bytes:
    now = str(now_ms())
    about = messages.basic(symbol, str(contract.id), now, TRADING_SESSION)
    if kind == "QUOTE":
        asks, bids = figures.depth(desk, contract, 1)
        return messages.quote(about, asks, bids)
    if kind == "TICK":
        return messages.tick(about, now, figure(desk.board.quote(contract).last), "1", "B")
    day = figures.of_day(desk, contract)
    prices = (day.last, day.open, day.high, day.low, day.previous_close)
    return messages.snapshot(
        about, (now, *map(figure, prices), str(day.volume), figure(day.change), figures.ratio(day.change_ratio))
    )


def subscribe(desk: Desk, call: Call) -> Reply:
    session_id = _session_id(desk, call)
    if desk.switches.grab_required and str(call.params.get("grab")).lower() != "true":
        raise parameter_error("grab is required")
    keys = _keys(desk, call)
    session = desk.streaming.sessions.setdefault(session_id, Session())
    session.wanted |= keys
    session.stale |= keys.keys()
    return Reply(200, None, desk.streaming.push)


def unsubscribe(desk: Desk, call: Call) -> Reply:
    session_id = _session_id(desk, call)
    session = desk.streaming.sessions.setdefault(session_id, Session())
    if call.params.get("unsubscribe_all") in (True, "true"):
        session.wanted.clear()
    else:
        for key in _keys(desk, call):
            session.wanted.pop(key, None)
    return Reply(200, None)


def _session_id(desk: Desk, call: Call) -> str:
    """Its MQTT connection must be there, and be the key's own."""
    session_id, server = call.params.get("session_id"), desk.streaming.server
    client = None if server is None else server.session(session_id)
    if client is None or client.login is not call.login:
        raise parameter_error(f"session_id is not connected: {session_id}")
    return str(session_id)


def _keys(desk: Desk, call: Call) -> dict[tuple[int, str], str]:
    allowed = (US_STOCK, US_ETF, US_FUTURES) if desk.switches.futures_streaming else (US_STOCK, US_ETF)
    wanted = call.params.get("category")
    if wanted not in allowed:
        raise refusal("UNSUPPORTED_CATEGORY", f"category is not supported: {wanted}")
    symbols, kinds = _texts(call, "symbols"), _texts(call, "sub_types")
    if len(symbols) > MOST_SYMBOLS or not set(kinds) <= set(SUB_TYPES):
        raise parameter_error("too many symbols, or unknown sub_types")
    found: dict[tuple[int, str], str] = {}
    for symbol in symbols:
        contract = desk.listings.quotable(symbol)
        if contract is None or category(contract) != wanted:
            raise refusal("INVALID_PARAMETER", f"symbol is not in the category: {symbol}")
        desk.active.add(contract.id)
        found |= {(contract.id, kind): symbol for kind in kinds}
    return found


def _texts(call: Call, name: str) -> list[str]:
    given: Any = call.params.get(name)
    texts = given.split(",") if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise parameter_error(f"{name} is required")
    return texts
