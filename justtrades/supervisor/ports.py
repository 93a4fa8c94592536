"""Ports that stay the same from start to start, and give way to whoever has them already."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        # Without this a port in TIME_WAIT, just left by our own earlier run, would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free_port(host: str = LOOPBACK) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class PortBook:
    """The ports of one checkout, remembered in a JSON file."""

    file: Path
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.exists():
            self.ports.update(json.loads(self.file.read_text()))

    def choose(self, name: str, usual: int) -> int:
        """The port that `name` had last time, else its usual one, else any; the first that is free and not promised."""
        promised = {port for other, port in self.ports.items() if other != name}
        wishes = [self.ports[name], usual] if name in self.ports else [usual]
        port = next((wish for wish in wishes if wish not in promised and is_free(wish)), None) or any_free_port()
        self.ports[name] = port
        self.file.write_text(json.dumps(self.ports, indent=2))
        return port
