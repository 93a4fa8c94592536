"""Making and changing traders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction

from accounts.models import User
from brokers.instruments import UnknownTicker, product_of
from brokers.models import BrokerAccount
from recorders.models import Recorder
from recorders.settings import BadSettings, merge, read_overrides
from traders.models import Trader


class TraderSettings(TypedDict, total=False):
    """How a trader follows: see `Trader`. `overrides` replaces all of them; a value of None in it is inherited."""

    multiplier: Decimal
    max_contracts: int | None
    custom_ticker: str
    convert_size: bool
    overrides: Mapping[str, Any]


def create_trader(
    *,
    owner: User,
    recorder: Recorder,
    account: BrokerAccount,
    is_enabled: bool = True,
    route_of: Trader | None = None,
    **given: Unpack[TraderSettings],
) -> Trader:
    """Follow the owner's recorder on the owner's account. Raises `ValidationError` naming the field.

    With `route_of` it is one more account of that trader, whose overrides it takes.
    """
    if recorder.owner_id != owner.pk:
        raise ValidationError({"recorder": "There is no such recorder."})
    if account.owner_id != owner.pk:
        raise ValidationError({"account": "There is no such account."})
    if route_of is not None:
        _check_lead(route_of, owner, recorder)
    trader = Trader(owner=owner, recorder=recorder, account=account, is_enabled=is_enabled, route_of=route_of)
    _set(trader, given)
    _save(trader)
    return trader


def update_trader(*, trader: Trader, **changes: Unpack[TraderSettings]) -> Trader:
    """Change what is given and nothing else; it counts from the next signal. Raises `ValidationError`."""
    _save(trader, _set(trader, changes))
    return trader


def switch_on(*, trader: Trader) -> Trader:
    """Without asking the broker: a person's door goes through `enabling.enable_trader`."""
    trader.is_enabled = True
    trader.save(update_fields=["is_enabled"])
    return trader


def disable_trader(*, trader: Trader) -> Trader:
    """No new entry from now on; the exits of a position it holds still pass."""
    trader.is_enabled = False
    trader.save(update_fields=["is_enabled"])
    return trader


def disable_all_traders(*, owner: User) -> int:
    """The same for every trader that the owner has; how many were on."""
    return Trader.objects.filter(owner=owner, is_enabled=True).update(is_enabled=False)


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


def _check_lead(lead: Trader, owner: User, recorder: Recorder) -> None:
    if lead.owner_id != owner.pk or lead.recorder_id != recorder.pk:
        raise ValidationError({"route_of": "There is no such trader of this recorder."})
    if lead.route_of_id is not None:
        raise ValidationError({"route_of": "That trader is itself a further account of another one."})


def _set(trader: Trader, given: TraderSettings) -> list[str]:
    """The model's fields that were set. Raises `ValidationError`."""
    for name, value in given.items():
        setattr(trader, name, _checked_overrides(trader, given["overrides"]) if name == "overrides" else value)
    if "custom_ticker" in given or "convert_size" in given:
        _check_ticker(trader)
    return list(given)


def _checked_overrides(trader: Trader, given: Mapping[str, Any]) -> dict[str, Any]:
    if trader.route_of_id is not None and given:
        raise ValidationError({"overrides": "A further account takes the overrides of its trader."})
    try:
        overrides = read_overrides(given)
        merge(trader.recorder.settings, [overrides])
    except BadSettings as error:
        raise ValidationError(error.errors) from None
    return overrides


def _check_ticker(trader: Trader) -> None:
    """A known product; and while a position is open its ticker stays, or its exits would look for another one."""
    trader.custom_ticker = trader.custom_ticker.strip().upper()
    if trader.custom_ticker:
        try:
            product_of(trader.custom_ticker)
        except UnknownTicker as error:
            raise ValidationError({"custom_ticker": str(error)}) from None
    elif trader.convert_size is True:
        raise ValidationError({"convert_size": "Needs a custom ticker to convert to."})


def _save(trader: Trader, fields: list[str] | None = None) -> None:
    trader.full_clean(validate_constraints=False)
    try:
        with transaction.atomic():
            trader.save(update_fields=fields)
    except IntegrityError:
        raise ValidationError({"account": "This account follows the recorder already."}) from None
