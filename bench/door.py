"""Posting single alerts and looking at what came of them, straight in the database, where a look costs least."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import requests

from bench.load import body_of, is_complete, post_of

_TIMEOUT_S = 30.0
_POLL_S = 0.05
_UNFINISHED = """
    SELECT (SELECT count(*) FROM recorders_signal WHERE status = 'received')
         + (SELECT count(*) FROM execution_orderintent WHERE status IN ('new', 'cleared', 'dispatched', 'unknown'))
"""
_OUTCOMES = """
    SELECT count(*), count(*) FILTER (WHERE status = 'done'), extract(epoch FROM max(acknowledged_at))
    FROM execution_orderintent WHERE signal_id = %s
"""


def post(url: str, price: int, action: str) -> tuple[float, float, str]:
    """Epoch seconds before the connection and after the answer, and the signal's id. Raises RuntimeError."""
    parts = urlsplit(url)
    request = post_of(url, body_of(price, action))
    began = time.time()
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=_TIMEOUT_S) as sock:
        sock.send(request)
        answer = b""
        while not is_complete(answer):
            data = sock.recv(65_536)
            if not data:
                break
            answer += data
    ended = time.time()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the door answered {answer[:200]!r}")
    return began, ended, str(json.loads(answer.partition(b"\r\n\r\n")[2])["signal_id"])


class Database:
    """The product's own store, read beside the product."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True

    def row(self, statement: str, *values: object) -> tuple[Any, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            found: tuple[Any, ...] = cursor.fetchone()
            return found

    def do(self, statement: str, *values: object) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)

    def until_quiet(self) -> None:
        """Until nothing waits and nothing is under way. Raises TimeoutError."""
        until(lambda: self.row(_UNFINISHED)[0] == 0, "the product did not come to rest")

    def live_logins(self) -> int:
        """How many are live; 0 while one that is switched on is not."""
        live, offline = self.row(
            "SELECT count(*) FILTER (WHERE state = 'live'), count(*) FILTER (WHERE is_enabled AND state <> 'live')"
            " FROM brokers_brokerlogin"
        )
        return 0 if offline else int(live)

    def outcomes(self, signal_id: str) -> tuple[int, int, float | None]:
        """How many intents the signal has, how many are done, and the epoch seconds of the last acknowledgement."""
        total, done, last_ack = self.row(_OUTCOMES, signal_id)
        return int(total), int(done), None if last_ack is None else float(last_ack)

    def close(self) -> None:
        self._connection.close()


class Sandbox:
    """The control interface, as far as a measurement needs it."""

    def __init__(self, control_url: str) -> None:
        self._control_url = control_url

    def get(self, path: str, **query: object) -> Any:
        answer = requests.get(f"{self._control_url}{path}", params=query, timeout=_TIMEOUT_S)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **fields: object) -> Any:
        answer = requests.post(f"{self._control_url}{path}", json=fields, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def entries_since(self, moment: float) -> list[dict[str, Any]]:
        """Bracketed entries that reached the venue at or after `moment` (epoch seconds)."""
        arrivals = self.get("/arrivals", since=moment)
        return [row for row in arrivals if row["endpoint"].lower() == "orderstrategy/startorderstrategy"]


def until(condition: Callable[[], bool], complaint: str, timeout_s: float = _TIMEOUT_S) -> None:
    """Poll until true. Raises TimeoutError with the complaint."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(_POLL_S)
