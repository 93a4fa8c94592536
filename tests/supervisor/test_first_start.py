"""What a checkout without secrets gets, and what one with secrets keeps."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from dotenv import dotenv_values

from justtrades.environment import ROOT
from justtrades.supervisor.first_start import keep, prepare_command, server_passwords
from justtrades.supervisor.lock import AlreadyRunning, own


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without secrets, and its empty state directory."""
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return tmp_path


def test_the_first_start_makes_secrets_that_only_we_may_read(bare: Path) -> None:
    prepare_command("up")
    made = dotenv_values(bare / "secrets.env")
    assert len(made["SECRET_KEY"] or "") >= 50
    Fernet(made["FIELD_ENCRYPTION_KEYS"] or "")
    assert stat.S_IMODE((bare / "secrets.env").stat().st_mode) == 0o600


def test_later_starts_keep_them(bare: Path) -> None:
    prepare_command("up")
    first = (bare / "secrets.env").read_text()
    prepare_command("up")
    assert (bare / "secrets.env").read_text() == first


def test_a_secret_that_was_given_is_not_made(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "given" * 10)
    prepare_command("up")
    assert dotenv_values(bare / "secrets.env").keys() == {"FIELD_ENCRYPTION_KEYS"}


def test_other_commands_make_no_files(bare: Path) -> None:
    for command in ("migrate", "embedded", "newkey"):
        prepare_command(command)
    assert list(bare.iterdir()) == []


def test_a_missing_value_is_added_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "kept.env"
    keep(file, {"ONE": lambda: "first"})
    assert keep(file, {"ONE": lambda: "other", "TWO": lambda: "second"}) == {"ONE": "first", "TWO": "second"}
    assert dotenv_values(file) == {"ONE": "first", "TWO": "second"}


def test_the_servers_passwords_are_the_same_every_time(bare: Path) -> None:
    assert server_passwords() == server_passwords()


def test_the_second_owner_of_a_directory_is_told_of_the_first(tmp_path: Path) -> None:
    with own(tmp_path, tmp_path / "up.lock"), pytest.raises(AlreadyRunning, match=r"pid \d+ owns"):
        own(tmp_path, tmp_path / "up.lock")


def test_a_directory_can_be_owned_again_after_its_owner_is_gone(tmp_path: Path) -> None:
    own(tmp_path, tmp_path / "up.lock").close()
    own(tmp_path, tmp_path / "up.lock").close()


def test_embedded_runs_a_command_beside_servers_and_hands_on_its_status() -> None:
    asks = "import os, psycopg2; psycopg2.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    command = [sys.executable, str(ROOT / "manage.py"), "embedded", "--", sys.executable, "-c", asks]
    assert subprocess.run(command, check=False, timeout=60).returncode == 7
