"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, str]:
    return {"LIVE_URL": settings.LIVE_URL.replace("http", "ws", 1), "VERSION": settings.VERSION}
