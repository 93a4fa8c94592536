"""Wishes to be flat, and the closing that they set off. `execution.flattening.verify` ends them, by the broker's word.

Never the flag before the act: a wish stays ACTING, and is acted on again, until nothing is left by two sources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Mod

from brokers.base import OrderRole, OrderStatus, Side
from brokers.models import BrokerAccount
from brokers.selectors import secrets_of
from execution import changes, feed, transitions
from execution.intents import Wanting, order_name, wish_exit, write
from execution.models import (
    BrokerPosition,
    Command,
    Flatten,
    FlattenStatus,
    IntentKind,
    IntentSource,
    IntentStatus,
    ObjectKind,
    Order,
    OrderIntent,
    Position,
)
from execution.models.intent import LIVE as LIVE_INTENTS
from execution.models.order import LIVE as LIVE_ORDERS
from execution.transitions import Change
from justtrades import clock
from justtrades.ids import idempotency_key, new_id

AGAIN_AFTER = timedelta(seconds=2)
"""Between two rounds of closing, longer the more there were. A flatten is safe to repeat: it can only reduce."""
LONGEST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Wish:
    """Why something is to be flat. `key` names the wish for good: the same one is written once."""

    source: IntentSource
    key: str
    code: str
    text: str
    command: Command | None = None
    risk_action_id: UUID | None = None


Exposure = Mapping[str, int]
"""By contract what is there to close or to cancel: signed contracts as the broker has them, 0 for orders alone."""


def begin(account: BrokerAccount, wish: Wish, *, trader_id: UUID | None = None) -> Flatten:
    """Write the wish down; the account's lane acts on it within a second, or when `bell` rings its dispatch.

    `trader_id` None means all that the account holds, whoever opened it, and every working order. Called inside the
    transaction of the decision.
    """
    return begin_all([(account.pk, account.owner_id, trader_id, wish)])[0]


def begin_all(wishes: Iterable[tuple[UUID, UUID, UUID | None, Wish]]) -> list[Flatten]:
    """The same for many: account, owner, trader or None, and the wish. Those that were there already are included."""
    now = clock.now()
    wanted = [
        Flatten(
            owner_id=owner_id,
            account_id=account_id,
            trader_id=trader_id,
            source=wish.source,
            command=wish.command,
            risk_action_id=wish.risk_action_id,
            key=wish.key,
            reason_code=wish.code,
            reason_text=wish.text[:512],
            began_at=now,
        )
        for account_id, owner_id, trader_id, wish in wishes
    ]
    Flatten.objects.bulk_create(wanted, ignore_conflicts=True)
    stored = list(_with_logins(Flatten.objects.filter(key__in=[one.key for one in wanted])))
    made = {one.pk for one in wanted}
    transitions.record(
        Change(one.owner_id, ObjectKind.FLATTEN, one.id, "", FlattenStatus.ACTING, now, one.reason_text)
        for one in stored
        if one.pk in made
    )
    return stored


def act(lane: int) -> int:
    """Close what the lane's wishes still find open; how many intents that made. Each second, and after a decision."""
    due = [flatten for flatten in under_way(lane) if _is_due(flatten, clock.now())]
    return act_on(due) if due else 0


def _is_due(flatten: Flatten, now: datetime) -> bool:
    pause = min(LONGEST_PAUSE, AGAIN_AFTER * max(1, flatten.tries - 2))
    return flatten.tried_at is None or now - flatten.tried_at >= pause


def under_way(lane: int) -> QuerySet[Flatten]:
    """With account and login, oldest first."""
    acting = Flatten.objects.annotate(lane=Mod(F("account__login__lane_slot"), settings.LANES)).filter(
        status=FlattenStatus.ACTING, lane=lane
    )
    return _with_logins(acting).order_by("began_at", "id")


def still_acting(flatten: Flatten) -> Flatten | None:
    """The wish as it is stored now, with account and login; None when it was ended meanwhile."""
    return _with_logins(Flatten.objects.filter(pk=flatten.pk, status=FlattenStatus.ACTING)).first()


def _with_logins(flattens: QuerySet[Flatten]) -> QuerySet[Flatten]:
    return flattens.select_related("account__login").defer(*secrets_of("account__login"))


def act_on(flattens: Sequence[Flatten], found: Mapping[UUID, Exposure] | None = None) -> int:
    """One round of closing for each; how many intents are new. The lane's dispatch sends them.

    `found` is what a look at the broker's books found open, by account; else it is what we know.
    """
    whole = [one for one in flattens if one.trader_id is None]
    with transaction.atomic():
        known = exposures({one.account_id for one in whole}) if found is None else found
        made = _close_accounts(whole, known)
        made += sum(_close_share(one) for one in flattens if one.trader_id is not None)
        Flatten.objects.filter(pk__in=[one.pk for one in flattens]).update(tried_at=clock.now(), tries=F("tries") + 1)
    for owner_id in {one.owner_id for one in flattens}:
        feed.announce(owner_id, "intents", "positions")
    return made


def exposures(account_ids: set[UUID]) -> dict[UUID, dict[str, int]]:
    """What each account has open or working, by our books and by the broker's reports."""
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for account_id, symbol in live_orders(Q(account_id__in=account_ids)).values_list("account_id", "symbol"):
        found[account_id].setdefault(symbol, 0)
    held = Position.objects.filter(account_id__in=account_ids).exclude(net_qty=0)
    for account_id, symbol, net in held.values_list("account_id", "symbol", "net_qty"):
        found[account_id][symbol] = found[account_id].get(symbol, 0) + net
    reported = BrokerPosition.objects.filter(account_id__in=account_ids).exclude(net_qty=0)
    for account_id, symbol, net in reported.values_list("account_id", "symbol", "net_qty"):
        # The broker's word counts; ours is there for what it has not said yet.
        found[account_id][symbol] = net
    return found


def live_orders(condition: Q) -> QuerySet[Order]:
    """Orders that work or may work. A close that the broker never named has nothing of its own there to cancel."""
    nameless = Q(role=OrderRole.EXIT.value, broker_order_id__isnull=True, status=OrderStatus.WORKING.value)
    return Order.objects.filter(condition, status__in=sorted(LIVE_ORDERS)).exclude(nameless)


def _close_accounts(flattens: Sequence[Flatten], known: Mapping[UUID, Exposure]) -> int:
    accounts = {one.account_id for one in flattens}
    live = OrderIntent.objects.filter(account_id__in=accounts, kind=IntentKind.FLATTEN, status__in=sorted(LIVE_INTENTS))
    busy = set(live.values_list("account_id", "symbol"))
    intents = [
        _intent(one, symbol, net)
        for one in flattens
        for symbol, net in sorted(known.get(one.account_id, {}).items())
        if (one.account_id, symbol) not in busy
    ]
    return len(write(intents))


def _intent(flatten: Flatten, symbol: str, net: int) -> OrderIntent:
    now = clock.now()
    key = idempotency_key(flatten.source, f"{flatten.pk}.{flatten.tries}", symbol, IntentKind.FLATTEN.value)
    return OrderIntent(
        id=new_id(),
        owner_id=flatten.owner_id,
        source=flatten.source,
        command_id=flatten.command_id,
        account_id=flatten.account_id,
        lane_slot=flatten.account.login.lane_slot,
        leg=IntentKind.FLATTEN.value,
        kind=IntentKind.FLATTEN,
        idempotency_key=key,
        client_order_id=order_name(IntentKind.FLATTEN, key),
        symbol=symbol,
        side=(Side.SELL if net >= 0 else Side.BUY).value,
        qty=abs(net),
        status=IntentStatus.CLEARED,
        reason_code=flatten.reason_code,
        reason_text=flatten.reason_text,
        created_at=now,
        cleared_at=now,
    )


def _close_share(flatten: Flatten) -> int:
    """One trader's own positions, and its entries that wait at the broker."""
    trader_id = flatten.trader_id
    if trader_id is None:
        return 0
    waiting = live_orders(Q(trader_id=trader_id, role=OrderRole.ENTRY.value)).values_list("symbol", flat=True)
    for symbol in set(waiting):
        changes.cancel_entries(trader_id, symbol)
    leaving = OrderIntent.objects.filter(
        trader_id=trader_id, kind=IntentKind.EXIT, status__in=sorted(LIVE_INTENTS)
    ).values("symbol")
    held = (
        Position.objects.filter(trader_id=trader_id)
        .exclude(net_qty=0)
        .exclude(symbol__in=leaving)
        .select_related("account__login")
        .defer(*secrets_of("account__login"))
    )
    return sum(wish_exit(position, _wanting(flatten, position.symbol)) for position in held)


def _wanting(flatten: Flatten, symbol: str) -> Wanting:
    wish = f"{flatten.pk}.{flatten.tries}.{symbol}"
    source = IntentSource(flatten.source)
    return Wanting(source, wish, flatten.reason_code, flatten.reason_text, flatten.command, waits=False)
