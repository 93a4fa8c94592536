"""Places at which a fault test may have the process die, as a power cut would. They do nothing unless armed."""

from __future__ import annotations

import os
import signal

from django.conf import settings


def killpoint(name: str) -> None:
    """Kill this process with SIGKILL when `JT_KILL` names this point and `DEBUG_FAULTS` is on."""
    if name == settings.KILL_POINT:
        os.kill(os.getpid(), signal.SIGKILL)
