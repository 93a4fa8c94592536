"""Making and changing recorders and their secret addresses."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from accounts.models import User
from brokers.instruments import UnknownTicker, product_of
from justtrades import clock
from recorders.models import Recorder, WebhookToken
from recorders.selectors import list_live_tokens
from recorders.settings import BadSettings, read_settings

ROTATION_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
_TOKEN_BYTES = 32
_MOST_SYMBOLS = 100
_MOST_TRIES = 5
_LONGEST_TICKER = 64
_LONGEST_NAME_TO_COPY = 68
_COPY_NUMBERS = tuple(f" {number}" for number in range(2, 100))


class RecorderChanges(TypedDict, total=False):
    """`settings` states fields of `recorders.settings`; those that it does not state stay as they are."""

    name: str
    is_enabled: bool
    settings: Mapping[str, Any]
    symbol_map: Mapping[str, str]
    on_desync: str
    expected_every_minutes: int


def create_recorder(*, owner: User, **given: Unpack[RecorderChanges]) -> tuple[Recorder, str]:
    """A new recorder and its webhook token, which cannot be read again. Raises `ValidationError` naming the field."""
    recorder = Recorder(owner=owner)
    _set(recorder, given)
    with transaction.atomic():
        _save(recorder)
        return recorder, _add_token(recorder)


def update_recorder(*, recorder: Recorder, **changes: Unpack[RecorderChanges]) -> Recorder:
    """Change what is given and nothing else. Raises `ValidationError` naming the field.

    Settings that somebody else changed at the same moment are kept: what is given is put over what is stored.
    """
    for _ in range(_MOST_TRIES):
        seen = recorder.template
        fields = _set(recorder, changes)
        if "template" not in fields or _swap_template(recorder, seen):
            _save(recorder, fields)
            return recorder
        recorder.refresh_from_db(fields=["template"])
    raise ValidationError({"settings": "Somebody else keeps changing them. Try again."})


def _swap_template(recorder: Recorder, seen: dict[str, Any]) -> bool:
    """Store the template if nobody has changed it since it was read."""
    return Recorder.objects.filter(pk=recorder.pk, template=seen).update(template=recorder.template) == 1


def clone_recorder(*, recorder: Recorder) -> tuple[Recorder, str]:
    """Another recorder with the same settings, a name and an address of its own, and nobody who follows it."""
    names = set(Recorder.objects.filter(owner=recorder.owner).values_list("name", flat=True))
    copies = (f"{recorder.name[:_LONGEST_NAME_TO_COPY]} (copy{number})" for number in ("", *_COPY_NUMBERS))
    name = next((copy for copy in copies if copy not in names), "")
    return create_recorder(
        owner=recorder.owner,
        name=name,
        is_enabled=recorder.is_enabled,
        settings=recorder.template,
        symbol_map=recorder.symbol_map,
        on_desync=recorder.on_desync,
        expected_every_minutes=recorder.expected_every_minutes,
    )


def delete_recorder(*, recorder: Recorder) -> None:
    """Forget a recorder that nothing refers to. Raises `ValidationError` once it has a signal or a trader."""
    try:
        with transaction.atomic():
            recorder.tokens.all().delete()
            # Not `delete()`: Django would cascade through the money's history first. This asks the foreign keys.
            Recorder.objects.filter(pk=recorder.pk)._raw_delete(using=DEFAULT_DB_ALIAS)
            connection.check_constraints()
    except IntegrityError:
        raise ValidationError(
            "This recorder has signals or traders, and their history stays: disable it instead.", code="has_history"
        ) from None


def rotate_token(*, recorder: Recorder, overlap: timedelta = ROTATION_OVERLAP) -> str:
    """A new webhook token; the older ones work for `overlap` more (0 to 7 days), so that no alert is lost meanwhile."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError({"overlap": f"Must be between 0 and {LONGEST_OVERLAP.days} days."})
    end = clock.now() + overlap
    with transaction.atomic():
        recorder.tokens.filter(expires_at__isnull=True).update(expires_at=end)
        recorder.tokens.filter(expires_at__gt=end).update(expires_at=end)
        return _add_token(recorder)


def revoke_older_tokens(*, recorder: Recorder) -> int:
    """End an overlap now: only the newest address still works. Returns how many stopped working."""
    newest = list_live_tokens(recorder).first()
    if newest is None:
        return 0
    return list_live_tokens(recorder).order_by().exclude(pk=newest.pk).update(expires_at=clock.now())


def webhook_url(token: str) -> str:
    """The address to paste into the alert."""
    return f"{settings.BASE_URL}/webhook/{token}/"


def hash_token(token: str) -> str:
    """What is stored of a token: SHA-256, hex. The token has 256 random bits, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _add_token(recorder: Recorder) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    WebhookToken.objects.create(recorder=recorder, token_hash=hash_token(token), last_four=token[-4:])
    return token


def _set(recorder: Recorder, given: RecorderChanges) -> list[str]:
    """The model's fields that were set. Raises `ValidationError`."""
    fields = []
    for name, value in given.items():
        if name == "settings":
            recorder.template = _checked_settings({**recorder.template, **dict(given["settings"])})
            fields.append("template")
            continue
        setattr(recorder, name, _checked_map(given["symbol_map"]) if name == "symbol_map" else value)
        fields.append(name)
    return fields


def _checked_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return read_settings(given).dump()
    except BadSettings as error:
        raise ValidationError(error.errors) from None


def _checked_map(given: Mapping[str, str]) -> dict[str, str]:
    """Tickers as alerts write them, upper case, to tickers that we know."""
    mapped = {str(name).strip().upper(): str(ticker).strip().upper() for name, ticker in given.items()}
    if len(mapped) > _MOST_SYMBOLS:
        raise ValidationError({"symbol_map": f"Had {len(mapped)} symbols, limit {_MOST_SYMBOLS}."})
    for name, ticker in mapped.items():
        if not 1 <= len(name) <= _LONGEST_TICKER:
            raise ValidationError({"symbol_map": f"Had {name!r}, wants 1 to {_LONGEST_TICKER} characters."})
        try:
            product_of(ticker)
        except UnknownTicker as error:
            raise ValidationError({"symbol_map": f"{name}: {error}"}) from None
    return mapped


def _save(recorder: Recorder, fields: list[str] | None = None) -> None:
    recorder.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            recorder.save(update_fields=fields)
    except IntegrityError:
        raise ValidationError({"name": "You have a recorder of this name already."}) from None
