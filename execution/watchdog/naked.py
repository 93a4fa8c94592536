"""Positions without their stop: seen within a second, given another one, closed at their account's bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Mod

from brokers.selectors import secrets_of
from execution import locks
from execution.intents import Wanting, draft, draft_flatten, write
from execution.models import IntentKind, IntentSource, OrderIntent, Position
from execution.protect import REARM
from execution.spans import close_keys, close_wish, rearm_wish
from execution.watchdog.looks import Looks
from execution.watchdog.scene import Scene
from execution.watchdog.steps import LOOK_AFTER, Step, next_step
from execution.watchdog.telling import Matter, tell
from justtrades import clock
from risk.models import AccountRules
from risk.models.book import UnprotectedPolicy

log = structlog.get_logger(__name__)
UNPROTECTED = "UNPROTECTED"
WHAT_FOLLOWS = {
    UnprotectedPolicy.REARM_THEN_FLATTEN: "its stop is placed again, then it is closed",
    UnprotectedPolicy.FLATTEN: "it is closed",
    UnprotectedPolicy.ALARM: "this account's rule is to tell you only",
}


def unprotected(lane: int) -> list[Position]:
    """The lane's positions that want a stop and have none working for their full size, longest first."""
    naked = (
        Position.objects.exclude(net_qty=0)
        .annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES))
        .filter(lane=lane, unprotected_since__isnull=False)
        .select_related("account__login")
        .defer(*secrets_of("account__login"))
    )
    return list(naked.order_by("unprotected_since", "id"))


def rules_of(account_ids: Iterable[UUID]) -> dict[UUID, AccountRules]:
    """By account, as they hold: the stored ones, or defaults."""
    wanted = set(account_ids)
    stored = AccountRules.objects.in_bulk(wanted)
    return {pk: stored.get(pk) or AccountRules(account_id=pk) for pk in wanted}


def act(positions: Sequence[Position], rules: Mapping[UUID, AccountRules], looks: Looks) -> int:
    """Do for each what is due; how many intents that made."""
    now = clock.now()
    due = [one for one in positions if _age(one, now) >= LOOK_AFTER]
    if not due:
        return 0
    scene, answered = Scene.around(due), looks.answered(one.account_id for one in due)
    steps: dict[Step, list[Position]] = {Step.REARM: [], Step.CLOSE: [], Step.CLOSE_ALL: []}
    for position in due:
        facts = scene.facts(position, is_asked=_is_asked(position, answered))
        rule = rules[position.account_id]
        bound = timedelta(seconds=rule.unprotected_after_s)
        step = next_step(_age(position, now), bound, UnprotectedPolicy(rule.unprotected_policy), facts)
        if step is Step.LOOK:
            looks.ask(position.account)
        elif step is not Step.WAIT:
            steps[step].append(position)
    return sum(_do(step, ones, rules) for step, ones in steps.items() if ones)


def _age(position: Position, now: datetime) -> timedelta:
    since = position.unprotected_since
    return timedelta(0) if since is None else now - since


def _is_asked(position: Position, answered: Mapping[UUID, datetime]) -> bool:
    since, of = position.unprotected_since, answered.get(position.account_id)
    return since is not None and of is not None and of >= since


def _do(step: Step, positions: Sequence[Position], rules: Mapping[UUID, AccountRules]) -> int:
    """Write the wishes for those that are still as they were read."""
    read = {(position.trader_id, position.symbol): position for position in positions}
    with transaction.atomic():
        locked = locks.lock_positions(read)
        still = [
            read[key]
            for key, now in locked.items()
            if (now.unprotected_since, now.net_qty) == (read[key].unprotected_since, read[key].net_qty)
        ]
        drafts = _rearms(still) if step is Step.REARM else _closes(still, rules, step)
        made = write(drafts)
    names = {position.account_id: position.account.name for position in still}
    for one in drafts:
        if one.id in made:
            log.error(f"watchdog.{step.value}", account=names[one.account_id], symbol=one.symbol, contracts=one.qty)
    return len(made)


def _rearms(positions: Sequence[Position]) -> list[OrderIntent]:
    text = "it had no working stop of its full size: the stop is placed again"
    return [
        draft(position, Wanting(IntentSource.RISK_ACTION, rearm_wish(position, since), REARM, text, waits=False),
              IntentKind.PROTECT, exits=position.exits, stop_distance=position.stop_distance)
        for position in positions
        if (since := position.unprotected_since) is not None
    ]  # fmt: skip


def _closes(positions: Sequence[Position], rules: Mapping[UUID, AccountRules], step: Step) -> list[OrderIntent]:
    wishes = {
        position.id: close_wish(position, since)
        for position in positions
        if (since := position.unprotected_since) is not None
    }
    first = {key: one.id for one in positions if (since := one.unprotected_since) for key in close_keys(one, since)}
    again = OrderIntent.objects.filter(idempotency_key__in=first).values_list("idempotency_key", flat=True)
    tries = {first[key]: _tries(wishes[first[key]]) for key in again}
    drafts = []
    for position in positions:
        bound = rules[position.account_id].unprotected_after_s
        wish = f"{wishes[position.id]}.{tries.get(position.id, 0)}"
        text = f"no working stop of full size for more than {bound} s"
        wanting = Wanting(IntentSource.RISK_ACTION, wish, UNPROTECTED, text, waits=False)
        if step is Step.CLOSE_ALL:
            drafts.append(draft_flatten(position.account, position.symbol, position.net_qty, wanting))
        else:
            drafts.append(draft(position, wanting, IntentKind.EXIT))
    return drafts


def _tries(wish: str) -> int:
    return OrderIntent.objects.filter(idempotency_key__startswith=f"{IntentSource.RISK_ACTION.value}:{wish}.").count()


def tell_of(lane: int, positions: Sequence[Position], rules: Mapping[UUID, AccountRules]) -> None:
    """An alarm for each that is past its bound, whatever its account's rule."""
    now = clock.now()
    late = [one for one in positions if _age(one, now) >= timedelta(seconds=rules[one.account_id].unprotected_after_s)]
    matters = [_matter(one, rules[one.account_id]) for one in late]
    tell(lane, UNPROTECTED, matters, goes_on={str(one.pk) for one in positions})


def _matter(position: Position, rule: AccountRules) -> Matter:
    what = WHAT_FOLLOWS[UnprotectedPolicy(rule.unprotected_policy)]
    if rule.unprotected_policy != UnprotectedPolicy.ALARM:
        what += "; while the broker's books contradict ours and others hold it too, it waits for you"
    text = (
        f"{position.net_qty:+d} {position.symbol} on {position.account.name} has had no working stop of its full size "
        f"for {rule.unprotected_after_s} s: {what}"
    )
    return Matter(position.owner_id, position.account_id, str(position.pk), text)
