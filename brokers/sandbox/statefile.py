"""Saving the venue's books to one file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from brokers.sandbox.host import HostedVenue

OWNER_ONLY = 0o600


def save(venue: HostedVenue, path: Path) -> None:
    """Write beside the file, sync, rename. The file holds sandbox passwords and tokens, so it is the owner's only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(venue.dump(), default=str, option=orjson.OPT_NON_STR_KEYS))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(venue: HostedVenue, path: Path) -> None:
    """Raises ValueError when the file is not a sandbox state."""
    try:
        saved = orjson.loads(path.read_bytes())
        venue.load(saved)
    except (orjson.JSONDecodeError, KeyError, TypeError) as broken:
        raise ValueError(f"{path} is not a sandbox state file: {broken!r}") from broken
