"""Starting one process: what to run, and its output as lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from justtrades.supervisor.privileges import Account, before_exec

# The sandbox announces every account, a hundred bytes each, in one line.
_MAX_LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class ProcessSpec:
    """What to run. `swallows` sees every line first; those for which it answers true are not shown."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 3.0
    account: Account | None = None
    swallows: Callable[[str], bool] | None = None


class Running:
    """A started process, the leader of a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process, output: asyncio.StreamReader) -> None:
        self._process = process
        self._output = output

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit status, negative for a signal."""
        return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill_group(self) -> None:
        """End it and everything it started, also when it is dead itself."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def lines(self) -> AsyncIterator[str]:
        """Its output until the last holder of the pipe has closed it; endless lines come in pieces."""
        rest = b""
        while chunk := await self._output.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield _text(line)
            if len(rest) > _MAX_LINE_BYTES:
                yield _text(rest)
                rest = b""
        if rest:
            yield _text(rest)


def _text(line: bytes) -> str:
    return line[:_MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")


async def spawn(spec: ProcessSpec) -> Running:
    """Start `spec`; the kernel ends it should the supervisor die. Raises OSError if it cannot be started."""
    # A pipe of our own: asyncio's makes `wait` last until every grandchild has closed it.
    readable, writable = os.pipe()
    try:
        output = await _reader(readable)
        process = await asyncio.create_subprocess_exec(
            *spec.argv,
            env=spec.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writable,
            stderr=writable,
            # A group of its own: the terminal's Ctrl-C reaches us alone, and we can end it with all it started.
            start_new_session=True,
            preexec_fn=before_exec(spec.account, dies_by=spec.stop_signal),
        )
    finally:
        os.close(writable)
    return Running(process, output)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb"))
    return reader
