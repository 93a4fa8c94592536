"""Opening a port of the sandbox."""

from __future__ import annotations

from aiohttp import web

SHUTDOWN_SECONDS = 0.5
BACKLOG = 2048


async def listen(runner: web.ServerRunner | web.AppRunner, host: str, port: int) -> int:
    """The port that was taken. Raises OSError when it is not free."""
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    return int(runner.addresses[0][1])
