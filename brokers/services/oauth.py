"""Connecting through a venue's own sign-in page: the way there, and the way back.

What is under way is kept in the browser's session; the state that travels through the venue is signed, names the user,
and is good once and for ten minutes. So a link with somebody else's code ends nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ValidationError
from redis import RedisError

from accounts.models import User
from brokers.access import Access, Credentials
from brokers.addresses import endpoints_for
from brokers.errors import AuthExpired, AuthFailed, BrokerError, RateLimited, Refused
from brokers.models import AuthKind, BrokerLogin
from brokers.registry import VENUES
from brokers.services.access import oauth_client_for
from brokers.services.connecting import ask_venue, find_or_prepare, refuse_transaction, store, venue_named
from brokers.tokens import HeldToken
from brokers.venue import OAuthFlow

STATE_SECONDS = 600
SESSION_KEY = "broker_oauth"
MOST_UNDER_WAY = 5
_SALT = "brokers.oauth"


class BadState(Exception):
    """The way back does not belong to a way there that this session began; the text says how, for its owner."""


def begin(
    *, owner: User, session: MutableMapping[str, Any], venue: str, environment: str, redirect_uri: str,
    expected: str = "",
) -> str:  # fmt: skip
    """The venue's address to send the browser to. With `expected` only that username may come back.

    Raises `ValidationError` naming the field where the venue has no such page or does not know this installation.
    """
    flow = _flow_of(venue, environment)
    access = _access(venue, environment, HeldToken())
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    under_way = {
        "user": str(owner.pk), "venue": venue, "environment": environment, "verifier": verifier, "expected": expected,
    }  # fmt: skip
    newest = list(session.get(SESSION_KEY, {}).items())[1 - MOST_UNDER_WAY :]
    session[SESSION_KEY] = {**dict(newest), nonce: under_way}
    state = signing.dumps([nonce, str(owner.pk)], salt=_SALT)
    return flow.authorize_url(access, state, redirect_uri, _challenge(verifier))


def claim(*, owner: User, session: MutableMapping[str, Any], venue: str, state: str) -> dict[str, str]:
    """What `begin` put under way, taken out so that it is good once. Raises `BadState`."""
    try:
        nonce, user = signing.loads(state, salt=_SALT, max_age=STATE_SECONDS)
    except signing.SignatureExpired:
        raise BadState("This sign-in took longer than ten minutes.") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise BadState("This address was not made here, or something of it is missing.") from None
    if user != str(owner.pk):
        raise BadState("This sign-in was begun by another user.")
    waiting = dict(session.get(SESSION_KEY, {}))
    found: dict[str, str] | None = waiting.pop(nonce, None)
    if found is None:
        raise BadState("This sign-in was used already, or it was begun in another browser.")
    session[SESSION_KEY] = waiting
    if not _is_first_use(nonce):
        raise BadState("This sign-in is being used at this very moment.")
    if found["venue"] != venue or found["user"] != user:
        raise BadState("This sign-in was begun for another broker.")
    return found


def finish(*, owner: User, claimed: Mapping[str, str], code: str, redirect_uri: str) -> BrokerLogin:
    """Trade the code for a token, ask for the accounts, and store the login.

    Talks to the venue, so it may not be called inside a transaction. Raises `ValidationError` naming the field.
    """
    venue, environment = claimed["venue"], claimed["environment"]
    flow = _flow_of(venue, environment)
    refuse_transaction()
    held = HeldToken()
    try:
        username = flow.exchange(_access(venue, environment, held), code, redirect_uri, claimed["verifier"])
    except (AuthFailed, AuthExpired) as error:
        raise ValidationError({"venue": f"The broker refused the sign-in: {error}"}) from None
    except RateLimited as error:
        raise ValidationError({"venue": f"The broker wants silence until {error.until:%H:%M:%S} UTC."}) from None
    except BrokerError as error:
        raise ValidationError({"venue": f"The broker could not be reached, try again: {error}"}) from None
    if claimed["expected"] not in {"", username}:
        wanted = claimed["expected"]
        raise ValidationError({"username": f"You signed in as {username}, but this login is {wanted}'s."})
    login = find_or_prepare(owner, venue, environment, "", username)
    login.auth_kind, login.secrets, login.awaits_approval = AuthKind.OAUTH, {}, False
    accounts = ask_venue(login, held)
    return store(login, held.load(), accounts)


def _is_first_use(nonce: str) -> bool:
    """Two requests that read the session at once both find the state in it; only one of them may use it."""
    try:
        return cache.add(f"broker-oauth:{nonce}", 1, timeout=STATE_SECONDS)
    except RedisError:
        return False


def _flow_of(venue: str, environment: str) -> OAuthFlow:
    flow = venue_named(venue, environment).oauth
    if flow is None:
        raise ValidationError({"venue": "This broker has no sign-in page for other software."})
    return flow


def _access(venue: str, environment: str, held: HeldToken) -> Access:
    endpoints = endpoints_for(venue, environment, {})
    if endpoints is None:
        raise ValidationError({"environment": f"No address is configured for {venue} {environment}."})
    try:
        client = oauth_client_for(venue, environment)
    except Refused as error:
        raise ValidationError({"venue": str(error)}) from None
    who = Credentials(venue, environment, "", uuid.uuid4().hex, {})
    return Access(who, endpoints, held, oauth=client)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def sign_in_pages(venue: str) -> dict[str, str]:
    """By environment: the origin of the venue's sign-in page, where it has one and knows this installation."""
    flow = VENUES[venue].oauth
    if flow is None:
        return {}
    found = {}
    for environment in VENUES[venue].environments:
        try:
            address = urlsplit(flow.authorize_url(_access(venue, environment, HeldToken()), "", "", ""))
        except ValidationError:
            continue
        found[environment] = f"{address.scheme}://{address.netloc}"
    return found
