"""A low-level HTTP server that knows when the bytes of each request were read, before anything of them is parsed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

KEEPALIVE_SECONDS = 600
Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class StampingHandler(web.RequestHandler):
    """Notes when bytes came in: ``read_at``, epoch seconds."""

    read_at = 0.0

    def data_received(self, data: bytes) -> None:
        self.read_at = time.time()
        super().data_received(data)


class StampingServer(web.Server):
    """Protocol factory of a venue's port."""

    def __init__(self, handle: Handle, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(handle, loop=loop, access_log=None, keepalive_timeout=KEEPALIVE_SECONDS)
        self.event_loop = loop

    def __call__(self) -> StampingHandler:
        return StampingHandler(self, loop=self.event_loop, **self._kwargs)


def read_at(request: web.BaseRequest) -> float:
    """When the newest bytes of the request's connection were read, in epoch seconds."""
    handler = request.protocol
    return handler.read_at if isinstance(handler, StampingHandler) else time.time()


def abort(request: web.BaseRequest) -> None:
    """Hang up without a word."""
    if request.transport is not None:
        request.transport.abort()
