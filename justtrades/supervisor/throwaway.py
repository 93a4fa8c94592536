"""PostgreSQL and Valkey for as long as a test run or one command lasts: in a temporary directory, forgetful, fast."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from justtrades.supervisor.ports import any_free_port
from justtrades.supervisor.postgres import EmbeddedPostgres
from justtrades.supervisor.privileges import before_exec
from justtrades.supervisor.valkey import EmbeddedValkey

START_TIMEOUT_S = 30.0


@contextmanager
def throwaway_servers(*, durable: bool = False) -> Iterator[dict[str, str]]:
    """Both servers running; yields DATABASE_URL and REDIS_URL."""
    with ExitStack() as stack:
        database_url = stack.enter_context(throwaway_postgres(durable=durable))
        redis_url = stack.enter_context(throwaway_valkey(durable=durable))
        yield {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


@contextmanager
def throwaway_postgres(*, durable: bool = False) -> Iterator[str]:
    """A running PostgreSQL with an empty database; yields its URL."""
    with _directory() as directory:
        server = EmbeddedPostgres(directory / "postgres", any_free_port(), secrets.token_urlsafe(24), durable=durable)
        with _running(server, signal.SIGINT):
            server.create_database()
            yield server.url()


@contextmanager
def throwaway_valkey(*, durable: bool = False) -> Iterator[str]:
    """A running Valkey; yields its URL."""
    with _directory() as directory:
        server = EmbeddedValkey(directory / "valkey", any_free_port(), secrets.token_urlsafe(24), durable=durable)
        with _running(server, signal.SIGTERM):
            yield server.url()


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="justtrades-"))
    # The account that a root supervisor runs PostgreSQL as has to pass through.
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _running(server: EmbeddedPostgres | EmbeddedValkey, stop_signal: signal.Signals) -> Iterator[None]:
    server.initialise()
    log_file = server.data_dir.with_suffix(".log")
    account = server.account() if isinstance(server, EmbeddedPostgres) else None
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            server.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=before_exec(account, dies_by=stop_signal),  # noqa: PLW1509 - makes system calls only
        )
    try:
        _wait_until_ready(server, process, log_file)
        yield
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(
    server: EmbeddedPostgres | EmbeddedValkey, process: subprocess.Popen[bytes], log_file: Path
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server.command()[0]} did not start:\n{log_file.read_text()}")
        time.sleep(0.02)
