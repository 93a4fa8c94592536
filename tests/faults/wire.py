"""A way to the sandbox that can be cut: closed, nobody listens there any more and every connection is reset."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_ABORT = struct.pack("ii", 1, 0)
_CHUNK = 65_536


class Wire:
    """Forwards a loopback port of its own to `target_port`; `cut` and `mend` any number of times."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def mend(self) -> None:
        self._listener = self._listen(self.port)

    def cut(self) -> None:
        # Without the shutdown the thread that waits in accept would keep the port.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target_port))
            with self._lock:
                self._ends |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
