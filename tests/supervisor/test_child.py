"""One child: kept running, its words passed on, its group ended with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from justtrades.supervisor.child import LONGEST_PAUSE_S, Child, pause_before_restart, run_to_end
from justtrades.supervisor.console import Console
from justtrades.supervisor.pidfiles import PidFiles
from justtrades.supervisor.spawn import ProcessSpec

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PATIENT = "import time; print('up', flush=True); time.sleep(600)"
WITH_A_WORKER = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {PATIENT!r}]); {PATIENT}"


def in_a_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread: the browser tests leave a loop running in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _python(code: str, **options: float) -> ProcessSpec:
    return ProcessSpec("child", (sys.executable, "-c", code), dict(os.environ), **options)  # type: ignore[arg-type]


def _with_child(spec: ProcessSpec, state_dir: Path, check: Callable[[Child], Awaitable[None]]) -> None:
    async def run() -> None:
        child = Child(spec, Console(), PidFiles(state_dir / "run", state_dir), lambda: None)
        await child.start()
        try:
            await check(child)
        finally:
            await child.stop()
        assert child.pid is None

    in_a_loop(run())


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited 10 s in vain"
        await asyncio.sleep(0.02)


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    async def check(child: Child) -> None:
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await _until(lambda: child.pid not in {None, first})

    _with_child(_python(PATIENT), tmp_path, check)


def test_what_a_killed_child_had_started_dies_with_it(tmp_path: Path) -> None:
    workers: list[psutil.Process] = []

    async def check(child: Child) -> None:
        assert child.pid is not None
        master = psutil.Process(child.pid)
        await _until(lambda: bool(master.children()))
        workers.extend(master.children())
        master.kill()
        await _until(lambda: not any(worker.is_running() for worker in workers))

    _with_child(_python(WITH_A_WORKER), tmp_path, check)
    assert workers


def test_a_child_that_will_not_stop_is_killed_after_its_grace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def check(child: Child) -> None:
        await _until(lambda: "up" in capsys.readouterr().out)

    _with_child(_python(STUBBORN, grace_s=0.2), tmp_path, check)
    assert "is killed" in capsys.readouterr().out


def test_stopping_removes_the_pid_file(tmp_path: Path) -> None:
    async def check(child: Child) -> None:
        assert (tmp_path / "run" / "child.pid").exists()

    _with_child(_python(PATIENT), tmp_path, check)
    assert not (tmp_path / "run" / "child.pid").exists()


def test_the_pause_doubles_up_to_its_bound() -> None:
    assert [pause_before_restart(failures) for failures in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert pause_before_restart(1_000_000) == LONGEST_PAUSE_S


def test_secrets_in_a_childs_words_are_blanked(capsys: pytest.CaptureFixture[str]) -> None:
    address = "http://127.0.0.1:8000/webhook/" + "x" * 43
    in_a_loop(run_to_end(_python(f"print({address!r})"), Console()))
    assert capsys.readouterr().out == "child    | http://127.0.0.1:8000/webhook/[redacted]\n"


def test_a_failing_command_is_an_error_with_its_status() -> None:
    with pytest.raises(RuntimeError, match="child ended with status 3"):
        in_a_loop(run_to_end(_python("raise SystemExit(3)"), Console()))
