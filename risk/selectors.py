"""The only doors to a user's limits, locks, rules and figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import User
from accounts.selectors import Person
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from brokers.sessions import session_of
from justtrades import clock
from risk.models import (
    AccountDay,
    AccountRules,
    PackAssignment,
    RiskAction,
    RiskEvent,
    RiskLimit,
    Switch,
)

LONGEST_CLOSED = timedelta(days=7)
"""Longer than any exchange is closed: how far back the days of a week are looked for."""


def list_limits_for(user: Person) -> QuerySet[RiskLimit]:
    """With what each limits, oldest first."""
    return RiskLimit.objects.filter(owner_id=user.pk).select_related(
        "trader__recorder", "trader__account", "account", "recorder"
    )


def get_limit_for(user: Person, pk: UUID | str) -> RiskLimit:
    """Raises `RiskLimit.DoesNotExist`."""
    return list_limits_for(user).get(pk=pk)


def list_actions_for(user: Person) -> QuerySet[RiskAction]:
    """Newest first."""
    return _with_names(RiskAction.objects.filter(owner_id=user.pk))


def list_actions_seen_by(user: User) -> QuerySet[RiskAction]:
    """What the user may act on: staff may on everybody's."""
    return _with_names(RiskAction.objects.all() if user.is_staff else RiskAction.objects.filter(owner_id=user.pk))


def get_action_seen_by(user: User, pk: UUID | str) -> RiskAction:
    """Raises `RiskAction.DoesNotExist`."""
    return list_actions_seen_by(user).get(pk=pk)


def list_locks_for(user: Person) -> QuerySet[RiskAction]:
    """Those that keep entries out now."""
    return in_force(list_actions_for(user))


def in_force(actions: QuerySet[RiskAction]) -> QuerySet[RiskAction]:
    """Of these, the ones whose lock holds now."""
    return actions.filter(unlocked_at=None, locks_until__gt=clock.now())


def is_in_force(action: RiskAction) -> bool:
    """Whether its lock holds now."""
    return action.unlocked_at is None and action.locks_until is not None and action.locks_until > clock.now()


def rules_of(account: BrokerAccount) -> AccountRules:
    """As they hold: the stored ones, or unsaved defaults. The caller holds the account already."""
    return AccountRules.objects.filter(account=account).first() or AccountRules(account=account)


def list_accounts_with_risk_for(user: Person) -> QuerySet[BrokerAccount]:
    """With `equity`, `risk_rules` and `rule_pack` where they have them, in one query."""
    return list_accounts_for(user).select_related("equity", "risk_rules", "rule_pack")


def list_assignments_for(user: Person) -> QuerySet[PackAssignment]:
    return PackAssignment.objects.filter(
        account__owner_id=user.pk, account__login__deleted_at=None
    ).select_related("account").order_by("account__name", "pk")  # fmt: skip


def list_events_for(user: Person) -> QuerySet[RiskEvent]:
    """What was changed and decided about the user's risk, newest first; the platform's switch is everybody's."""
    return RiskEvent.objects.filter(Q(owner_id=user.pk) | Q(owner=None)).select_related("actor")


def list_switches_for(user: Person) -> QuerySet[Switch]:
    """The switches in force that stop any of the user's trading, the platform's included; newest first."""
    return Switch.objects.filter(Q(owner_id=user.pk) | Q(owner=None), released_at=None).select_related("actor")


def get_switch_for(user: Person, pk: UUID | str) -> Switch:
    """One in force: of the user's own, for staff anybody's. Raises `Switch.DoesNotExist`."""
    rows = Switch.objects.filter(released_at=None)
    return (rows if user.is_staff else rows.filter(owner_id=user.pk)).get(pk=pk)


def list_days_for(user: Person) -> QuerySet[AccountDay]:
    """Every account's trading days of this week and the one before, oldest first."""
    return AccountDay.objects.filter(
        account__owner_id=user.pk, account__login__deleted_at=None, session__gte=_first_day()
    ).order_by("session")  # fmt: skip


def list_day_results(account_ids: Iterable[UUID]) -> QuerySet[AccountDay, tuple[UUID, Decimal, Decimal]]:
    """Of accounts that the caller holds already, under a firm's rules: account, realised and fees, oldest first.

    Of each day that was not over when the account was put under them.
    """
    days = AccountDay.objects.filter(
        account__in=list(account_ids), ends_at__gt=F("account__rule_pack__assigned_at")
    ).order_by("session")  # fmt: skip
    return days.values_list("account_id", "realized", "fees")


def week_of(session: date) -> date:
    """The Monday of the session's week."""
    return session - timedelta(days=session.weekday())


def _first_day() -> date:
    return session_of(clock.now()).day - LONGEST_CLOSED


def _with_names(actions: QuerySet[RiskAction]) -> QuerySet[RiskAction]:
    return actions.select_related("account", "trader__recorder", "limit", "unlocked_by")
