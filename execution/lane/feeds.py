"""The quote streams of a lane: one for each venue and environment that it has a live login of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from brokers.base import Connection, ConnectionState, OnQuote, QuoteSource
from brokers.errors import BrokerError

log = structlog.get_logger(__name__)
SILENT_AFTER_S = 30.0
SHUNNED_FOR_S = 600.0
LONGEST_SILENCE_S = 600.0
AGAIN_AFTER_S = 30.0


@dataclass(slots=True)
class Subscription:
    """One contract of a source. `since` is monotonic: when it was last asked for or heard of."""

    since: float
    patience_s: float

    def is_overdue(self, now: float) -> bool:
        return now - self.since >= self.patience_s

    def heard(self, now: float) -> None:
        self.since, self.patience_s = now, SILENT_AFTER_S

    def asked_again(self, now: float) -> None:
        self.since, self.patience_s = now, min(2 * self.patience_s, LONGEST_SILENCE_S)


@dataclass(slots=True)
class Feed:
    """One source, through one login. `heard_at` is monotonic: when it last said anything, at first its start."""

    name: str
    login_id: UUID
    source: QuoteSource
    subscribed: dict[str, Subscription] = field(default_factory=dict)
    heard_at: float = field(default_factory=time.monotonic)

    def heard(self, symbol: str) -> None:
        self.heard_at = time.monotonic()
        subscription = self.subscribed.get(symbol)
        if subscription is not None:
            subscription.heard(self.heard_at)

    def follow(self, symbols: set[str], *, is_open: bool) -> None:
        """Subscribe to these and to nothing else; in vain, it seems, is once more: an answer may have been lost."""
        now = time.monotonic()
        if not self.subscribed and symbols:
            self.heard_at = now
        overdue = {symbol for symbol, one in self.subscribed.items() if is_open and one.is_overdue(now)}
        for symbol in overdue:
            self.subscribed[symbol].asked_again(now)
        wanted = symbols - self.subscribed.keys()
        self.source.subscribe(sorted(wanted | overdue & symbols))
        self.source.unsubscribe(sorted(self.subscribed.keys() - symbols))
        self.subscribed = {
            symbol: self.subscribed.get(symbol) or Subscription(now, SILENT_AFTER_S) for symbol in symbols
        }

    def is_silent(self, now: float) -> bool:
        return bool(self.subscribed) and now - self.heard_at >= SILENT_AFTER_S


class Feeds:
    """Belongs to the keeper's thread. `listen` makes the callback of a source by its name."""

    def __init__(self, listen: Callable[[str], OnQuote]) -> None:
        self._listen = listen
        self._feeds: dict[str, Feed] = {}
        self._shunned: dict[UUID, float] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._feeds)

    def heard(self, name: str, symbol: str) -> None:
        """A quote of the source has come. In any thread."""
        feed = self._feeds.get(name)
        if feed is not None:
            feed.heard(symbol)

    def refresh(
        self, connections: Iterable[Connection], sources: Mapping[UUID, str], *, symbols: set[str], is_open: bool
    ) -> None:
        """Drop what was lost, open what is missing, and subscribe all of them to `symbols`.

        `sources` names the source of each login. While the market `is_open` a source that says nothing for half a
        minute is lost too: many logins' plans include no market data.
        """
        live = {one.login_id: one for one in connections if one.state is ConnectionState.LIVE}
        by_source: dict[str, list[Connection]] = {}
        for login_id, connection in live.items():
            if login_id in sources:
                by_source.setdefault(sources[login_id], []).append(connection)
        self._drop_lost(live, by_source, is_open=is_open)
        for name, candidates in by_source.items():
            chosen = self._preferred(candidates)
            if name not in self._feeds and symbols and chosen is not None:
                self._open(name, chosen)
        for feed in self._feeds.values():
            feed.follow(symbols, is_open=is_open)

    def stop(self) -> None:
        for name in tuple(self._feeds):
            self._close(name, "the lane stops")

    def _drop_lost(
        self, live: Mapping[UUID, Connection], by_source: Mapping[str, list[Connection]], *, is_open: bool
    ) -> None:
        now = time.monotonic()
        for name, feed in tuple(self._feeds.items()):
            others = [one.login_id for one in by_source.get(name, ()) if one.login_id != feed.login_id]
            untried = [
                login_id for login_id in others if now - self._shunned.get(login_id, -SHUNNED_FOR_S) >= SHUNNED_FOR_S
            ]
            if feed.login_id not in live:
                self._close(name, "its login is not connected")
            elif is_open and untried and feed.is_silent(now):
                self._shunned[feed.login_id] = now
                self._close(name, "it says nothing")

    def _preferred(self, candidates: list[Connection]) -> Connection | None:
        """The one that failed us longest ago, or never; None while all have just failed us."""
        now = time.monotonic()
        failed_at = {one.login_id: self._shunned.get(one.login_id, float("-inf")) for one in candidates}
        ready = [one for one in candidates if now - failed_at[one.login_id] >= AGAIN_AFTER_S]
        return min(ready, key=lambda one: failed_at[one.login_id], default=None)

    def _open(self, name: str, connection: Connection) -> None:
        try:
            source = connection.quotes(self._listen(name))
        except BrokerError as error:
            self._shunned[connection.login_id] = time.monotonic()
            log.warning("quotes.source_not_opened", source=name, login=str(connection.login_id), reason=str(error))
            return
        if source is None:
            return
        self._feeds[name] = Feed(name, connection.login_id, source)
        source.start()
        log.info("quotes.source_opened", source=name, login=str(connection.login_id))

    def _close(self, name: str, reason: str) -> None:
        feed = self._feeds.pop(name)
        feed.source.stop()
        log.warning("quotes.source_closed", source=name, login=str(feed.login_id), reason=reason)
