"""Switching logins on and off, having them opened again, and forgetting them."""

from __future__ import annotations

import hashlib
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction

from brokers.base import ConnectionState
from brokers.models import BrokerLogin
from brokers.selectors import obstacles_to_deleting
from justtrades import clock

_LANE_SLOTS = 2**31


def lane_slot_of(login_id: uuid.UUID) -> int:
    """A stable number below 2**31: the lane is this modulo the number of lanes, on every machine alike."""
    return int.from_bytes(hashlib.sha256(login_id.bytes).digest()[:4], "big") % _LANE_SLOTS


def enable_login(*, login: BrokerLogin) -> BrokerLogin:
    """Let the login's lane connect it. Raises `ValidationError` while its owner has not approved it at the broker."""
    if login.awaits_approval:
        raise ValidationError("The broker waits for your approval of this login: approve it first.")
    return _set_enabled(login, is_enabled=True)


def disable_login(*, login: BrokerLogin) -> BrokerLogin:
    """Have the login's lane close its connection; nothing is sent for its accounts until it is enabled again."""
    return _set_enabled(login, is_enabled=False)


def reconnect_login(*, login: BrokerLogin) -> BrokerLogin:
    """Have the login's lane drop its connection and open a new one. Raises `ValidationError` where it has none."""
    if not login.is_enabled:
        raise ValidationError("The login is switched off: switch it on to connect it.")
    login.reconnect_at = clock.now()
    login.save(update_fields=["reconnect_at"])
    return login


def delete_login(*, login: BrokerLogin) -> None:
    """Forget the login: its secrets and token are wiped, its accounts leave every list, its history stays.

    Connecting the same login again brings its accounts back. Raises `ValidationError` naming what stands in the way.
    """
    with transaction.atomic():
        obstacles = obstacles_to_deleting(login)
        if obstacles:
            raise ValidationError(obstacles)
        login.secrets, login.token, login.token_expires_at = None, "", None
        login.is_enabled, login.awaits_approval, login.deleted_at = False, False, clock.now()
        login.state, login.state_detail = ConnectionState.DOWN.value, ""
        login.save(
            update_fields=[
                "secrets", "token", "token_expires_at", "is_enabled", "awaits_approval", "deleted_at", "state",
                "state_detail",
            ]
        )  # fmt: skip


def _set_enabled(login: BrokerLogin, *, is_enabled: bool) -> BrokerLogin:
    login.is_enabled = is_enabled
    login.save(update_fields=["is_enabled"])
    return login
