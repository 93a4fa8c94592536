"""What the supervisor says: one line each, with the speaker's name in its own colour and nothing secret in it."""

from __future__ import annotations

import os
import sys
import zlib

from justtrades.logging import redact

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_NAME_WIDTH = 9


class Console:
    """Writes prefixed lines to stdout; a closed stdout must not stop the processes behind it."""

    def __init__(self) -> None:
        self._is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._is_closed = False

    def say(self, name: str, line: str) -> None:
        self._write(f"{self._prefix(name)} {redact(line)}\n")

    def show(self, text: str) -> None:
        """Print `text` as it is, secrets included: the banner's demo sign-in is meant to be read."""
        self._write(f"{text}\n")

    def _prefix(self, name: str) -> str:
        label = f"{name:<{_NAME_WIDTH}}|"
        colour = _COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)]
        return f"\x1b[{colour}m{label}\x1b[0m" if self._is_coloured else label

    def _write(self, text: str) -> None:
        if self._is_closed:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            self._is_closed = True
