"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

LOOPBACK = "127.0.0.1"


def site(request: HttpRequest) -> dict[str, str]:
    return {"LIVE_URL": _live_url(request), "VERSION": settings.VERSION}


def _live_url(request: HttpRequest) -> str:
    """On one machine the sockets have a port of their own; the cookie follows only to the name the page came by."""
    address: str = settings.LIVE_URL.replace("http", "ws", 1)
    is_by_name = request.get_host().rsplit(":", 1)[0] == "localhost"
    return address.replace(LOOPBACK, "localhost", 1) if is_by_name else address
