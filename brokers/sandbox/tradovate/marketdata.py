"""md/* endpoints: quotes as they move (Tradovate wire facts, 5.12). Charts, DOM and histograms are not offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.tradovate.books import Login
from brokers.sandbox.tradovate.calls import ACCESS_DENIED, Call, HttpRefusalError, Reply, not_found
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.sockets import Socket
from brokers.sandbox.tradovate.validation import required
from brokers.sandbox.tradovate.wire import money


def subscribe_quote(desk: Desk, call: Call, _login: Login) -> Reply:
    """From now on the socket gets a quote at every move; the present one at once."""
    socket, contract = _wanted(desk, call)
    socket.quoted.add(contract.id)
    desk.queue.add_step(lambda: push_quote(desk, contract, [socket]))
    return Reply(200, {})


def unsubscribe_quote(desk: Desk, call: Call, _login: Login) -> Reply:
    socket, contract = _wanted(desk, call)
    socket.quoted.discard(contract.id)
    return Reply(200, {})


def push_quote(desk: Desk, contract: Contract, sockets: Iterable[Socket]) -> None:
    listening = [socket for socket in sockets if contract.id in socket.quoted]
    if listening:
        event = quote_event(desk, contract)
        for socket in listening:
            socket.push(event)


def quote_event(desk: Desk, contract: Contract) -> dict[str, Any]:
    quote = desk.board.quote(contract)
    entries = {
        "Bid": {"price": money(quote.bid), "size": 10},
        "Offer": {"price": money(quote.ask), "size": 10},
        "Trade": {"price": money(quote.last), "size": 1},
    }
    return {
        "e": "md",
        "d": {"quotes": [{"timestamp": desk.stamp(), "contractId": contract.id, "entries": entries}]},
    }


def _wanted(desk: Desk, call: Call) -> tuple[Socket, Contract]:
    if not desk.switches.md_entitlement:
        raise HttpRefusalError(401, ACCESS_DENIED)
    symbol = required(call.params, "symbol")
    contract = desk.catalog.by_id.get(symbol) if isinstance(symbol, int) else desk.catalog.by_name.get(str(symbol))
    if contract is None or call.socket is None:
        raise not_found()
    return call.socket, contract
