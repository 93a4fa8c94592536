"""From a stored login to what an adapter signs in with."""

from __future__ import annotations

from django.conf import settings

from brokers.access import Access, Budget, Credentials, Endpoints, OAuthClient, TokenStore
from brokers.addresses import endpoints_for
from brokers.errors import Refused
from brokers.models import AuthKind, BrokerLogin, Environment
from brokers.services.budgets import shared_budget
from brokers.tokens import DatabaseTokenStore

# Typed as one field, sent as two: Tradovate shows an API key's number and its secret side by side.
KEY_SEPARATOR = ":"
TWO_IN_ONE = {(venue, "app_secret"): ("cid", "sec") for venue in ("tradovate", "ninjatrader")}


def credentials_of(login: BrokerLogin) -> Credentials:
    """Raises `vault.WrongKey` when the secrets were encrypted with a key that is gone."""
    return Credentials(
        venue=login.venue,
        environment=login.environment,
        username=login.username,
        device_id=login.device_id,
        secrets=_secrets_of(login),
        settings=login.all_settings,
    )


def endpoints_of(login: BrokerLogin) -> Endpoints:
    """Raises `Refused("MISSING_ENDPOINT")` when this installation has no address for the venue's environment."""
    found = endpoints_for(login.venue, login.environment, login.all_settings)
    if found is None:
        raise Refused("MISSING_ENDPOINT", f"no address is configured for {login.venue} {login.environment}")
    return found


def access_of(login: BrokerLogin, store: TokenStore | None = None, budget: Budget | None = None) -> Access:
    """All that the login's adapter needs; tokens go to `store`, or to the login's row.

    Without a `budget` requests count against what the login's lane leaves to other processes.

    Raises as `credentials_of`, `endpoints_of` and `oauth_client_for` do.
    """
    by_page = login.auth_kind == AuthKind.OAUTH
    return Access(
        credentials_of(login),
        endpoints_of(login),
        store if store is not None else DatabaseTokenStore(login.id),
        budget if budget is not None else shared_budget(login),
        oauth=oauth_client_for(login.venue, login.environment) if by_page else None,
    )


def oauth_client_for(venue: str, environment: str) -> OAuthClient:
    """What the venue knows this installation as; a sandbox asks nobody to register.

    Raises `Refused("MISSING_OAUTH_CLIENT")` where the installation has no client id.
    """
    if environment == Environment.SANDBOX:
        return OAuthClient("just-trades")
    client_id, *rest = settings.OAUTH_CLIENTS.get(venue, ("",))
    if client_id == "":
        raise Refused("MISSING_OAUTH_CLIENT", f"this installation is not registered at {venue}")
    return OAuthClient(client_id, *rest)


def _secrets_of(login: BrokerLogin) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for name, value in (login.secrets or {}).items():
        parts = TWO_IN_ONE.get((login.venue, name))
        secrets |= {name: value} if parts is None else dict(zip(parts, value.split(KEY_SEPARATOR, 1), strict=False))
    return secrets
