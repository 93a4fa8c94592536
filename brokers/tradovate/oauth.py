"""Connecting through Tradovate's own sign-in page: where the browser goes, and what its code becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from brokers.access import Access, OAuthClient, Priority
from brokers.errors import AuthExpired, AuthFailed, OutcomeUnknown, Refused
from brokers.http import HttpClient
from brokers.tradovate.grants import GrantRefused, client_fields, request_grant, token_of
from brokers.tradovate.limits import ME, OAUTH_TOKEN

PAGES = {"demo": "https://trader.tradovate.com/oauth", "live": "https://trader.tradovate.com/oauth"}


@dataclass(frozen=True, slots=True)
class TradovateOAuth:
    """`brokers.venue.OAuthFlow`. `pages` has the sign-in page of each environment; others have theirs beside REST."""

    pages: Mapping[str, str] = field(default_factory=lambda: PAGES)

    def authorize_url(self, access: Access, state: str, redirect_uri: str, code_challenge: str) -> str:
        client = _client_of(access)
        rest = urlsplit(access.endpoints.rest_url)
        beside = f"{rest.scheme}://{rest.netloc}/oauth"
        page = urlsplit(client.authorize_url or self.pages.get(access.credentials.environment, beside))
        asked = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return page._replace(query=urlencode([*parse_qsl(page.query), *asked.items()])).geturl()

    def exchange(self, access: Access, code: str, redirect_uri: str, code_verifier: str) -> str:
        client = _client_of(access)
        http = HttpClient(access.endpoints.rest_url)
        access.budget.spend(Priority.ENTRY, OAUTH_TOKEN)
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
            **client_fields(client),
        }
        try:
            token = token_of(request_grant(http, access, asked))
        except GrantRefused as error:
            raise AuthFailed(error.code, error.text) from None
        # The code is used up: what fails from here on must not cost the token.
        access.store.save(token)
        user_id, name = _user_of(http, access, token.access)
        if user_id:
            access.store.save(replace(token, user_id=user_id))
        return name


def _client_of(access: Access) -> OAuthClient:
    if access.oauth is None or not access.oauth.client_id:
        raise Refused("MISSING_OAUTH_CLIENT", "this installation is not registered with the broker")
    return access.oauth


def _user_of(http: HttpClient, access: Access, bearer: str) -> tuple[str, str]:
    """Id in the login's own environment, and name. Who may not read users has no id here; the socket finds it."""
    access.budget.spend(Priority.ENTRY, "user/list")
    try:
        users = http.get("user/list", bearer=bearer)
        return str(users[0]["id"]), str(users[0]["name"])
    except (AuthExpired, Refused):
        access.budget.spend(Priority.ENTRY, ME, 0)
        return "", _name_of(http.get(ME, bearer=bearer))
    except (LookupError, TypeError):
        raise OutcomeUnknown("the broker's answer does not name the user") from None


def _name_of(payload: Any) -> str:
    name = payload.get("name") if isinstance(payload, dict) else None
    if not name:
        raise OutcomeUnknown("the broker's answer does not name the user")
    return str(name)
