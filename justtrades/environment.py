"""The process's environment, read and checked once. A value that does not parse names its field and stops the start."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from cryptography.fernet import Fernet
from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DOTENV = ROOT / ".env"
DEVELOPMENT_SECRET = "development-only-secret-key-never-use-in-production"  # noqa: S105 - refused outside DEBUG
MINIMUM_SECRET_LENGTH = 32

CommaList = Annotated[list[str], NoDecode]


def state_dir() -> Path:
    """Where this checkout keeps its state; known before, and without, the rest of the environment."""
    return Path(os.environ.get("STATE_DIR") or dotenv_values(DOTENV).get("STATE_DIR") or ROOT / "var").absolute()


def secrets_file() -> Path:
    """The secrets that `manage.py up` made for itself where it was given none."""
    return state_dir() / "secrets.env"


def addresses_file() -> Path:
    """The addresses of the running `manage.py up`, so that commands beside it reach the same servers."""
    return state_dir() / "run" / "addresses.env"


class Environment(BaseSettings):
    """Every setting the product reads; `.env` may hold these names and no others."""

    model_config = SettingsConfigDict(extra="forbid", env_ignore_empty=True)

    DEBUG: bool = False
    SECRET_KEY: str = DEVELOPMENT_SECRET
    FIELD_ENCRYPTION_KEYS: CommaList = Field(default_factory=list)
    DATABASE_URL: str = ""
    REDIS_URL: str = ""
    ALLOWED_HOSTS: CommaList = Field(default_factory=lambda: ["localhost", "127.0.0.1", "[::1]"])
    CSRF_TRUSTED_ORIGINS: CommaList = Field(default_factory=list)
    BASE_URL: str = "http://127.0.0.1:8000"
    LIVE_URL: str = ""
    SECURE_COOKIES: bool = False
    PROXIES: int = Field(default=0, ge=0, le=5)
    LANES: int = Field(default=1, ge=1, le=64)
    LANE: int = Field(default=0, ge=0)
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    STATE_DIR: Path = Field(default_factory=state_dir)
    SANDBOX_TRADOVATE_REST_URL: str = ""
    SANDBOX_TRADOVATE_WS_URL: str = ""
    SANDBOX_TRADOVATE_MD_URL: str = ""
    SANDBOX_CONTROL_URL: str = ""
    SANDBOX_PROJECTX_REST_URL: str = ""
    SANDBOX_PROJECTX_WS_URL: str = ""
    SANDBOX_PROJECTX_MD_URL: str = ""
    SANDBOX_PROJECTX_CONTROL_URL: str = ""
    SANDBOX_WEBULL_REST_URL: str = ""
    SANDBOX_WEBULL_WS_URL: str = ""
    SANDBOX_WEBULL_MD_URL: str = ""
    SANDBOX_WEBULL_CONTROL_URL: str = ""
    ENTRIES_PER_MINUTE_ACCOUNT: int = Field(default=120, ge=1)
    SIGNALS_PER_MINUTE_RECORDER: int = Field(default=240, ge=1)
    ENTRIES_PER_MINUTE_PLATFORM: int = Field(default=60_000, ge=1)
    MOST_WORKING_ORDERS: int = Field(default=50, ge=1)
    PRICE_COLLAR_PERCENT: Decimal = Field(default=Decimal(5), gt=0)
    SESSION_CHECKED_ENVIRONMENTS: CommaList = Field(default_factory=lambda: ["demo", "live"])
    RECONCILE_EVERY_S: float = Field(default=60, ge=1)
    TRADINGVIEW_QUOTES: bool = False
    EGRESS_ADDRESS: str = "default"
    OAUTH_TRADOVATE_CLIENT_ID: str = ""
    OAUTH_TRADOVATE_CLIENT_SECRET: str = ""
    OAUTH_TRADOVATE_AUTHORIZE_URL: str = ""
    OAUTH_TRADOVATE_TOKEN_URL: str = ""
    DEBUG_FAULTS: bool = False
    JT_KILL: str = ""

    @field_validator(
        "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SESSION_CHECKED_ENVIRONMENTS", mode="before"
    )
    @classmethod
    def split_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("FIELD_ENCRYPTION_KEYS")
    @classmethod
    def check_fernet_keys(cls, keys: list[str]) -> list[str]:
        for position, key in enumerate(keys, 1):
            try:
                Fernet(key)
            except ValueError as error:
                raise ValueError(f"key {position} of {len(keys)} is not a Fernet key") from error
        return keys

    @model_validator(mode="after")
    def refuse_default_secrets_in_production(self) -> Environment:
        if self.DEBUG:
            return self
        if self.SECRET_KEY == DEVELOPMENT_SECRET or len(self.SECRET_KEY) < MINIMUM_SECRET_LENGTH:
            raise ValueError("SECRET_KEY: production needs its own random key of at least 32 characters")
        if not self.FIELD_ENCRYPTION_KEYS:
            raise ValueError("FIELD_ENCRYPTION_KEYS: production needs at least one Fernet key (manage.py newkey)")
        return self


def read_environment(*, with_addresses: bool = True) -> Environment:
    """Read the environment or exit with status 2 and one line per bad field; values are never printed.

    `with_addresses` has a command reach the servers of a running `manage.py up`.
    """
    addresses = (addresses_file(),) if with_addresses else ()
    try:
        return Environment(_env_file=(secrets_file(), *addresses, DOTENV))
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"]) or "environment"
            print(f"configuration error: {name}: {problem['msg']}", file=sys.stderr)  # noqa: T201 - logging is not up yet
        raise SystemExit(2) from None
