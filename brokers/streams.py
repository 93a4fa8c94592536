"""One thread that keeps hundreds of broker sockets: prewarmed, beating, reconnecting, and quick to write.

A burst of submitted frames is written completely before anything is read again: the interpreter runs one thread
at a time, so parsing replies while the last orders wait would put them behind the first fills.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from brokers.connector import Backoff, Connector, Stream
from brokers.links import READ_BUFFER_BYTES, Link

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
BURST_WAIT_SECONDS = 0.25
BACKGROUND_THREADS = 16


@dataclass(slots=True)
class Outgoing:
    """A prebuilt frame for one link of a stream; `ticket` is what the session knows the request by."""

    stream: Stream
    link: Link
    frame: bytes
    ticket: object


@dataclass(slots=True)
class _Burst:
    frames: Sequence[Outgoing]
    written: threading.Event = field(default_factory=threading.Event)


class StreamLoop:
    """`start`, `stop`, `add`, `remove`, `submit`, `burst`, `call` and `background` are safe in any thread."""

    def __init__(
        self, *, name: str = "streams", gate: int = 4, connect_timeout: float = 5.0, backoff: Backoff | None = None
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.settimeout(0)
        self._wake_write.settimeout(0)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._helpers = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix=f"{name}-rest")
        self._connector = Connector(
            gate=gate,
            timeout=connect_timeout,
            backoff=backoff or Backoff(),
            post=self.call,
            opened=self._on_opened,
        )
        self._read_buffer = bytearray(READ_BUFFER_BYTES)
        self._bursts: deque[_Burst] = deque()
        self._calls: deque[Callable[[], object]] = deque()
        self._attention: deque[Link] = deque()
        self._by_link: dict[Link, Stream] = {}
        self._collecting = threading.local()
        self._stopping = False
        self._next_tick = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Close every link and end the thread, as if each venue had hung up."""
        self._stopping = True
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        self._connector.shut()
        self._helpers.shutdown(wait=False, cancel_futures=True)

    def add(self, stream: Stream) -> None:
        """Take a stream in and begin connecting it."""
        self.call(lambda: self._connect(stream))

    def remove(self, stream: Stream) -> None:
        """Close a session's link and forget it; `on_closed` is its last call."""
        stream.removed = True
        self.call(lambda: self._forget(stream))

    def submit(self, frames: Sequence[Outgoing]) -> None:
        """Hand frames over to be written, in order, before anything else is read."""
        collecting: list[Outgoing] | None = getattr(self._collecting, "frames", None)
        if collecting is not None:
            collecting.extend(frames)
        elif frames:
            self._hand_over(_Burst(frames))

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Collect what this thread submits inside, over any number of connections, and hand it over as one burst.

        Returns when the burst is on the wire (or after 0.25 s), so that the caller does not compete with the writing.
        """
        if getattr(self._collecting, "frames", None) is not None:
            yield
            return
        burst = _Burst([])
        self._collecting.frames = burst.frames
        try:
            yield
        finally:
            self._collecting.frames = None
            if burst.frames:
                self._hand_over(burst)
                if threading.current_thread() is not self._thread:
                    burst.written.wait(BURST_WAIT_SECONDS)

    def call(self, action: Callable[[], object]) -> None:
        """Run something in the loop's thread, soon and in order."""
        self._calls.append(action)
        self._wake()

    def background(self, action: Callable[[], object]) -> None:
        """Run something that may block, such as a REST call, beside the loop's thread."""
        self._helpers.submit(_logged, action)

    def _hand_over(self, burst: _Burst) -> None:
        self._bursts.append(burst)
        self._wake()

    def _wake(self) -> None:
        try:
            self._wake_write.send(b"\0")
        except BlockingIOError:
            return  # full of wake-ups already
        except OSError:
            logger.debug("the stream loop has ended")

    def _run(self) -> None:
        while not self._stopping:
            self._write_bursts()
            for _ in range(len(self._calls)):
                _logged(self._calls.popleft())
            self._attend()
            self._tick()
            for key, events in self._selector.select(TICK_SECONDS):
                self._write_bursts()
                if key.fileobj is self._wake_read:
                    self._wake_read.recv(4096)
                else:
                    self._serve(key.data, events)
        self._shut()

    def _write_bursts(self) -> None:
        while self._bursts:
            burst = self._bursts.popleft()
            written: dict[Stream, list[tuple[object, float]]] = {}
            unsent: dict[Stream, list[object]] = {}
            for outgoing in burst.frames:
                if outgoing.link.closed:
                    unsent.setdefault(outgoing.stream, []).append(outgoing.ticket)
                elif outgoing.link.write(outgoing.frame, outgoing.ticket):
                    written.setdefault(outgoing.stream, []).append((outgoing.ticket, time.time()))
            burst.written.set()
            for stream, tickets in written.items():
                self._guarded(stream, stream.session.on_written, tickets)
            for stream, refused in unsent.items():
                self._guarded(stream, stream.session.on_unsent, refused, "the connection was gone")

    def _serve(self, link: Link, events: int) -> None:
        stream = self._by_link.get(link)
        if stream is None:
            return
        if events & selectors.EVENT_WRITE:
            self._flush(stream, link)
        if events & selectors.EVENT_READ:
            messages = link.read()
            if messages:
                self._guarded(stream, stream.session.on_texts, messages)
        self._attend()

    def _flush(self, stream: Stream, link: Link) -> None:
        done = link.flush()
        if done:
            now = time.time()
            self._guarded(stream, stream.session.on_written, [(ticket, now) for ticket in done])
        if not link.wants_write:
            self._selector.modify(link, selectors.EVENT_READ, link)

    def _attend(self) -> None:
        """Links that broke are closed, links that could not write everything are watched for room."""
        while self._attention:
            link = self._attention.popleft()
            if link.closed:
                continue
            if link.broken is not None:
                self._lose(link)
            elif link.wants_write:
                self._selector.modify(link, selectors.EVENT_READ | selectors.EVENT_WRITE, link)

    def _tick(self) -> None:
        now = time.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK_SECONDS
        self._connector.start_due(now)
        for stream in tuple(self._by_link.values()):
            self._guarded(stream, stream.session.on_tick, now)
        self._attend()

    def _connect(self, stream: Stream) -> None:
        self._connector.add(stream)
        self._connector.start_due(time.monotonic())

    def _on_opened(self, stream: Stream, opened: socket.socket) -> None:
        if stream.removed or self._stopping:
            opened.close()
            return
        stream.attempts += 1
        link = Link(opened, self._read_buffer, self._attention.append)
        stream.link = link
        self._by_link[link] = stream
        self._selector.register(link, selectors.EVENT_READ, link)
        self._guarded(stream, stream.session.on_open, link)

    def _lose(self, link: Link) -> None:
        stream = self._by_link.pop(link)
        self._selector.unregister(link)
        begun, unsent = link.close()
        stream.link = None
        reason = link.broken or "closed by us"
        now = time.time()
        if begun:
            self._guarded(stream, stream.session.on_written, [(ticket, now) for ticket in begun])
        if unsent:
            self._guarded(stream, stream.session.on_unsent, unsent, reason)
        self._guarded(stream, stream.session.on_closed, reason)
        if not stream.removed:
            self._connector.retry(stream)

    def _forget(self, stream: Stream) -> None:
        self._connector.forget(stream)
        if stream.link is not None:
            self._lose(stream.link)

    def _shut(self) -> None:
        for link, stream in tuple(self._by_link.items()):
            stream.removed = True
            self._lose(link)
        while self._bursts:
            self._write_bursts()
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _guarded(self, stream: Stream, action: Callable[..., object], *args: object) -> None:
        """One session's bug costs that session a reconnect and nobody else anything."""
        try:
            action(*args)
        except Exception:
            logger.exception("a stream session failed")
            if stream.link is not None:
                stream.link.break_off("failed inside this program")


def _logged(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception:
        logger.exception("an action of the stream loop failed")
