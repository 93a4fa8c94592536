"""OAuth 2 authorization code: the sign-in page and the token exchange (Tradovate wire facts, 2.3)."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from brokers.sandbox.tradovate.calls import Call, Reply
from brokers.sandbox.tradovate.sessions import Session
from brokers.sandbox.tradovate.signin import BAD_LOGIN_TEXT
from brokers.sandbox.tradovate.wire import Row

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

REFRESH_TOKEN_SECONDS = 93_600
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox sign-in</title>
<body><h1>Tradovate sandbox</h1><p>{message}</p><form method="post">
{fields}<label>Username <input name="name" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Allow access</button></form></body></html>"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was given for; the exchange must name the same."""

    username: str
    redirect_uri: str
    client_id: str
    challenge: str


@dataclass(slots=True)
class OAuthDesk:
    """Codes and refresh tokens not yet used, each good once."""

    codes: dict[str, Grant] = field(default_factory=dict, repr=False)
    refresh_tokens: dict[str, Session] = field(default_factory=dict, repr=False)


def page(fields: dict[str, str], message: str = "") -> str:
    kept = ("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(fields.get(name, ""))}">\n' for name in kept
    )
    return _PAGE.format(message=html.escape(message), fields=hidden)


def grant_code(venue: Venue, form: dict[str, str]) -> tuple[str | None, str]:
    """(redirect address, page): the address when name and password are right, else the page again."""
    login = venue.logins.get(form.get("name", ""))
    if login is None or login.password != form.get("password"):
        return None, page(form, BAD_LOGIN_TEXT)
    code = secrets.token_urlsafe(24)
    redirect_uri = form.get("redirect_uri", "")
    challenge = form.get("code_challenge", "")
    venue.oauth.codes[code] = Grant(login.username, redirect_uri, form.get("client_id", ""), challenge)
    query = {"code": code} | ({"state": form["state"]} if form.get("state") else {})
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{urlencode(query)}", ""


def exchange_token(venue: Venue, call: Call) -> Reply:
    """Code or refresh token for tokens; refusals are HTTP 200 too."""
    params = call.params
    grant = params.get("grant_type")
    if grant == "authorization_code":
        granted = venue.oauth.codes.pop(str(params.get("code")), None)
        login = venue.logins.get(granted.username) if granted is not None else None
        if login is None or granted is None or not _fits(granted, params):
            return _refused("invalid_grant", "The authorization code is invalid or was used")
        session, token = venue.open_session(login, f"oauth:{params.get('client_id')}")
    elif grant == "refresh_token":
        used = str(params.get("refresh_token"))
        known = venue.oauth.refresh_tokens.get(used)
        if known is not None and venue.faults.take("refresh_refused", known.login) is not None:
            return _refused("invalid_token", "The refresh token is invalid or expired")
        venue.oauth.refresh_tokens.pop(used, None)
        if known is None or known.revoked:
            return _refused("invalid_token", "The refresh token is invalid or expired")
        session, token = known, venue.sessions.issue(known)
    else:
        return _refused("unsupported_grant_type", f"grant_type was {grant}")
    call.arrival.username = session.login.username
    return Reply(200, _token_body(venue, session, token))


def _fits(granted: Grant, params: Row) -> bool:
    """PKCE (RFC 7636, S256) only where the page was given a challenge."""
    verifier = str(params.get("code_verifier", "")).encode()
    proof = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
    same_uri = params.get("redirect_uri", granted.redirect_uri) == granted.redirect_uri
    same_client = str(params.get("client_id", granted.client_id)) == granted.client_id
    return same_uri and same_client and granted.challenge in ("", proof)


def _token_body(venue: Venue, session: Session, token: str) -> Row:
    refresh = secrets.token_urlsafe(48)
    venue.oauth.refresh_tokens[refresh] = session
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": venue.switches.token_minutes * 60,
        "refresh_token": refresh,
        "refresh_token_expires_in": REFRESH_TOKEN_SECONDS,
    }


def _refused(error: str, description: str) -> Reply:
    return Reply(200, {"error": error, "error_description": description})
