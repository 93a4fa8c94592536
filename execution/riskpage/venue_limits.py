"""The broker's own loss limits: the last line of defence when we are down. Asked for, set, and written down."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.selectors import Person
from brokers import services
from brokers.models import BrokerAccount
from brokers.venue import LossLimits
from risk import selectors
from risk.events import note
from risk.models import EventKind, LimitKind, LimitScope, Unit
from risk.monitors import CENT, money

LABELS = {
    "daily_loss_alert": "Daily loss: tell me",
    "daily_loss_liq_only": "Daily loss: open nothing more",
    "daily_loss_auto_liq": "Daily loss: close everything",
    "weekly_loss_auto_liq": "Weekly loss: close everything",
    "daily_profit_auto_liq": "Daily profit: close everything",
    "weekly_profit_auto_liq": "Weekly profit: close everything",
    "drawdown": "Trailing drawdown: close everything",
    "drawdown_stops_at": "The drawdown's floor stops rising at",
    "drawdown_mode": "The drawdown trails",
    "daily_loss_percent_alert": "Daily loss: tell me",
    "daily_loss_percent_liq_only": "Daily loss: open nothing more",
    "daily_loss_percent_auto_liq": "Daily loss: close everything",
}
OF_A_DRAWDOWN = frozenset({"drawdown_stops_at", "drawdown_mode"})
Changes = Mapping[str, Decimal | str | None]


def ask(*, account: BrokerAccount) -> LossLimits:
    """What the broker has now, kept beside the account. Raises `ValidationError` saying why there is no answer."""
    return services.read_venue_limits(account=account)


def set_limits(*, actor: User, account: BrokerAccount, changes: Changes) -> LossLimits:
    """Have the broker take these; None takes one away, what is not named stays. What came of it is written down.

    Raises `ValidationError` naming the field.
    """
    services.check_venue_limits(account=account, changes=changes)
    outcome = "what came of it is not known"
    try:
        after = services.set_venue_limits(account=account, changes=changes)
        outcome = "set"
    except ValidationError as error:
        outcome = " ".join(error.messages)
        raise
    finally:
        words = ", ".join(f"{LABELS[name]} {_in_words(value)}" for name, value in changes.items())
        text = f"{account.name} at the broker: {words}: {outcome}"
        note(EventKind.VENUE_LIMITS_SET, text, owner_id=account.owner_id, subject=account.pk, actor_id=actor.pk)
    return after


def loosens(account: BrokerAccount, changes: Changes) -> bool:
    """Whether this takes a limit away or raises one, by what the broker last said; it is asked where it never was.

    How a drawdown trails cannot be compared: a change of it counts. Raises `ValidationError` as `set_limits` does.
    """
    services.check_venue_limits(account=account, changes=changes)
    known = services.known_venue_limits(account) or ask(account=account)
    return any(_is_looser(name, value, known) for name, value in changes.items())


def own_daily_loss(user: Person, account: BrokerAccount) -> Decimal | None:
    """The daily loss in dollars that its owner allows the account with us; None where there is none."""
    limits = selectors.list_limits_for(user).filter(
        scope=LimitScope.ACCOUNT, account=account, kind=LimitKind.DAILY_LOSS, unit=Unit.DOLLARS, is_enabled=True
    )
    amount = limits.values_list("amount", flat=True).first()
    return None if amount is None else amount.quantize(CENT)


def _is_looser(name: str, value: Decimal | str | None, known: LossLimits) -> bool:
    had = getattr(known, name)
    if name in OF_A_DRAWDOWN:
        return known.drawdown is not None and value != had
    return had is not None and (not isinstance(value, Decimal) or value > had)


def _in_words(value: Decimal | str | None) -> str:
    if value is None:
        return "none"
    return money(value) if isinstance(value, Decimal) else value
