"""Files that only we may read, and that a reader never finds half written."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path`, mode 0600, durable before it takes the old one's place."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_private_env(path: Path, values: dict[str, str]) -> None:
    """Write NAME=value lines that the settings and a shell read alike."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))
