"""A stand-in for TradingView: one POST per alert and its rules for sending again.

It waits 3 s for an answer. After a 5xx other than 504 it sends the same bytes again 5 s later, at most three times
(TradingView help 43000529348 and 43000735201); after a timeout, a 504 or a 4xx it gives up. A refused or reset
connection counts as 503 here: in a real deployment TradingView talks to the reverse proxy, which answers 502 or 503
for an upstream that is dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import requests

from execution.selftest.alerts import Alert

ANSWER_TIMEOUT_S = 3.0
RESEND_AFTER_S = 5.0
MOST_SENDS = 4
DEAD_UPSTREAM = 503
_OK, _NEVER_RESENT = 200, 504
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one alert: its signal when it was acked, otherwise the last thing the sender saw."""

    alert: Alert
    signal_id: str | None
    sends: int
    last_answer: str


def deliver(address: str, alert: Alert) -> Delivery:
    """Send one alert by TradingView's rules. Takes up to 27 s."""
    for sends in range(1, MOST_SENDS + 1):
        try:
            status, signal_id = _post(address, alert.body)
        except requests.Timeout:
            return Delivery(alert, None, sends, f"no answer within {ANSWER_TIMEOUT_S:.0f} s")
        if status == _OK:
            return Delivery(alert, signal_id, sends, str(status))
        if not _is_resent_after(status):
            break
        if sends < MOST_SENDS:
            time.sleep(RESEND_AFTER_S)
    return Delivery(alert, None, sends, str(status))


def _post(address: str, body: bytes) -> tuple[int, str | None]:
    headers = {"Content-Type": "application/json"}
    try:
        answer = requests.post(address, data=body, headers=headers, timeout=ANSWER_TIMEOUT_S)
        return answer.status_code, answer.json()["signal_id"] if answer.status_code == _OK else None
    except requests.Timeout:
        raise
    except requests.RequestException:
        return DEAD_UPSTREAM, None


def _is_resent_after(status: int) -> bool:
    return status >= 500 and status != _NEVER_RESENT  # noqa: PLR2004 - the class of server errors


class Sender:
    """Sends a stream by its own timetable, each alert in a thread of its own, as TradingView's are independent."""

    def __init__(self, address: str, stream: Sequence[Alert]) -> None:
        self._address = address
        self._stream = stream
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
