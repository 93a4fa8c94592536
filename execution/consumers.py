"""The browser's socket: numbered news of what changed, a heartbeat with the newest number, and open P&L.

Messages to the browser: `{"type": "hello" | "heartbeat", "seq", "now"}`, `{"type": "news", "seq", "topics"}` and
`{"type": "pnl", "positions": {id: {"open", "ticks", "last", "at", "text"}}, "total", "total_text", "total_at"}`; `seq`
is None while the counter is out of reach. From the browser: `{"type": "watch", "positions": [id]}` narrows the P&L to
what is on the screen. Close code 4401 means: sign in again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine
from importlib import import_module
from typing import Any

import structlog
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from redis.exceptions import RedisError

from brokers.quotes.quote import QuoteBook
from execution.board import board
from execution.feed import connect_counter, group_name, sequence_key
from execution.ticker import PnlTicker, load_holdings
from justtrades import clock

SIGNED_OUT = 4401
NOT_UNDERSTOOD = 4400
BROKEN = 1011
MOST_WATCHED = 500
HEARTBEAT_SECONDS = 2.0
PNL_SECONDS = 0.25
BEATS_PER_SESSION_CHECK = 30
BEATS_PER_REJOIN = 12 * 3600 // 2
BEATS_PER_RELOAD = 3

log = structlog.get_logger(__name__)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """One signed-in browser. It hears only the group that the server names from its session's user."""

    async def connect(self) -> None:
        await self.accept()
        self.tasks: list[asyncio.Task[None]] = []
        self.user = self.scope["user"]
        if not self.user.is_authenticated:
            await self.close(code=SIGNED_OUT)
            return
        self.counter = connect_counter()
        self.ticker = PnlTicker()
        self.group = group_name(self.user.pk)
        # Joined before the number is read: what happens in between is announced, not lost.
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self._say("hello")
        self.tasks = [self._start(self._beat()), self._start(self._tick())]

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            with contextlib.suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self.group, self.channel_name)
            await self.counter.aclose()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **options: Any) -> None:
        try:
            await super().receive(text_data=text_data, bytes_data=bytes_data, **options)
        except (ValueError, RecursionError):
            await self.close(code=NOT_UNDERSTOOD)

    async def receive_json(self, content: Any, **_options: Any) -> None:
        if isinstance(content, dict) and content.get("type") == "watch" and isinstance(content.get("positions"), list):
            shown = content["positions"][:MOST_WATCHED]
            self.ticker.watch({item for item in shown if isinstance(item, str)})

    async def feed_news(self, event: dict[str, Any]) -> None:
        """Handler of `feed.announce`'s messages."""
        if "positions" in event["topics"]:
            self.ticker.must_reload = True
        await self.send_json({"type": "news", "seq": event["seq"], "topics": event["topics"]})

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def run() -> None:
            try:
                await work
            except Exception:
                # The task's outermost frame: the browser reconnects and takes a snapshot.
                log.exception("live.socket_broken")
                await self.close(code=BROKEN)

        return asyncio.create_task(run())

    async def _beat(self) -> None:
        for beat in itertools.count(1):
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if beat % BEATS_PER_SESSION_CHECK == 0 and not await self._is_still_signed_in():
                await self.close(code=SIGNED_OUT)
                return
            if beat % BEATS_PER_REJOIN == 0:
                await self.channel_layer.group_add(self.group, self.channel_name)
            if beat % BEATS_PER_RELOAD == 0:
                self.ticker.must_reload = True
            await self._say("heartbeat")

    async def _tick(self) -> None:
        while True:
            if self.ticker.must_reload:
                self.ticker.must_reload = False
                self.ticker.hold(await database_sync_to_async(load_holdings)(self.user))
            message = await self._pnl_message()
            if message is not None:
                await self.send_json(message)
            await asyncio.sleep(PNL_SECONDS)

    async def _pnl_message(self) -> dict[str, Any] | None:
        if not self.ticker.symbols:
            return self.ticker.tick(QuoteBook({}, clock.now()))
        try:
            return self.ticker.tick(await board.latest(self.ticker.symbols))
        except RedisError:
            return None

    async def _say(self, kind: str) -> None:
        await self.send_json({"type": kind, "seq": await self._sequence(), "now": int(clock.now().timestamp() * 1000)})

    async def _sequence(self) -> int | None:
        try:
            return int(await self.counter.get(sequence_key(self.user.pk)) or 0)
        except (RedisError, OSError):
            return None

    async def _is_still_signed_in(self) -> bool:
        """A fresh look at the session's row: the one that the socket was opened with is a copy."""
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.scope["session"].session_key)
        user = await get_user({**self.scope, "session": session})
        return bool(user.is_authenticated and user.pk == self.user.pk)
