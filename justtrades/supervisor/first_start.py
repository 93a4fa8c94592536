"""The secrets of a checkout that was given none: made once, kept under the state directory, readable by us alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet
from dotenv import dotenv_values

from justtrades.environment import DOTENV, secrets_file, state_dir
from justtrades.supervisor.files import write_private_env


def new_field_key() -> str:
    """A key for FIELD_ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()


def _new_secret() -> str:
    return secrets.token_urlsafe(50)


_SETTINGS: Mapping[str, Callable[[], str]] = {"SECRET_KEY": _new_secret, "FIELD_ENCRYPTION_KEYS": new_field_key}
_SERVERS: Mapping[str, Callable[[], str]] = {"POSTGRES_PASSWORD": _new_secret, "VALKEY_PASSWORD": _new_secret}


def prepare_command(command: str) -> None:
    """Give `command` what the settings demand before they are read: `up` keeps its secrets, others borrow some."""
    if command == "up":
        given = {**dotenv_values(DOTENV), **os.environ}
        keep(secrets_file(), {name: make for name, make in _SETTINGS.items() if not given.get(name)})
    elif command in {"embedded", "newkey", "selftest"}:
        for name, make in _SETTINGS.items():
            os.environ.setdefault(name, make())


def server_passwords() -> dict[str, str]:
    """The passwords of the embedded servers of this state directory."""
    return keep(state_dir() / "servers.env", _SERVERS)


def keep(file: Path, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """The values in `file`, after adding those of `makers` that it lacks.

    It is only ever added to: with it goes every stored broker password.
    """
    kept = {name: value for name, value in dotenv_values(file).items() if value is not None}
    missing = {name: make() for name, make in makers.items() if name not in kept}
    if missing:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private_env(file, {**kept, **missing})
    return {**kept, **missing}
