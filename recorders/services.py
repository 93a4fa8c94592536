"""Making and changing recorders and their secret addresses."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from accounts.models import User
from justtrades import clock
from recorders.models import Recorder, WebhookToken
from recorders.selectors import list_live_tokens

ROTATION_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
_TOKEN_BYTES = 32


class RecorderChanges(TypedDict, total=False):
    """Sizes in whole contracts, exits in ticks; see `Recorder`."""

    name: str
    is_enabled: bool
    initial_position_size: int
    target_ticks: int
    stop_ticks: int


def create_recorder(
    *,
    owner: User,
    name: str,
    is_enabled: bool = True,
    initial_position_size: int = 1,
    target_ticks: int = 0,
    stop_ticks: int = 0,
) -> tuple[Recorder, str]:
    """A new recorder and its webhook token, which cannot be read again. Raises `ValidationError` naming the field."""
    recorder = Recorder(
        owner=owner,
        name=name,
        is_enabled=is_enabled,
        initial_position_size=initial_position_size,
        target_ticks=target_ticks,
        stop_ticks=stop_ticks,
    )
    with transaction.atomic():
        _save(recorder)
        return recorder, _add_token(recorder)


def update_recorder(*, recorder: Recorder, **changes: Unpack[RecorderChanges]) -> Recorder:
    """Change what is given and nothing else. Raises `ValidationError` naming the field."""
    for field, value in changes.items():
        setattr(recorder, field, value)
    _save(recorder, list(changes))
    return recorder


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


def _save(recorder: Recorder, fields: list[str] | None = None) -> None:
    recorder.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            recorder.save(update_fields=fields)
    except IntegrityError:
        raise ValidationError({"name": "You have a recorder of this name already."}) from None
