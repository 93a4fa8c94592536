"""auth/* endpoints: password sign-in, renewal, who am I (Tradovate wire facts, 2.1 and 2.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from brokers.sandbox.tradovate.calls import ACCESS_DENIED, Call, HttpRefusalError, Reply
from brokers.sandbox.tradovate.sessions import Session
from brokers.sandbox.tradovate.timeline import stamp
from brokers.sandbox.tradovate.validation import required
from brokers.sandbox.tradovate.wire import Row

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

BAD_LOGIN_TEXT = "Incorrect username or password. Please try again, noting that passwords are case-sensitive."


def request_access_token(venue: Venue, call: Call) -> Reply:
    name, password = required(call.params, "name"), required(call.params, "password")
    login = venue.logins.get(str(name))
    call.arrival.username = str(name)
    if login is None or login.password != password or venue.faults.take("bad_login", login) is not None:
        if venue.switches.endpoint_limits:
            venue.limits.note_refusal(call.endpoint)
        return Reply(200, {"errorText": BAD_LOGIN_TEXT})
    device_id = call.params.get("deviceId")
    session, token = venue.open_session(login, None if device_id is None else str(device_id))
    return Reply(200, _token_body(session, token))


def renew_access_token(venue: Venue, call: Call) -> Reply:
    """A new token of the same session; also tells the hosts, as the venue does."""
    session = _session(call)
    token = venue.sessions.issue(session)
    return Reply(200, _token_body(session, token) | {"apiHosts": venue.api_hosts()})


def who_am_i(_venue: Venue, call: Call) -> Reply:
    login = _session(call).login
    row = login.row()
    body: Row = {
        "userId": login.user_id,
        "name": login.username,
        "fullName": login.username,
        "email": row["email"],
        "emailVerified": True,
        "isTrial": False,
        "organizationName": "",
        "currentAccountPlan": "Free",
        "currentMDSubs": [],
        "activePlugins": [],
    }
    return Reply(200, body)


def _session(call: Call) -> Session:
    if call.session is None:
        raise HttpRefusalError(401, ACCESS_DENIED)
    return call.session


def _token_body(session: Session, token: str) -> Row:
    login = session.login
    return {
        "accessToken": token,
        "mdAccessToken": session.md_token,
        "expirationTime": stamp(session.tokens[token]),
        "passwordExpirationTime": stamp(datetime.now(UTC) + timedelta(days=365)),
        "userStatus": "Active",
        "userId": login.user_id,
        "name": login.username,
        "hasLive": False,
        "outdatedTaC": False,
        "hasFunded": False,
        "hasMarketData": True,
        "outdatedLiquidationPolicy": False,
        "hasSimPlus": False,
    }
