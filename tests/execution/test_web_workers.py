"""The web workers are counted in the process table, of a real granian."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from execution import monitoring
from execution.monitoring import WebWorkers, web_workers

ROOT = Path(__file__).resolve().parents[2]


def test_a_process_without_granian_is_the_only_web_worker_that_it_knows_of() -> None:
    assert web_workers() == WebWorkers(1, 1)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["python", "-m", "granian", "--workers", "4", "x:y"], 4), (["granian", "--workers=3"], 3),
        (["granian", "x:y"], 1), (["granian", "--workers"], 1), (["granian", "--workers", "many"], 1),
    ],
)  # fmt: skip
def test_how_many_workers_granian_was_asked_for(words: list[str], number: int) -> None:
    assert monitoring._workers_asked_for(words) == number


COUNTING = """
import json, sys
sys.path.insert(0, {root!r})
import django
django.setup()
from execution.monitoring import web_workers
def application(environ, start_response):
    found = web_workers()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [json.dumps([found.configured, found.alive]).encode()]
"""


@pytest.fixture
def granian(tmp_path: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A real one of two workers, which tells what it counts."""
    (tmp_path / "counting.py").write_text(COUNTING.format(root=str(ROOT)))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2"]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "2"]
    command += ["--log-level", "error", "--working-dir", str(tmp_path), "counting:application"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            yield port, psutil.Process(process.pid)
        finally:
            psutil.Process(process.pid).resume()
            process.terminate()


def counted(port: int) -> list[int] | None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    found: list[int] = json.loads(answer.rpartition(b"\r\n\r\n")[2])
    return found


def until_counted(port: int, wanted: list[int]) -> None:
    last: Any = None
    for _ in range(200):
        try:
            last = counted(port)
        except (OSError, ValueError) as error:
            last = error
        if last == wanted:
            return
        time.sleep(0.05)
    pytest.fail(f"counted {last}, wanted {wanted}")


def test_the_workers_of_a_real_granian_are_counted(granian: tuple[int, psutil.Process]) -> None:
    port, master = granian
    until_counted(port, [2, 2])
    master.suspend()  # or it would have a new one at once
    master.children()[0].kill()
    until_counted(port, [2, 1])
    master.resume()
    until_counted(port, [2, 2])
