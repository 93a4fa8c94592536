"""Columns that are ciphertext in the database."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from brokers import vault

# What a dump of rows holds instead of the secret.
_DUMPED = "vault:"


class EncryptedTextField(models.TextField[Any, Any]):
    """Encrypts on the way in, decrypts on the way out, and is ciphertext in a dump of rows too.

    A wrong key raises `vault.WrongKey`: it fails closed.
    """

    def get_prep_value(self, value: Any) -> Any:
        return "" if value in (None, "") else vault.encrypt(value)

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str:
        return "" if value in (None, "") else vault.decrypt(str(value))

    def value_to_string(self, obj: models.Model) -> str:
        stored = self.get_prep_value(self.value_from_object(obj))
        return f"{_DUMPED}{stored}" if stored else ""

    def to_python(self, value: Any) -> Any:
        is_dumped = isinstance(value, str) and value.startswith(_DUMPED)
        return vault.decrypt(value.removeprefix(_DUMPED)) if is_dumped else super().to_python(value)


class EncryptedJsonField(EncryptedTextField):
    """A document as one ciphertext. None, and only None, is stored as the empty text: nothing is kept."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value if value in (None, "") else json.dumps(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        text = super().from_db_value(value, expression, connection)
        return json.loads(text) if text else None

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) if isinstance(value, str) else value
        return json.loads(text) if isinstance(text, str) and text else text
