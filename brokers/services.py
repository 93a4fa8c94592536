"""Connecting a login to its venue, and what an adapter needs to sign in."""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from brokers.access import Access, Credentials, Endpoints
from brokers.base import ConnectionState
from brokers.errors import AuthExpired, AuthFailed, BrokerError, RateLimited, Refused
from brokers.models import BrokerAccount, BrokerLogin
from brokers.models import Environment as VenueEnvironment
from brokers.registry import VENUES
from brokers.tokens import DatabaseTokenStore
from brokers.venue import ListedAccount

_LANE_SLOTS = 2**31
_KEY_SEPARATOR = ":"


def connect_login(
    *, owner: User, venue: str, environment: str, username: str, password: str, app_secret: str = ""
) -> BrokerLogin:
    """Sign in at the venue, then store the login with the accounts that the venue named.

    Connecting the same login again replaces its secrets and adds accounts that are new; ids and device stay.
    `app_secret` is an API key's "cid:secret", where the owner has one. Talks to the venue, so it may not be called
    inside a transaction. Raises `ValidationError` naming the field.
    """
    login = _find_or_prepare(owner, venue, environment, username)
    if password == "":
        raise ValidationError({"password": "Is required."})
    if app_secret != "" and _KEY_SEPARATOR not in app_secret:
        raise ValidationError({"app_secret": "Must be the API key's cid and secret with a colon between them."})
    login.password, login.app_secret, login.token = password, app_secret, ""
    accounts = _ask_venue(login)
    # durable: refuses to be nested, so the request above cannot have held a transaction open.
    with transaction.atomic(durable=True):
        return _store(login, accounts)


def enable_login(*, login: BrokerLogin) -> BrokerLogin:
    """Let the login's lane connect it."""
    return _set_enabled(login, is_enabled=True)


def disable_login(*, login: BrokerLogin) -> BrokerLogin:
    """Have the login's lane close its connection; nothing is sent for its accounts until it is enabled again."""
    return _set_enabled(login, is_enabled=False)


def credentials_of(login: BrokerLogin) -> Credentials:
    """Raises `vault.WrongKey` when the secrets were encrypted with a key that is gone."""
    return Credentials(
        venue=login.venue,
        environment=login.environment,
        username=login.username,
        device_id=login.device_id,
        secrets=_secrets_of(login),
    )


def endpoints_of(login: BrokerLogin) -> Endpoints:
    """Raises `Refused("MISSING_ENDPOINT")` when this installation has no address for the venue's environment."""
    urls = settings.BROKER_ENDPOINTS.get((login.venue, login.environment))
    if urls is None:
        found = VENUES[login.venue].endpoints(login.environment, {})
    else:
        rest_url, ws_url, md_url = (url.rstrip("/") for url in urls)
        found = Endpoints(rest_url, ws_url, md_url) if rest_url and ws_url else None
    if found is None:
        raise Refused("MISSING_ENDPOINT", f"no address is configured for {login.venue} {login.environment}")
    return found


def access_of(login: BrokerLogin) -> Access:
    """All that the login's adapter needs. Raises as `credentials_of` and `endpoints_of` do."""
    return Access(credentials_of(login), endpoints_of(login), DatabaseTokenStore(login.id))


def lane_slot_of(login_id: uuid.UUID) -> int:
    """A stable number below 2**31: the lane is this modulo the number of lanes, on every machine alike."""
    return int.from_bytes(hashlib.sha256(login_id.bytes).digest()[:4], "big") % _LANE_SLOTS


def _secrets_of(login: BrokerLogin) -> dict[str, str]:
    if login.app_secret == "":
        return {"password": login.password}
    cid, _, sec = login.app_secret.partition(_KEY_SEPARATOR)
    return {"password": login.password, "cid": cid, "sec": sec}


def _find_or_prepare(owner: User, venue: str, environment: str, username: str) -> BrokerLogin:
    if venue not in VENUES:
        raise ValidationError({"venue": f"Is not one of {', '.join(sorted(VENUES))}."})
    if environment not in VenueEnvironment.values:
        raise ValidationError({"environment": f"Is not one of {', '.join(VenueEnvironment.values)}."})
    found = BrokerLogin.objects.filter(owner=owner, venue=venue, environment=environment, username=username).first()
    if found is not None:
        return found
    login = BrokerLogin(
        owner=owner, venue=venue, environment=environment, username=username, device_id=uuid.uuid4().hex
    )
    login.lane_slot = lane_slot_of(login.pk)
    login.clean_fields(exclude=("owner", "password", "app_secret", "token"))
    return login


def _ask_venue(login: BrokerLogin) -> tuple[ListedAccount, ...]:
    try:
        return VENUES[login.venue].sign_in_check(Access(credentials_of(login), endpoints_of(login)))
    except (AuthFailed, AuthExpired) as error:
        raise ValidationError({"password": f"The broker refused to sign in: {error}"}) from None
    except Refused as error:
        raise ValidationError({"environment": str(error)}) from None
    except RateLimited as error:
        raise ValidationError({"venue": f"The broker wants silence until {error.until:%H:%M:%S} UTC."}) from None
    except BrokerError as error:
        raise ValidationError({"venue": f"The broker could not be reached, try again: {error}"}) from None


def _store(login: BrokerLogin, accounts: tuple[ListedAccount, ...]) -> BrokerLogin:
    login, _created = BrokerLogin.objects.update_or_create(
        owner=login.owner,
        venue=login.venue,
        environment=login.environment,
        username=login.username,
        defaults={
            "password": login.password,
            "app_secret": login.app_secret,
            "token": "",
            "is_enabled": True,
            "state": ConnectionState.DOWN.value,
            "state_detail": "",
        },
        create_defaults={
            "id": login.id,
            "device_id": login.device_id,
            "lane_slot": login.lane_slot,
            "password": login.password,
            "app_secret": login.app_secret,
        },
    )
    for account in accounts:
        BrokerAccount.objects.update_or_create(
            login=login, broker_id=account.ref.broker_id, defaults={"owner": login.owner, "name": account.ref.name}
        )
    return login


def _set_enabled(login: BrokerLogin, *, is_enabled: bool) -> BrokerLogin:
    login.is_enabled = is_enabled
    login.save(update_fields=["is_enabled"])
    return login
