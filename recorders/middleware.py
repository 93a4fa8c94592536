"""The short way in for alerts."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

PREFIX = "/webhook/"


class WebhooksFirst:
    """Answers alerts before any other middleware sees them.

    They have no session, no user, no cookie and no page, and the way past a dozen middlewares that look for these
    takes longer than the view itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self._get_response(request)
        try:
            view, args, kwargs = resolve(request.path_info)
        except Resolver404:
            return self._get_response(request)
        response: HttpResponse = view(request, *args, **kwargs)
        # One of those passed by does this; without it the server would answer in chunks.
        response.headers["Content-Length"] = str(len(response.content))
        return response
