"""What the machine can do at best: WSGI callables for the same server, without our code in them.

`bare` answers and does nothing. `insert` also writes the same row into the same table, in one statement on a
connection of the thread's own that commits by itself: no door can store an alert durably in less.
"""

from __future__ import annotations

import os
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import psycopg2

StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_ANSWER = b'{"signal_id": "01a20a01-8aab-77be-9b35-7ff56edaa3d5", "status": "received"}'
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))]
_INSERT = """
    INSERT INTO recorders_signal (
        id, owner_id, recorder_id, status, reason_code, reason_text, body, body_hash, resend_key, resend_key_offset,
        has_weak_key, resend_count, source_ip, action, ticker, quantity, price, position, prev_position, fired_at,
        received_at, plan_attempts, dialect, strategy, overrides, flags, link)
    VALUES (%s, %s, %s, 'ignored', 'BENCH', '', %s, %s, %s, %s, true, 0, '127.0.0.1', 'buy', 'MNQ1!', 1, 25300,
            NULL, NULL, NULL, now(), 0, 'canonical', '', '{}', '', '')
"""
_thread = threading.local()


def bare(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", _HEADERS)
    return [_ANSWER]


def insert(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    key = secrets.token_hex(32)
    owner, recorder = os.environ["BENCH_OWNER"], os.environ["BENCH_RECORDER"]
    row = (str(uuid.uuid4()), owner, recorder, body, key, f"{key}:0", f"{key}:1")
    with _connection().cursor() as cursor:
        cursor.execute(_INSERT, row)
    start_response("200 OK", _HEADERS)
    return [_ANSWER]


def _connection() -> Any:
    if not hasattr(_thread, "connection"):
        _thread.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        _thread.connection.autocommit = True
    return _thread.connection
