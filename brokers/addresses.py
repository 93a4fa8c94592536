"""Where a login is signed in: where this installation says, else where its venue is."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from brokers.access import Endpoints
from brokers.registry import VENUES


def endpoints_for(venue: str, environment: str, of_login: Mapping[str, str]) -> Endpoints | None:
    """Where a login with these settings is signed in; None where neither installation nor venue has an address."""
    urls = settings.BROKER_ENDPOINTS.get((venue, environment))
    if urls is None:
        return VENUES[venue].endpoints(environment, of_login) if venue in VENUES else None
    rest_url, ws_url, md_url = (url.rstrip("/") for url in urls)
    return Endpoints(rest_url, ws_url, md_url) if rest_url and ws_url else None
