"""Every test run has a real PostgreSQL and Valkey of its own, started here unless the environment names others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from cryptography.fernet import Fernet

from justtrades.supervisor.throwaway import throwaway_postgres, throwaway_valkey

_servers = ExitStack()


def _is_parallel_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before pytest-django reads the settings. Parallel workers share the PostgreSQL, each with its own database."""
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0123456789" * 4)
    os.environ.setdefault("FIELD_ENCRYPTION_KEYS", Fernet.generate_key().decode())
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _servers.enter_context(throwaway_postgres())
    if config.getoption("numprocesses", None) and not _is_parallel_worker():
        # This process only hands out tests. A settings module in its environment would be read by each worker before
        # the worker has a Valkey of its own.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        return
    # Valkey has no database per worker: its keys and channels would meet.
    if not os.environ.get("REDIS_URL") or _is_parallel_worker():
        os.environ["REDIS_URL"] = _servers.enter_context(throwaway_valkey())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "justtrades.settings")

    from django.conf import settings

    # Argon2 is slow on purpose; tests sign in a thousand times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each test client makes its own middleware, which would look through all static files first.
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What a process remembers to have stored, or sent, is gone when a test's tables are emptied."""
    from execution import explain
    from execution.clearing import pace

    explain._stored.clear()
    pace.windows.forget()
    yield
