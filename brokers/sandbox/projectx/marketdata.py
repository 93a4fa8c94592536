"""The market hub's events: quotes, trades and depth as prices move (ProjectX wire facts, 12.4)."""

from __future__ import annotations

from typing import Any

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.market.quotes import Quote
from brokers.sandbox.projectx import signalr
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import wire
from brokers.sandbox.projectx.sockets import HubSocket

QUOTES, TRADES, DEPTH = "quotes", "trades", "depth"
EVENT_NAMES = {QUOTES: "GatewayQuote", TRADES: "GatewayTrade", DEPTH: "GatewayDepth"}
BUY, SELL = 0, 1
DOM_ASK, DOM_BID, DOM_BEST_ASK, DOM_BEST_BID, DOM_RESET = 1, 2, 3, 4, 6
LEVELS, LEVEL_VOLUME = 10, 10
Row = dict[str, Any]


def greet(desk: Desk, socket: HubSocket, kind: str, contract_id: str) -> None:
    """What a new subscription gets at once: the whole quote, or the whole book. Trades only as they happen."""
    contract = desk.listing.find(contract_id)
    if contract is None or kind == TRADES:
        return
    socket.last_quotes.pop(contract_id, None)
    records = (
        _quote(desk, socket, contract) if kind == QUOTES else [_event(desk, DEPTH, contract, _book(desk, contract))]
    )
    socket.send(records)


def on_move(desk: Desk, contract: Contract) -> None:
    """Tell every connection what it asked for of this contract."""
    watching = [socket for socket in desk.sockets if socket.wanted]
    if not watching or not desk.listing.is_offered(contract):
        return
    contract_id = desk.listing.contract_id(contract)
    for socket in watching:
        records: list[bytes] = []
        if (QUOTES, contract_id) in socket.wanted:
            records += _quote(desk, socket, contract)
        if (TRADES, contract_id) in socket.wanted:
            records.append(_event(desk, TRADES, contract, [_trade(desk, contract)]))
        if (DEPTH, contract_id) in socket.wanted:
            records.append(_event(desk, DEPTH, contract, _best(desk, desk.quote(contract))))
        socket.send(records)


def _event(desk: Desk, kind: str, contract: Contract, rows: list[Row]) -> bytes:
    """Rows as one list, or each as an event of its own with an object."""
    name, contract_id = EVENT_NAMES[kind], desk.listing.contract_id(contract)
    if desk.switches.market_data == "list":
        return signalr.invocation(name, [contract_id, rows])
    return b"".join(signalr.invocation(name, [contract_id, row]) for row in rows)


def _quote(desk: Desk, socket: HubSocket, contract: Contract) -> list[bytes]:
    """Only what differs from what this connection was told before, unless whole quotes are wanted."""
    contract_id, whole = desk.listing.contract_id(contract), _whole_quote(desk, contract)
    known = socket.last_quotes.get(contract_id, {}) if desk.switches.partial_quotes else {}
    socket.last_quotes[contract_id] = whole
    row = {name: value for name, value in whole.items() if known.get(name) != value}
    if not row:
        return []
    now = desk.stamp()
    row = {"symbol": desk.listing.symbol_id(contract), **row, "lastUpdated": now, "timestamp": now}
    return [signalr.invocation(EVENT_NAMES[QUOTES], [contract_id, row])]


def _whole_quote(desk: Desk, contract: Contract) -> Row:
    quote, base = desk.quote(contract), contract.product.base_price
    return {
        "symbolName": f"/{contract.product.root}",
        "lastPrice": wire(quote.last),
        "bestBid": wire(quote.bid),
        "bestAsk": wire(quote.ask),
        "change": wire(quote.last - base),
        "changePercent": round(float((quote.last - base) / base), 6),
        "open": wire(base),
        "high": wire(max(quote.last, base)),
        "low": wire(min(quote.last, base)),
        "volume": 1000,
    }


def _trade(desk: Desk, contract: Contract) -> Row:
    quote = desk.quote(contract)
    return {
        "symbolId": desk.listing.symbol_id(contract),
        "price": wire(quote.last),
        "timestamp": desk.stamp(),
        "type": SELL if quote.last == quote.bid else BUY,
        "volume": 1,
    }


def _book(desk: Desk, contract: Contract) -> list[Row]:
    """A reset, then every level of both sides."""
    quote, tick = desk.quote(contract), contract.tick
    rows = [_level(desk, DOM_RESET, 0.0, 0)]
    for away in range(LEVELS):
        rows.append(_level(desk, DOM_ASK, wire(quote.ask + away * tick), LEVEL_VOLUME + away))
        rows.append(_level(desk, DOM_BID, wire(quote.bid - away * tick), LEVEL_VOLUME + away))
    return rows


def _best(desk: Desk, quote: Quote) -> list[Row]:
    return [
        _level(desk, DOM_BEST_ASK, wire(quote.ask), LEVEL_VOLUME),
        _level(desk, DOM_BEST_BID, wire(quote.bid), LEVEL_VOLUME),
    ]


def _level(desk: Desk, kind: int, price: float | None, volume: int) -> Row:
    return {"timestamp": desk.stamp(), "type": kind, "price": price, "volume": volume, "currentVolume": volume}
