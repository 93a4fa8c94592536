"""Secrets that were stored in two columns are readable in one document."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from brokers import vault
from brokers.models import BrokerLogin

_OLD = """
    INSERT INTO brokers_brokerlogin (id, owner_id, venue, environment, firm, username, auth_kind, settings, secrets,
        password, app_secret, token, device_id, lane_slot, is_enabled, state, state_detail, awaits_approval, created_at)
    VALUES (%s, %s, 'tradovate', 'demo', '', %s, 'credentials', '{}', '', %s, %s, %s, 'd', 1, true, 'down', '', false,
        %s)
"""


def test_what_was_encrypted_before_is_readable_after_and_back(transactional_db: None) -> None:
    owner = User.objects.create_user("dora@example.com")
    expires = now()
    BrokerLogin.objects.create(
        owner=owner, venue="tradovate", environment="demo", username="newer", device_id="d", lane_slot=1,
        secrets={"password": "later", "app_secret": "9:key"},
    )  # fmt: skip
    call_command("migrate", "brokers", "0004", verbosity=0)
    try:
        token = json.dumps({"access": "a", "expires_at": expires.isoformat()})
        with connection.cursor() as cursor:
            cursor.execute("SELECT password, app_secret FROM brokers_brokerlogin")
            assert [vault.decrypt(value) for value in cursor.fetchone()] == ["later", "9:key"]
            for name, values in {"full": ("hunter2", "8:key", token), "wiped": ("", "", "")}.items():
                ciphertexts = [vault.encrypt(value) if value else "" for value in values]
                cursor.execute(_OLD, [uuid.uuid4(), owner.pk, name, *ciphertexts, expires])
    finally:
        # All apps: those above this one went back with it.
        call_command("migrate", verbosity=0)
    full, newer, wiped = BrokerLogin.objects.order_by("username")
    assert full.secrets == {"password": "hunter2", "app_secret": "8:key"}
    assert full.token_expires_at == expires
    assert newer.secrets == {"password": "later", "app_secret": "9:key"}
    assert (wiped.secrets, wiped.token_expires_at) == (None, None)
    columns = _columns()
    assert "secrets" in columns
    assert not {"password", "app_secret"} & columns


def _columns() -> set[Any]:
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, "brokers_brokerlogin")
    return {column.name for column in description}
