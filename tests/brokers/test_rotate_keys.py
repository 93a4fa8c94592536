"""`manage.py rotate_keys`: all secrets under the newest key, beside whoever refreshes a token meanwhile."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from brokers import vault
from brokers.management.commands import rotate_keys
from brokers.models import BrokerLogin
from tests.factories import BrokerLoginFactory

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
SECRETS = {"password": "a-broker-password", "app_secret": "1:an-app-secret"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old_key_only(settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


def rotate(**options: Any) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def refused_rotation() -> tuple[str, str]:
    """What it printed, and what it failed with."""
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("rotate_keys", stdout=out)
    assert raised.value.returncode != 0
    return out.getvalue(), str(raised.value)


def stored() -> dict[Any, tuple[str, ...]]:
    """The columns as the database has them, by primary key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, secrets, token FROM brokers_brokerlogin")
        return {pk: tuple(texts) for pk, *texts in cursor.fetchall()}


def store(login: BrokerLogin, ciphertext: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brokers_brokerlogin SET token = %s WHERE id = %s", [ciphertext, login.pk])


def opens_with(key: str, ciphertext: str) -> bool:
    return Fernet(key).decrypt(ciphertext.encode()) != b""


def test_every_secret_is_under_the_newest_key_and_still_the_same(settings: LazySettings) -> None:
    logins = [BrokerLoginFactory(token=f"token {number}") for number in range(5)]
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert rotate(batch=2) == (
        "brokers.BrokerLogin: 5 re-encrypted, 0 already under the newest key, 0 refused, 0 busy\n"
    )
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    for number, login in enumerate(logins):
        login.refresh_from_db()
        assert (login.secrets, login.token) == (SECRETS, f"token {number}")


def test_a_second_run_finds_nothing_to_do(settings: LazySettings) -> None:
    BrokerLoginFactory.create_batch(3, token="a token")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = stored()
    assert "0 re-encrypted, 3 already" in rotate()
    assert stored() == before


def test_a_run_that_was_ended_goes_on_where_it_was(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    BrokerLoginFactory.create_batch(4)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotated = []

    def rotate_two(ciphertext: str) -> str:
        if len(rotated) == 2:
            raise KeyboardInterrupt
        rotated.append(ciphertext)
        return _rotate(ciphertext)

    _rotate = vault.rotate
    monkeypatch.setattr(vault, "rotate", rotate_two)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    monkeypatch.setattr(vault, "rotate", _rotate)
    assert "2 re-encrypted, 2 already" in rotate()


def test_what_is_empty_stays_empty(settings: LazySettings) -> None:
    login = BrokerLoginFactory(secrets=None, token="")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert "0 re-encrypted, 1 already" in rotate()
    assert stored()[login.pk] == ("", "")


def test_a_row_that_no_key_opens_is_refused_whole_and_the_others_are_done(settings: LazySettings) -> None:
    good, bad = BrokerLoginFactory(token="good"), BrokerLoginFactory(token="bad")
    store(bad, Fernet(LOST).encrypt(b"bad").decode())
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    out, error = refused_rotation()
    after = stored()
    assert after[bad.pk] == before[bad.pk]
    assert all(opens_with(NEW, ciphertext) for ciphertext in after[good.pk])
    assert "1 re-encrypted, 0 already under the newest key, 1 refused" in out
    assert f"brokers.BrokerLogin {bad.pk}: no key" in error
    assert str(good.pk) not in error


def test_what_is_no_ciphertext_at_all_is_refused(settings: LazySettings) -> None:
    login = BrokerLoginFactory(token="a token")
    store(login, "plain text, by some accident: ü")
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    _, error = refused_rotation()
    assert f"{login.pk}: no key" in error
    assert stored() == before


def test_without_the_old_key_nothing_changes(settings: LazySettings) -> None:
    BrokerLoginFactory.create_batch(2, token="a token")
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    out, _ = refused_rotation()
    assert "0 re-encrypted, 0 already under the newest key, 2 refused" in out
    assert stored() == before


def test_without_any_key_it_does_not_begin(settings: LazySettings) -> None:
    BrokerLoginFactory()
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = []
    out, error = refused_rotation()
    assert (out, error) == ("", "FIELD_ENCRYPTION_KEYS is empty")
    assert stored() == before


def test_neither_plaintext_nor_ciphertext_is_printed(settings: LazySettings) -> None:
    good, bad = BrokerLoginFactory(token="good-token"), BrokerLoginFactory(token="bad-token")
    store(bad, Fernet(LOST).encrypt(b"bad-token").decode())
    texts = {text for row in stored().values() for text in row}
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    out, error = refused_rotation()
    texts |= {text for row in stored().values() for text in row}
    for secret in [*texts, *SECRETS.values(), "good-token", "bad-token", good.username, OLD, NEW]:
        assert secret not in out + error


def test_a_token_that_is_refreshed_meanwhile_is_not_overwritten(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a process that still writes with the old key: its token is kept, and put under the new one."""
    login = BrokerLoginFactory(token="stale")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    _rotate = vault.rotate
    refreshed = []

    def refresh_before(ciphertext: str) -> str:
        if not refreshed:
            refreshed.append(Fernet(OLD).encrypt(b"fresh").decode())
            store(login, refreshed[0])
        return _rotate(ciphertext)

    monkeypatch.setattr(vault, "rotate", refresh_before)
    assert "1 re-encrypted" in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    login.refresh_from_db()
    assert (login.secrets, login.token) == (SECRETS, "fresh")


def test_a_row_that_never_holds_still_is_named_and_left_alone(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = BrokerLoginFactory(token="stale")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    _rotate = vault.rotate

    def refresh_before(ciphertext: str) -> str:
        store(login, Fernet(OLD).encrypt(b"fresh").decode())
        return _rotate(ciphertext)

    monkeypatch.setattr(vault, "rotate", refresh_before)
    out, error = refused_rotation()
    assert "0 re-encrypted, 0 already under the newest key, 0 refused, 1 busy" in out
    assert f"brokers.BrokerLogin {login.pk}: changed each time" in error
    login.refresh_from_db()
    assert login.token == "fresh"


def test_a_row_that_is_deleted_meanwhile_is_no_trouble(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    login = BrokerLoginFactory()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    _rotate = vault.rotate

    def delete_before(ciphertext: str) -> str:
        BrokerLogin.objects.filter(pk=login.pk).delete()
        return _rotate(ciphertext)

    monkeypatch.setattr(vault, "rotate", delete_before)
    assert "0 re-encrypted" in rotate()


def test_every_encrypted_field_of_every_app_is_found() -> None:
    found = {model._meta.label: names for model, names in rotate_keys.encrypted_fields()}
    assert found["brokers.BrokerLogin"] == ["secrets", "token"]


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="--batch: was 0"):
        rotate(batch=0)
