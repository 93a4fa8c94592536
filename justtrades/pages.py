"""The pages for when something went wrong. They need no database: it may be what went wrong."""

from __future__ import annotations

import secrets
import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

log = structlog.get_logger(__name__)


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page("400.html", 400)


def permission_denied(_request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page("403.html", 403)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page("404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A page with a number to quote, which stands in our log beside the path and the exception's class."""
    error = sys.exc_info()[1]
    number = secrets.token_hex(4)
    log.error("page.failed", number=number, path=request.path, reason=type(error).__name__)
    if isinstance(error, OperationalError | InterfaceError):
        response = _page("503.html", 503, number)
        response["Retry-After"] = "5"
        return response
    return _page("500.html", 500, number)


def csrf_failed(_request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page("403_csrf.html", 403)


def _page(template: str, status: int, number: str = "") -> HttpResponse:
    return HttpResponse(render_to_string(f"errors/{template}", {"number": number}), status=status)
