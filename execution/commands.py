"""What a person asks for by hand: a Command row, and what follows from it in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings as product
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.selectors import Person
from brokers import instruments
from execution import feed, locks
from execution.casebook import Subject
from execution.drafting import Draft, Origin
from execution.flattening import flatten
from execution.flattening.flatten import Wish
from execution.intents import Wanting, wish_exits, withdraw_entries
from execution.models import Command, IntentSource, OrderIntent, Position
from execution.moves import Move, MoveKind
from execution.planner import DISPATCH_TASK
from execution.planning import draft_all
from execution.preview import FlattenPreview, preview_disable, preview_flatten
from execution.submitting import Batch
from justtrades import bell, clock
from recorders import chains
from recorders.alert import Action, ParsedAlert
from recorders.models import StrategyChain
from recorders.settings import BadSettings, merge, read_overrides
from traders.exits import template_of
from traders.services import disable_all_traders

__all__ = [
    "FlattenPreview", "apply_exits", "converge", "disable_all", "flatten_everything", "preview_disable",
    "preview_flatten",
]  # fmt: skip
APPLY_EXITS, CONVERGE, FLATTEN_ALL, DISABLE_ALL = "apply_exits", "converge", "flatten_all", "disable_all"
GOOD_FOR = timedelta(seconds=30)


def apply_exits(*, actor: Person, position: Position, exits: Mapping[str, Any]) -> Command:
    """Put targets and a stop around a position that is open; those that it has are moved to them.

    `exits` are fields of `recorders.settings`; what it does not state is the trader's or the recorder's. Raises
    `ValidationError` naming the field.
    """
    if position.net_qty == 0 or position.avg_price is None:
        raise ValidationError({"position": "Is flat: there is nothing to protect."})
    trader = position.trader
    lead = trader.route_of or trader
    try:
        settings = merge(trader.recorder.settings, [lead.overrides, read_overrides(exits)])
    except BadSettings as error:
        raise ValidationError(error.errors) from None
    template = template_of(settings, instruments.contract_of(position.symbol), trader.multiplier)
    if template.stop is None and not template.targets:
        raise ValidationError({"exits": "Have neither a target nor a stop."})
    stop = None if template.stop is None else template.stop.distance(position.avg_price)
    with transaction.atomic():
        command = Command.objects.create(
            owner_id=position.owner_id, actor_id=actor.pk, kind=APPLY_EXITS,
            payload={"position": str(position.pk), "exits": template.text},
        )  # fmt: skip
        wanting = Wanting(IntentSource.COMMAND, str(command.pk), "", "exits applied by hand", command)
        wish_exits(position, wanting, template.text, stop)
    _ring(command)
    return command


def converge(*, actor: Person, chain: StrategyChain) -> Command:
    """Have every follower go to where the strategy says it stands. Raises `ValidationError` when nothing is missing."""
    recorder = chain.recorder
    with transaction.atomic():
        locks.lock_planning_of(recorder.pk)
        chain.refresh_from_db()
        if chain.missing is None:
            raise ValidationError({"chain": "No alert is missing: there is nothing to converge to."})
        stood, now = Decimal(chain.missing[0]), clock.now()
        chains.converge(recorder, chain.ticker)
        command = Command.objects.create(
            owner_id=recorder.owner_id, actor_id=actor.pk, kind=CONVERGE,
            payload={"recorder": str(recorder.pk), "ticker": chain.ticker, "to": str(chain.tip)},
        )  # fmt: skip
        origin = Origin(IntentSource.COMMAND, command.pk, now + GOOD_FOR)
        draft = Draft(origin, now, None, Batch(now))
        move = Move(MoveKind.TO, before=stood, after=chain.tip)
        alert = ParsedAlert(Action.BUY if chain.tip > stood else Action.SELL, chain.ticker)
        draft_all(draft, recorder, Subject(alert, chain.ticker, instruments.product_of(chain.ticker), move))
        draft.write()
    _ring(command)
    return command


def flatten_everything(*, actor: Person, owner: User) -> Command:
    """Close all that the owner's accounts hold, whoever opened it, and cancel all that works; until it is verified.

    Entries that have not been sent yet are withdrawn. What it found is in the command's `payload`; where that is
    nothing, nothing follows. Its doors ask for the password once more.
    """
    with transaction.atomic():
        found = preview_flatten(owner)
        payload = {"accounts": len(found.accounts), "positions": found.positions, "orders": found.orders}
        command = Command.objects.create(owner=owner, actor_id=actor.pk, kind=FLATTEN_ALL, payload=payload)
        text = "everything is closed by hand"
        withdraw_entries([account.pk for account in found.accounts], "FLATTENED", text)
        flatten.act_on(
            flatten.begin_all(
                (account.pk, account.owner_id, None,
                 Wish(IntentSource.COMMAND, f"command:{command.pk}:{account.pk}", "FLATTEN_ALL", text, command))
                for account in found.accounts
            )
        )  # fmt: skip
    _ring(command)
    return command


def disable_all(*, actor: Person, owner: User) -> Command:
    """Switch every trader of the owner off; what is open keeps its exits. `payload` says how many were on."""
    with transaction.atomic():
        count = disable_all_traders(owner=owner)
        command = Command.objects.create(
            owner=owner, actor_id=actor.pk, kind=DISABLE_ALL, payload={"traders": count}
        )  # fmt: skip
    feed.announce(owner.pk, "connections", "intents")
    return command


def _ring(command: Command) -> None:
    """Tell the lanes; one that does not hear it looks within a second."""
    slots = OrderIntent.objects.filter(command=command).values_list("lane_slot", flat=True)
    for lane in {slot % product.LANES for slot in slots}:
        bell.ring(DISPATCH_TASK, f"lane.{lane}", lane)
    feed.announce(command.owner_id, "intents", "orders", "positions")
