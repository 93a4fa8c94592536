"""Setting, changing and removing limits. One that is tightened counts at once; none is loosened while it locks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from brokers.models import BrokerAccount
from justtrades import clock
from recorders.models import Recorder
from risk.events import note
from risk.models import MONEY, EventKind, LimitKind, LimitScope, RiskAction, RiskLimit, Unit
from risk.selectors import in_force
from traders.models import Trader

MOST_PERCENT = Decimal(100)
UNLOCK_FIRST = "It keeps entries out now: unlock first, then loosen it."
NOTHING = "Say what to change: nothing was given."
CHANGED_MEANWHILE = "Somebody changed this limit at the same moment: look at it again."


class Target(TypedDict, total=False):
    """What is limited: the one that the scope names, none for `user`."""

    trader: Trader | None
    account: BrokerAccount | None
    recorder: Recorder | None


class Changes(TypedDict, total=False):
    """What can be changed of a limit; its scope, target and kind are what it is."""

    amount: Decimal
    unit: str
    basis: str
    is_enabled: bool
    owner_may_unlock: bool


def set_limit(
    *, owner: User, actor: User, scope: str, kind: str, target: Target, **given: Unpack[Changes]
) -> RiskLimit:
    """A new limit, in force at once. `amount` is positive, in `unit`. Raises `ValidationError` naming the field."""
    _check_target(owner, scope, target)
    limit = RiskLimit(owner=owner, scope=scope, kind=kind, **target, **_with_unit(kind, given))
    _check(limit)
    try:
        with transaction.atomic():
            limit.save(force_insert=True)
            _note(EventKind.LIMIT_SET, limit, actor, f"{limit} on {name_of(limit)}{_switched(limit)}")
    except IntegrityError:
        raise ValidationError({"kind": "There is such a limit on it already: change that one."}) from None
    return limit


def change_limit(*, limit: RiskLimit, actor: User, **changes: Unpack[Changes]) -> RiskLimit:
    """Change what is given and nothing else, at once. Raises `ValidationError` naming the field."""
    if not changes:
        raise ValidationError(NOTHING)
    before = RiskLimit.objects.get(pk=limit.pk)
    for name, value in changes.items():
        setattr(limit, name, value)
    _check(limit)
    looser = loosened(before, limit)
    with transaction.atomic():
        # As it was read, so that what counts as looser was judged by what stands there.
        rows = _unlocked(limit) if looser else RiskLimit.objects.filter(pk=limit.pk)
        values: dict[str, Any] = {**changes, "updated_at": clock.now()}
        if rows.filter(updated_at=before.updated_at).update(**values) != 1:
            raise ValidationError(_why_not(before, looser))
        limit.updated_at = values["updated_at"]
        now, was = (f"{one}{_switched(one)}" for one in (limit, before))
        _note(EventKind.LIMIT_SET, limit, actor, f"{now} on {name_of(limit)}, was {was}")
    return limit


def remove_limit(*, limit: RiskLimit, actor: User) -> None:
    """Raises `ValidationError` while it keeps entries out."""
    with transaction.atomic():
        _note(EventKind.LIMIT_REMOVED, limit, actor, f"{limit} on {name_of(limit)}")
        removed, _ = _unlocked(limit).delete()
        if removed == 0 and RiskLimit.objects.filter(pk=limit.pk).exists():
            raise ValidationError(UNLOCK_FIRST)


def loosened(before: RiskLimit, after: RiskLimit) -> str:
    """The field that makes it the looser limit, "" for none. Another unit or mark cannot be compared, so it counts."""
    if after.unit != before.unit:
        return "unit"
    if after.basis != before.basis and after.kind == LimitKind.TRAILING_DRAWDOWN:
        return "basis"
    if after.amount > before.amount:
        return "amount"
    if before.is_enabled and not after.is_enabled:
        return "is_enabled"
    if after.owner_may_unlock and not before.owner_may_unlock:
        return "owner_may_unlock"
    return ""


def name_of(limit: RiskLimit) -> str:
    """What it is on, for people."""
    target = limit.trader or limit.account or limit.recorder
    return "everything" if target is None else str(target)


def _check_target(owner: User, scope: str, target: Target) -> None:
    """The one that the scope names, of the owner, and no other."""
    if scope not in LimitScope.values:
        raise ValidationError({"scope": "There is no such scope."})
    for name in (LimitScope.TRADER, LimitScope.ACCOUNT, LimitScope.RECORDER):
        given: Trader | BrokerAccount | Recorder | None = target.get(name.value)  # type: ignore[assignment]
        if name == scope and (given is None or given.owner_id != owner.pk):
            raise ValidationError({name.value: f"There is no such {name.value}."})
        if name != scope and given is not None:
            raise ValidationError({name.value: f"A limit of scope {scope} has none."})


def _with_unit(kind: str, given: Changes) -> Changes:
    """Contracts and positions are counted; that is the only unit they have, so it need not be said."""
    usual = Unit.DOLLARS if kind in MONEY else Unit.COUNT
    return {"unit": usual.value, **given}


def _check(limit: RiskLimit) -> None:
    """Raises `ValidationError` naming the field."""
    limit.full_clean(validate_constraints=False, exclude=["trader", "account", "recorder", "owner"])
    if limit.amount <= 0:
        raise ValidationError({"amount": f"Must be above 0, was {limit.amount}."})
    if limit.kind in MONEY:
        _check_money(limit)
    elif limit.unit != Unit.COUNT:
        raise ValidationError({"unit": "This limit counts: its unit is count."})
    elif limit.amount != limit.amount.to_integral_value():
        raise ValidationError({"amount": f"Must be a whole number, was {limit.amount}."})


def _check_money(limit: RiskLimit) -> None:
    if limit.unit == Unit.COUNT:
        raise ValidationError({"unit": "This limit is dollars or percent."})
    if limit.unit == Unit.PERCENT and limit.amount > MOST_PERCENT:
        raise ValidationError({"amount": f"Must be at most 100 %, was {limit.amount}."})


def _unlocked(limit: RiskLimit) -> QuerySet[RiskLimit]:
    """The limit's row, unless a lock of it is in force."""
    locks = in_force(RiskAction.objects.filter(limit=OuterRef("pk")))
    return RiskLimit.objects.filter(~Exists(locks), pk=limit.pk)


def _why_not(before: RiskLimit, looser: str) -> Any:
    is_locked = bool(looser) and not _unlocked(before).exists()
    return {looser: UNLOCK_FIRST} if is_locked else CHANGED_MEANWHILE


def _switched(limit: RiskLimit) -> str:
    return "" if limit.is_enabled else " (off)"


def _note(kind: EventKind, limit: RiskLimit, actor: User, text: str) -> None:
    note(kind, text, owner_id=limit.owner_id, subject=limit.pk, actor_id=actor.pk)
