"""Socket sign-in and user/syncrequest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brokers.sandbox.tradovate.calls import ACCESS_DENIED, Call, HttpRefusalError, Reply
from brokers.sandbox.tradovate.sockets import Socket
from brokers.sandbox.tradovate.synchronisation import parse_subscription, snapshot
from brokers.sandbox.tradovate.wire import message_frame, props_event

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue


def authorize(venue: Venue, call: Call) -> Reply:
    """Over WebSocket only. The token may be bare or JSON-quoted; a refused one closes the socket."""
    socket, token = call.socket, str(call.params.get("token", ""))
    if socket is None:
        raise HttpRefusalError(404)
    session = venue.sessions.find(token)
    if session is None or venue.sessions.is_expired(session, token):
        venue.queue.add_step(socket.close)
        was_evicted = venue.sessions.was_evicted(token)
        raise HttpRefusalError(venue.switches.evicted_status if was_evicted else 401, ACCESS_DENIED)
    call.arrival.username = session.login.username
    if venue.faults.holds("refuse_connections", session.login.username):
        socket.abort()
        raise HttpRefusalError(401, ACCESS_DENIED)
    socket.session = session
    socket.for_market_data = socket.for_market_data or token == session.md_token
    venue.enforce_connection_limit(session.login)
    return Reply(200, None)


def synchronise(venue: Venue, call: Call) -> Reply:
    """Snapshot, and from then on the events. One per connection."""
    login, socket = call.login, call.socket
    if login is None:
        raise HttpRefusalError(401, ACCESS_DENIED)
    subscription = parse_subscription(call.params, login, venue.switches)
    body = snapshot(venue.desk, login, subscription)
    if socket is not None:
        if socket.subscription is not None:
            raise HttpRefusalError(400, "syncrequest was already made on this connection")
        socket.subscription = subscription
        login.subscribers.append(socket)
        venue.starve_same_device(socket)
        venue.queue.add_step(lambda: _tell_session_stats(venue, socket))
    return Reply(200, body)


def _tell_session_stats(venue: Venue, socket: Socket) -> None:
    """An entity type that no document lists; the live venue sends it soon after the snapshot."""
    session, wanted = socket.session, socket.subscription
    if session is not None and wanted is not None and wanted.wants_type("userSessionStats"):
        row = {"id": session.login.user_id, "lastSessionTime": venue.desk.stamp(), "failedPasswords": 0}
        socket.send([message_frame([props_event("userSessionStats", "Updated", row)])])
