"""Making and changing traders."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from accounts.models import User
from brokers.models import BrokerAccount
from recorders.models import Recorder
from traders.models import Trader


class TraderSettings(TypedDict, total=False):
    """How a trader follows: see `Trader`. An override of None is inherited from the recorder when the signal comes."""

    multiplier: Decimal
    initial_position_size: int | None
    target_ticks: int | None
    stop_ticks: int | None
    max_contracts: int


def create_trader(
    *,
    owner: User,
    recorder: Recorder,
    account: BrokerAccount,
    is_enabled: bool = True,
    **given: Unpack[TraderSettings],
) -> Trader:
    """Follow the owner's recorder on the owner's account. Raises `ValidationError` naming the field."""
    if recorder.owner_id != owner.pk:
        raise ValidationError({"recorder": "There is no such recorder."})
    if account.owner_id != owner.pk:
        raise ValidationError({"account": "There is no such account."})
    trader = Trader(owner=owner, recorder=recorder, account=account, is_enabled=is_enabled, **given)
    _save(trader)
    return trader


def update_trader(*, trader: Trader, **changes: Unpack[TraderSettings]) -> Trader:
    """Change what is given and nothing else; it counts from the next signal. Raises `ValidationError`."""
    for field, value in changes.items():
        setattr(trader, field, value)
    _save(trader, list(changes))
    return trader


def enable_trader(*, trader: Trader) -> Trader:
    trader.is_enabled = True
    trader.save(update_fields=["is_enabled"])
    return trader


def disable_trader(*, trader: Trader) -> Trader:
    """No new entry from now on; the exits of a position it holds still pass."""
    trader.is_enabled = False
    trader.save(update_fields=["is_enabled"])
    return trader


def delete_trader(*, trader: Trader) -> None:
    """Forget a trader that never traded. Raises `ValidationError` once an intent, order or position refers to it."""
    try:
        with transaction.atomic():
            # Not `delete()`: Django would cascade through the money's history first. This asks the foreign keys.
            Trader.objects.filter(pk=trader.pk)._raw_delete(using=DEFAULT_DB_ALIAS)
            connection.check_constraints()
    except IntegrityError:
        raise ValidationError(
            "This trader has traded, and its history stays: disable it instead.", code="has_history"
        ) from None


def _save(trader: Trader, fields: list[str] | None = None) -> None:
    trader.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            trader.save(update_fields=fields)
    except IntegrityError:
        raise ValidationError({"account": "This account follows the recorder already."}) from None
