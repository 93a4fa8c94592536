"""OAuth tokens of Tradovate: one request to its token endpoint, however that wants to be asked.

The official sample posts a form to a path without `/v1`, the specification JSON to one with it; a refusal comes as
HTTP 200 too. A client is registered at the live host, whose tokens read demo accounts, so that is asked first
(Tradovate wire facts, OAuth).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson

from brokers.access import Access, OAuthClient, Token
from brokers.errors import AuthExpired, NotReached, OutcomeUnknown, Refused
from brokers.http import HttpClient
from brokers.tradovate.limits import OAUTH_TOKEN
from brokers.tradovate.penalty import check_penalty

_ASSUMED_SECONDS = 3_600
_DEMO, _LIVE = "demo", "live"
_MISREAD = frozenset({"invalid_request", "unsupported_grant_type", "HTTP_400"})
_NOT_HERE = frozenset(
    f"HTTP_{status.value}"
    for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
)

Json = Mapping[str, Any]


class GrantRefused(Refused):
    """The token endpoint read the request and said no."""


def client_fields(client: OAuthClient) -> dict[str, str]:
    """What names this installation in a grant."""
    named = {"client_id": client.client_id, "client_secret": client.client_secret}
    return {name: value for name, value in named.items() if value}


def request_grant(http: HttpClient, access: Access, fields: Mapping[str, str]) -> Json:
    """The first answer that holds a token. Raises `GrantRefused` only when every host that there is refused."""
    failure: NotReached | Refused | None = None
    for ways in _hosts(http, access):
        for ask in ways:
            try:
                return _ask(ask, fields)
            except NotReached as error:
                failure = error
                break
            except Refused as error:
                # A host out of reach may be the one that knows the code.
                failure = failure if isinstance(failure, NotReached) else error
                if isinstance(error, GrantRefused) and error.code not in _MISREAD:
                    break
    raise failure or NotReached("no address of the token endpoint is known")


def token_of(payload: Json, previous: Token | None = None) -> Token:
    """The token that a grant's answer holds; what it leaves out stays as it was."""
    seconds = payload.get("expires_in")
    lifetime = timedelta(seconds=seconds if isinstance(seconds, int | float) else _ASSUMED_SECONDS)
    return Token(
        access=str(payload["access_token"]),
        expires_at=datetime.now(UTC) + lifetime,
        refresh=str(payload.get("refresh_token") or (previous.refresh if previous is not None else "")),
        user_id=previous.user_id if previous is not None else "",
    )


Way = Callable[[Mapping[str, str]], Any]


def _hosts(http: HttpClient, access: Access) -> Iterator[tuple[Way, ...]]:
    """Host by host, the ways to ask it."""
    client = access.oauth
    if client is not None and client.token_url:
        yield partial(http.post_form, client.token_url), partial(_post_json, http, client.token_url)
        return
    rest = urlsplit(access.endpoints.rest_url)
    for host in dict.fromkeys((_live_sibling(rest.netloc), rest.netloc)):
        root = f"{rest.scheme}://{host}"
        yield (
            partial(http.post_form, f"{root}/{OAUTH_TOKEN}"),
            partial(_post_json, http, f"{root}{rest.path}/{OAUTH_TOKEN}"),
        )


def _post_json(http: HttpClient, url: str, fields: Mapping[str, str]) -> Any:
    return http.post(url, orjson.dumps(dict(fields)))


def _live_sibling(netloc: str) -> str:
    return _LIVE + netloc.removeprefix(_DEMO) if netloc.startswith(_DEMO) else netloc


def _ask(ask: Way, fields: Mapping[str, str]) -> Json:
    try:
        payload = ask(fields)
    except (AuthExpired, Refused) as error:
        if isinstance(error, Refused) and error.code in _NOT_HERE:
            raise
        payload = _error_of(error)
    check_penalty(payload)
    if not isinstance(payload, dict):
        raise OutcomeUnknown("the token endpoint's answer could not be read")
    if payload.get("access_token"):
        return payload
    if payload.get("error"):
        raise GrantRefused(str(payload["error"]), str(payload.get("error_description") or ""))
    raise OutcomeUnknown("the token endpoint's answer holds no token")


def _error_of(error: AuthExpired | Refused) -> Any:
    """The refusal in the body of a 4xx, as far as it is one."""
    text = error.text if isinstance(error, Refused) else str(error)
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError:
        payload = None
    if isinstance(payload, dict) and payload.get("error"):
        return payload
    return {"error": error.code if isinstance(error, Refused) else "unauthorized", "error_description": text}
