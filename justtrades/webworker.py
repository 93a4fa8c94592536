"""The WSGI application as granian's workers load it: they end with their master, which of themselves they outlive."""

from __future__ import annotations

import signal

from justtrades.supervisor.privileges import die_with_parent
from justtrades.wsgi import application

die_with_parent(signal.SIGTERM)

__all__ = ["application"]
