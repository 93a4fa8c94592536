"""A stand-in for TradingView and the reverse proxy behind which the product stands.

TradingView waits 3 s for an answer. After a 5xx other than 504 it sends the same bytes again 5 s later, at most three
times (TradingView help 43000529348 and 43000735201); after a timeout, a 504 or a 4xx it gives up. It never talks to
the product itself: the proxy of a deployment turns an upstream that refuses, resets or is silent for 2.5 s into a 503
(see `deploy/nginx.conf`), and so does this sender.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import requests

from execution.selftest.alerts import Alert

PROXY_TIMEOUT_S = 2.5
RESEND_AFTER_S = 5.0
MOST_SENDS = 4
BAD_UPSTREAM = 503
_OK, _NEVER_RESENT = 200, 504
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one alert: its signal when it was acked, otherwise the last status that the sender saw."""

    alert: Alert
    signal_id: str | None
    sends: int
    last_status: int


def deliver(address: str, alert: Alert) -> Delivery:
    """Send one alert by TradingView's rules. Takes up to 25 s."""
    for sends in range(1, MOST_SENDS + 1):
        status, signal_id = _post(address, alert.body)
        if status == _OK:
            return Delivery(alert, signal_id, sends, status)
        if not _is_resent_after(status):
            break
        if sends < MOST_SENDS:
            time.sleep(RESEND_AFTER_S)
    return Delivery(alert, None, sends, status)


def _post(address: str, body: bytes) -> tuple[int, str | None]:
    headers = {"Content-Type": "application/json"}
    try:
        answer = requests.post(address, data=body, headers=headers, timeout=PROXY_TIMEOUT_S)
        return answer.status_code, answer.json()["signal_id"] if answer.status_code == _OK else None
    except requests.RequestException:
        return BAD_UPSTREAM, None


def _is_resent_after(status: int) -> bool:
    return status >= 500 and status != _NEVER_RESENT  # noqa: PLR2004 - the class of server errors


class Sender:
    """Sends a stream by its own timetable, each alert in a thread of its own, as TradingView's are independent.

    `sent` is set as each of them goes out.
    """

    def __init__(self, address: str, stream: Sequence[Alert], sent: threading.Event) -> None:
        self._address = address
        self._stream = stream
        self._sent = sent
        self._deliveries: list[Future[Delivery]] = []
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="tradingview")
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_sending(self) -> bool:
        """Whether an alert of the stream is yet to be sent for the first time."""
        return self._thread.is_alive()

    def deliveries(self) -> list[Delivery]:
        """All of them, after the last resend of the last alert."""
        self._thread.join()
        found = [future.result() for future in self._deliveries]
        self._pool.shutdown()
        return found

    def _run(self) -> None:
        started = time.monotonic()
        for alert in self._stream:
            time.sleep(max(0.0, started + alert.at - time.monotonic()))
            self._deliveries.append(self._pool.submit(deliver, self._address, alert))
            self._sent.set()
