"""What clients invoke on the hubs (ProjectX wire facts, 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brokers.sandbox.projectx import marketdata, signalr
from brokers.sandbox.projectx.sockets import MARKET_HUB, USER_HUB, HubSocket

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

SUBSCRIBE, UNSUBSCRIBE = "subscribe", "unsubscribe"
# What follows the verb of a method, in lower case, and the kind it is about.
USER_METHODS = {"accounts": "accounts", "orders": "orders", "positions": "positions", "trades": "trades"}
MARKET_METHODS = {
    "contractquotes": marketdata.QUOTES,
    "contracttrades": marketdata.TRADES,
    "contractmarketdepth": marketdata.DEPTH,
}
METHODS = {USER_HUB: USER_METHODS, MARKET_HUB: MARKET_METHODS}


class InvocationError(Exception):
    """An invocation that fails; its text goes into the completion, if one was asked for."""


def process(venue: Venue, socket: HubSocket, message: signalr.Message) -> None:
    """One invocation: answered only when it has an id, so one of an unknown method without it is ignored."""
    invocation_id, error = message.get("invocationId"), None
    try:
        _invoke(venue, socket, str(message.get("target", "")), message.get("arguments"))
    except InvocationError as failed:
        error = str(failed)
    if isinstance(invocation_id, str):
        socket.send([signalr.completion(invocation_id, error)])


def _invoke(venue: Venue, socket: HubSocket, target: str, arguments: Any) -> None:
    """Method names match in any case."""
    name = target.lower()
    verb = UNSUBSCRIBE if name.startswith(UNSUBSCRIBE) else SUBSCRIBE
    kind = METHODS[socket.hub].get(name.removeprefix(verb)) if name.startswith(verb) else None
    if kind is None:
        raise InvocationError(signalr.UNKNOWN_METHOD)
    subject = _subject(venue, socket, kind, arguments if isinstance(arguments, list) else [])
    if verb == UNSUBSCRIBE:
        socket.wanted.discard((kind, subject))
        return
    socket.wanted.add((kind, subject))
    if socket.hub == MARKET_HUB:
        venue.queue.add_step(lambda: marketdata.greet(venue.desk, socket, kind, str(subject)))


def _subject(venue: Venue, socket: HubSocket, kind: str, arguments: list[Any]) -> object:
    """The account or contract id that a method is about; None for accounts. Raises InvocationError."""
    wanted = 0 if kind == "accounts" else 1
    if len(arguments) != wanted:
        raise InvocationError(f"Invocation provides {len(arguments)} argument(s) but target expects {wanted}.")
    if wanted == 0:
        return None
    subject = arguments[0]
    if socket.hub == USER_HUB:
        known = isinstance(subject, int) and socket.login.account(subject) is not None
    else:
        known = isinstance(subject, str) and venue.desk.listing.find(subject) is not None
    if not known:
        raise InvocationError("An unexpected error occurred invoking the method on the server.")
    return subject.upper() if isinstance(subject, str) else subject
