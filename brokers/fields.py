"""A text column that is ciphertext in the database."""

from __future__ import annotations

from typing import Any

from django.db import models

from brokers import vault


class EncryptedTextField(models.TextField[Any, Any]):
    """Encrypts on the way in, decrypts on the way out. A wrong key raises `vault.WrongKey`: it fails closed."""

    def get_prep_value(self, value: Any) -> Any:
        return "" if value in (None, "") else vault.encrypt(value)

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str:
        return "" if value in (None, "") else vault.decrypt(str(value))
