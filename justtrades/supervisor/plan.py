"""What runs: every process of the product with its command, its environment and the order in which all of it stops."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from justtrades.environment import ROOT
from justtrades.supervisor.pidfiles import STATE_DIR_VARIABLE
from justtrades.supervisor.ports import LOOPBACK
from justtrades.supervisor.spawn import ProcessSpec

WEB_WORKERS = 2
WEB_THREADS = 8
LANE_THREADS = 16
CHORES_PROCESSES = 2
_PYTHON = sys.executable
# Said at every start by a worker that runs as root; only JSON, which cannot execute anything, is accepted anyway.
_ROOT_WARNING = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True)
class Bind:
    """Where the two public processes listen."""

    host: str
    web_port: int
    live_port: int


def manage(name: str, env: Mapping[str, str], *words: str, grace_s: float = 3.0) -> ProcessSpec:
    """A `manage.py` command as a process."""
    return ProcessSpec(name, (_PYTHON, str(ROOT / "manage.py"), *words), env, grace_s=grace_s)


def web(env: Mapping[str, str], bind: Bind) -> ProcessSpec:
    return _module(
        "web",
        env,
        *("granian", "--interface", "wsgi", "--host", bind.host, "--port", str(bind.web_port)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
        # An idle thread keeps its database connection; giving it up would cost the next webhook a new one.
        *("--blocking-threads-idle-timeout", "600", "--backlog", "2048"),
        *("--respawn-failed-workers", "--respawn-interval", "0.2", "--workers-kill-timeout", "2"),
        *("--working-dir", str(ROOT), "--log-level", "error", "justtrades.webworker:application"),
    )


def live(env: Mapping[str, str], bind: Bind) -> ProcessSpec:
    return _module(
        "live",
        env,
        *("uvicorn", "--host", bind.host, "--port", str(bind.live_port), "--lifespan", "off"),
        *("--timeout-graceful-shutdown", "1", "--log-level", "warning", "--no-access-log"),
        *("--app-dir", str(ROOT), "justtrades.asgi:application"),
        grace_s=2.0,
    )


def lane(env: Mapping[str, str], number: int) -> ProcessSpec:
    return _worker(
        f"lane{number}",
        {**env, "LANE": str(number)},
        *("-P", "threads", "-c", str(LANE_THREADS), "-Q", f"lane.{number},plan", "-n", f"lane{number}@%h"),
    )


def chores(env: Mapping[str, str]) -> ProcessSpec:
    return _worker("chores", env, "-P", "prefork", "-c", str(CHORES_PROCESSES), "-Q", "chores", "-n", "chores@%h")


def beat(env: Mapping[str, str], run_dir: Path) -> ProcessSpec:
    schedule = str(run_dir / "celerybeat-schedule")
    return _celery("beat", env, "beat", "--schedule", schedule, "--pidfile", "")


def sweeper(env: Mapping[str, str]) -> ProcessSpec:
    return manage("sweeper", env, "sweep")


SANDBOXES = ("tradovate", "projectx", "webull")
"""The venues that have a stand-in broker; the first one's process and file are simply called sandbox."""


def sandbox_name(venue: str) -> str:
    return "sandbox" if venue == SANDBOXES[0] else f"sandbox-{venue}"


def sandbox(
    env: Mapping[str, str], venue: str, ports: tuple[int, int], accounts: int, swallows: Callable[[str], bool]
) -> ProcessSpec:
    """A stand-in broker; `ports` are the venue's and the control's."""
    name = sandbox_name(venue)
    words = ("--venue", venue, "--port", str(ports[0]), "--control-port", str(ports[1]), "--accounts", str(accounts))
    state_file = Path(env[STATE_DIR_VARIABLE]) / f"{name}.json"
    # Without Django around it, as it needs none: it starts sooner and holds a third of the memory.
    spec = _module(name, {**env, "PYTHONPATH": str(ROOT)}, "brokers.sandbox", *words, "--state-file", str(state_file))
    return replace(spec, swallows=swallows)


def demo(env: Mapping[str, str], accounts: int, state_file: Path) -> ProcessSpec:
    """Seeds the demo. Its last line is JSON with a password in it, and not for the log."""
    spec = manage("demo", env, "demo", "--accounts", str(accounts), "--state", str(state_file))
    return replace(spec, swallows=lambda line: line.startswith("{"))


def local_url(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    return f"http://{LOOPBACK if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - compared, not bound


def _worker(name: str, env: Mapping[str, str], *words: str) -> ProcessSpec:
    return _celery(name, env, "worker", "--without-gossip", "--without-mingle", *words)


def _celery(name: str, env: Mapping[str, str], command: str, *words: str) -> ProcessSpec:
    return _module(name, env, "celery", "--quiet", "-A", "celery_app", "--workdir", str(ROOT), command, *words)


def _module(name: str, env: Mapping[str, str], *words: str, grace_s: float = 3.0) -> ProcessSpec:
    return ProcessSpec(
        name, (_PYTHON, "-W", _ROOT_WARNING, "-m", *words), env, stop_signal=signal.SIGTERM, grace_s=grace_s
    )
