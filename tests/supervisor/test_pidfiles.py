"""What an earlier run left behind is ended, and nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from justtrades.supervisor.pidfiles import PidFiles

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
FORKS_AND_SLEEPS = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True);"
    "time.sleep(600)",
]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(SLEEPS, start_new_session=True)
    yield running
    running.kill()
    running.wait()


def test_a_stray_is_ended_and_named(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    PidFiles(tmp_path / "run", tmp_path).write("web", process.pid)
    assert PidFiles(tmp_path / "run", tmp_path).reap_strays() == [f"web (pid {process.pid})"]
    assert not psutil.pid_exists(process.pid)
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_stranger_who_has_the_pid_by_now_is_left_alone(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    pid_files = PidFiles(tmp_path / "run", tmp_path)
    an_hour_ago = psutil.Process(process.pid).create_time() - 3600
    (tmp_path / "run" / "web.pid").write_text(json.dumps({"pid": process.pid, "started": an_hour_ago}))
    assert pid_files.reap_strays() == []
    assert process.poll() is None


def test_the_workers_of_a_dead_master_are_ended(tmp_path: Path) -> None:
    environment = {**os.environ, "STATE_DIR": str(tmp_path)}
    master = subprocess.Popen(FORKS_AND_SLEEPS, start_new_session=True, env=environment, stdout=subprocess.PIPE)
    assert master.stdout is not None
    worker = psutil.Process(int(master.stdout.readline()))
    pid_files = PidFiles(tmp_path / "run", tmp_path)
    pid_files.write("web", master.pid)
    master.kill()
    master.wait()
    pid_files.reap_strays()
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
