"""Auth endpoints (ProjectX wire facts, 3)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from brokers.sandbox.projectx.books import Login
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.codes import SIGN_AGREEMENTS, Validate
from brokers.sandbox.projectx.codes import Login as LoginCode
from brokers.sandbox.projectx.kinds import BAD_LOGIN

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue


def login_key(venue: Venue, call: Call) -> Reply:
    """Members are examined before the fault of a bad login, as the model is bound first."""
    username, key = call.fields.required_text("userName"), call.fields.required_text("apiKey")
    return _sign_in(venue, call, username, key)


def login_app(venue: Venue, call: Call) -> Reply:
    """For authorized applications; any application is one here."""
    fields = call.fields
    username, password = fields.required_text("userName"), fields.required_text("password")
    for name in ("deviceId", "appId", "verifyKey"):
        fields.required_text(name)
    return _sign_in(venue, call, username, password)


def _sign_in(venue: Venue, call: Call, username: str, secret: str) -> Reply:
    login = venue.logins.get(username)
    call.arrival.username = username if login is not None else None
    is_right = login is not None and hmac.compare_digest(login.password.encode(), secret.encode())
    if login is None or not is_right:
        raise RefusedError(LoginCode.INVALID_CREDENTIALS, token=None)
    fault = venue.faults.take(BAD_LOGIN, login, call.endpoint)
    if fault is not None:
        code = fault.params["code"]
        raise RefusedError(code, SIGN_AGREEMENTS if code == LoginCode.AGREEMENTS_NOT_SIGNED else None, token=None)
    return done(token=_issue(venue, login))


def validate(venue: Venue, call: Call) -> Reply:
    """A further token; the one that asked stays good."""
    if call.login is None:
        raise RefusedError(Validate.EXPIRED_TOKEN, newToken=None)
    return done(newToken=_issue(venue, call.login))


def logout(venue: Venue, call: Call) -> Reply:
    """The token that asked is over; others of the user are not."""
    claims = venue.tokens.read(call.token)
    if claims is not None:
        venue.tokens.revoke(claims)
    venue.note_change()
    return done()


def _issue(venue: Venue, login: Login) -> str:
    venue.note_change()
    return venue.tokens.issue(login.username, login.user_id, venue.switches.token_seconds)
