"""The loss limits that a venue itself enforces: asked of it, set there, and kept beside the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from pydantic import TypeAdapter

from brokers.access import Access
from brokers.base import AccountRef
from brokers.errors import AuthExpired, AuthFailed, BrokerError, RateLimited, Refused
from brokers.models import BrokerAccount
from brokers.picker import label_of
from brokers.registry import VENUES
from brokers.services.access import access_of
from brokers.services.budgets import PersonBudget
from brokers.services.connecting import refuse_transaction
from brokers.vault import WrongKey
from brokers.venue import DOLLAR_LIMITS, DRAWDOWN_MODES, SETTABLE_LIMITS, LossLimits, LossLimitsDesk
from justtrades import clock

MOST_DOLLARS = Decimal(100_000_000)
CENTS = 2
_JSON = TypeAdapter(LossLimits)


def has_venue_limits(account: BrokerAccount) -> bool:
    """Whether the account's venue enforces loss limits of its own that we can read and set."""
    venue = VENUES.get(account.login.venue)
    return venue is not None and venue.loss_limits is not None


def known_venue_limits(account: BrokerAccount) -> LossLimits | None:
    """What the venue last said, as the account keeps it; None where it was never asked."""
    if account.venue_limits_at is None:
        return None
    return _JSON.validate_python(account.venue_limits)


def check_venue_limits(*, account: BrokerAccount, changes: Mapping[str, Decimal | str | None]) -> None:
    """Asks nobody. Raises `ValidationError` where the venue has no such limits, or naming the field that is wrong."""
    _desk_of(account)
    if not changes:
        raise ValidationError("Say what to change: nothing was given.")
    wrong = {}
    for name, value in changes.items():
        if name not in SETTABLE_LIMITS:
            wrong[name] = "There is no such limit to set."
        elif value is not None and not _is_good(name, value):
            choices = f"one of {', '.join(DRAWDOWN_MODES)}"
            wanted = "dollars above 0, with cents at most" if name in DOLLAR_LIMITS else choices
            wrong[name] = f"Must be {wanted}, or empty: had {value}."
    if wrong:
        raise ValidationError(wrong)


def read_venue_limits(*, account: BrokerAccount) -> LossLimits:
    """Ask the venue, and keep its answer. Not inside a transaction.

    Raises `ValidationError` saying why where there is no answer.
    """
    refuse_transaction()
    desk = _desk_of(account)
    return _keep(account, _asked(account, desk.read))


def set_venue_limits(*, account: BrokerAccount, changes: Mapping[str, Decimal | str | None]) -> LossLimits:
    """Set these `SETTABLE_LIMITS` at the venue, in dollars; None takes one away, what is not named stays.

    Answers with what the venue has afterwards. Not inside a transaction. Raises `ValidationError` naming the field.
    """
    refuse_transaction()
    check_venue_limits(account=account, changes=changes)
    desk = _desk_of(account)
    before = _asked(account, desk.read)
    wanted: dict[str, Any] = dict(changes)
    after = _keep(account, _asked(account, desk.write, replace(before, **wanted)))
    others = {name: _kept(getattr(after, name)) for name, value in changes.items() if getattr(after, name) != value}
    if others:
        raise ValidationError(others)
    return after


def _desk_of(account: BrokerAccount) -> LossLimitsDesk:
    venue = VENUES.get(account.login.venue)
    if venue is None or venue.loss_limits is None:
        raise ValidationError(f"{label_of(account.login.venue)} has no loss limits of its own that we could set.")
    return venue.loss_limits


def _is_good(name: str, value: Decimal | str) -> bool:
    if name not in DOLLAR_LIMITS:
        return value in DRAWDOWN_MODES
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    return 0 < value <= MOST_DOLLARS and round(value, CENTS) == value


def _asked(account: BrokerAccount, ask: Callable[..., LossLimits], *words: LossLimits) -> LossLimits:
    """Raises `ValidationError` with the venue's own reason."""
    try:
        return ask(_access(account), AccountRef(account.broker_id, account.name), *words)
    except (AuthFailed, AuthExpired) as error:
        raise ValidationError(f"The broker refused to sign in: {error}") from None
    except Refused as error:
        raise ValidationError(f"The broker refused: {error.text or error.code}") from None
    except RateLimited as error:
        raise ValidationError(f"The broker wants silence until {error.until:%H:%M:%S} UTC.") from None
    except BrokerError as error:
        raise ValidationError(f"The broker gave no answer, ask it again: {error}") from None
    except WrongKey as error:
        raise ValidationError(str(error)) from None


def _access(account: BrokerAccount) -> Access:
    return access_of(account.login, budget=PersonBudget(account.login))


def _keep(account: BrokerAccount, limits: LossLimits) -> LossLimits:
    """Decimals as text: JSON knows only floats."""
    account.venue_limits = _JSON.dump_python(limits, mode="json", exclude_none=True)
    account.venue_limits_at = clock.now()
    with transaction.atomic(durable=True):
        account.save(update_fields=["venue_limits", "venue_limits_at"])
    return limits


def _kept(value: Decimal | str | None) -> str:
    return f"The broker did not take it: it has {'no limit' if value is None else value} now."
