"""How an account's day is counted, which firm's rules it is under, and where its drawdown counts from."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from brokers.models import BrokerAccount
from justtrades import clock
from risk import packs
from risk.events import note
from risk.models import AccountEquity, AccountRules, EventKind, LimitKind, PackAssignment, RiskAction
from risk.monitors import money
from risk.selectors import in_force, rules_of
from risk.services.limits import NOTHING
from risk.terms import OF_A_PACK


class Rules(TypedDict, total=False):
    """See `AccountRules`."""

    fee_per_contract: Decimal
    roll_at: time
    roll_zone: str
    unprotected_policy: str
    unprotected_after_s: int


def set_rules(*, account: BrokerAccount, actor: User, **given: Unpack[Rules]) -> AccountRules:
    """Change what is given and nothing else; it counts at once. Raises `ValidationError` naming the field.

    When the session rolls is not changed while a lock waits for that moment. The session that runs ends no earlier
    than it was to: its losses are not forgotten, and the next one begins where it ended.
    """
    if not given:
        raise ValidationError(NOTHING)
    rules = rules_of(account)
    for name, value in given.items():
        setattr(rules, name, value)
    rules.full_clean(exclude=["account"], validate_unique=False)
    with transaction.atomic():
        AccountRules.objects.get_or_create(account=account)
        # One statement asks about locks and writes only what is given: whatever came since the rules were read stays.
        if _may_roll(account, given).update(**{name: getattr(rules, name) for name in given}) != 1:
            raise ValidationError({"roll_at": "A lock waits for the session to roll: unlock first."})
        text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in given.items())
        _note(EventKind.RULES_SET, account, actor, f"{account.name}: {text}")
    rules.refresh_from_db()
    return rules


def assign_pack(
    *, account: BrokerAccount, actor: User, pack: str, version: int, start_balance: Decimal, is_enforced: bool = True
) -> PackAssignment:
    """Put the account under a version of a firm's rules, in place of any other. Raises `ValidationError`."""
    _check_unlocked(account, OF_A_PACK, "pack")
    label = _label_of(pack, version)
    assignment = PackAssignment(
        account=account, pack=pack, version=version, start_balance=start_balance, is_enforced=is_enforced
    )
    assignment.full_clean(exclude=["account"], validate_unique=False)
    with transaction.atomic():
        PackAssignment.objects.filter(account=account).delete()
        assignment.save(force_insert=True)
        how = "" if is_enforced else ", shown only"
        _note(EventKind.PACK_ASSIGNED, account, actor, f"{account.name}: {label} from {money(start_balance)}{how}")
    return assignment


def remove_pack(*, assignment: PackAssignment, actor: User) -> None:
    """Raises `ValidationError` while one of its rules keeps entries out."""
    _check_unlocked(assignment.account, OF_A_PACK, "pack")
    with transaction.atomic():
        PackAssignment.objects.filter(pk=assignment.pk).delete()
        _note(EventKind.PACK_REMOVED, assignment.account, actor, f"{assignment.account.name}: {assignment}")


def reset_high_water(*, account: BrokerAccount, actor: User) -> AccountEquity:
    """Drawdowns count from what the account is worth now. Raises `ValidationError` while nobody knows that."""
    drawdown = Q(limit__kind=LimitKind.TRAILING_DRAWDOWN) | Q(limit_key__startswith=OF_A_PACK)
    if in_force(RiskAction.objects.filter(drawdown, account=account)).exists():
        raise ValidationError({"account": "A drawdown keeps entries out now: unlock first."})
    now = clock.now()
    with transaction.atomic():
        known = AccountEquity.objects.filter(account=account, equity__isnull=False)
        if known.update(intraday_high=F("equity"), end_of_day_high=F("equity"), reset_at=now) != 1:
            raise ValidationError({"account": "Nobody knows yet what this account is worth: the broker did not say."})
        equity = AccountEquity.objects.get(account=account)
        mark = "" if equity.intraday_high is None else f" from {money(equity.intraday_high)}"
        _note(EventKind.HIGH_WATER_RESET, account, actor, f"{account.name}: drawdowns count{mark}")
    return equity


def _may_roll(account: BrokerAccount, given: Rules) -> QuerySet[AccountRules]:
    """The account's row, unless this would roll its session at another moment while a lock waits for it."""
    rolls = Q(**{name: value for name, value in given.items() if name in {"roll_at", "roll_zone"}})
    locks = in_force(RiskAction.objects.filter(account=OuterRef("pk")))
    return AccountRules.objects.filter(rolls | ~Exists(locks) if rolls else Q(), account=account)


def _label_of(name: str, version: int) -> str:
    try:
        return packs.get(name, version).title
    except KeyError:
        raise ValidationError({"pack": f"There is no rule pack {name} of version {version}."}) from None


def _check_unlocked(account: BrokerAccount, prefix: str, field: str) -> None:
    if in_force(RiskAction.objects.filter(account=account, limit_key__startswith=prefix)).exists():
        raise ValidationError({field: "One of its rules keeps entries out now: unlock first."})


def _note(kind: EventKind, account: BrokerAccount, actor: User, text: str) -> None:
    note(kind, text, owner_id=account.owner_id, subject=account.pk, actor_id=actor.pk)
