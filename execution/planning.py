"""P1 and P2: a Signal becomes one OrderIntent per follower and leg, cleared or denied, all in one transaction."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from django.db import transaction

from brokers import instruments
from brokers.base import Side
from brokers.instruments import Product
from execution import feed, locks, transitions
from execution.cancel import cancel_all
from execution.casebook import Casebook, Subject
from execution.clearing.clearance import Clearance
from execution.drafting import Draft, Origin, Wanted, add_declined, add_leg, nothing_leg, wanted
from execution.followers import followers_of, holdings_of
from execution.models import IntentSource, ObjectKind
from execution.moves import Inconsistent, Move, MoveKind, bare_move, check_consistency, stated_positions
from execution.plan import Declined
from execution.setbacks import begun, superseded_by
from execution.submitting import Batch, Routed
from execution.transitions import Change
from justtrades import clock
from justtrades.killpoints import killpoint
from recorders import chains
from recorders.alert import ENTRIES, Action, ParsedAlert
from recorders.chain import Link, Step
from recorders.models import OnDesync, Recorder, Signal, SignalStatus
from risk import checks

log = structlog.get_logger(__name__)
NOBODY = Declined("NO_FOLLOWERS", "no trader follows this recorder")
NOTHING_WAITS = Declined("NOTHING_WAITS", "no entry waits at the broker")


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned signal: what the planning lane may send at once, and the slots whose lanes have work waiting."""

    signal_id: UUID
    lane_slots: frozenset[int]
    requests: tuple[Routed, ...] = ()


def plan_next(recorder_id: UUID, lane: int | None = None) -> Planned | None:
    """Plan the recorder's oldest waiting signal, in one transaction; None when none waits.

    A caller that owns `lane` gets that lane's fresh entries marked SUBMITTING in the same transaction (P1 to P3 in one
    commit: see ADR 0004) and must send `requests` at once. Everything else is left CLEARED for `execution.dispatch`.

    Safe to call from anywhere at any time: the signal's status is the claim, and the intents' keys follow from the
    signal, so that a second plan of the same signal cannot write a second intent.
    """
    with ExitStack() as marks, transaction.atomic():
        locks.lock_planning_of(recorder_id)
        signal = locks.lock_next_signal_of(recorder_id)
        if signal is None:
            return None
        marks.enter_context(begun(signal.pk, lane))
        planned = _plan(signal, lane)
    feed.announce(signal.owner_id, "signals", "intents")
    return planned


def _plan(signal: Signal, lane: int | None) -> Planned:
    now = clock.now()
    recorder = Recorder.objects.get(pk=signal.recorder_id)
    origin = Origin(IntentSource.SIGNAL, signal.id, checks.expiry_of(signal.received_at, signal.fired_at))
    draft = Draft(origin, now, lane, Batch(now))
    alert = alert_of(signal)
    if alert.action is Action.CANCEL and signal.ticker == "":
        cancel_all(draft, recorder)
        _close_signal(draft, signal, NOTHING_WAITS)
        draft.write()
        return Planned(signal.id, frozenset(draft.lane_slots))
    ticker = mapped_ticker(recorder, signal.ticker)
    try:
        product = instruments.resolve(ticker, now.date()).product
    except instruments.UnknownTicker as error:
        return _over(draft, signal, SignalStatus.REFUSED, Declined("UNKNOWN_TICKER", f"ticker: {error}"))
    move = _move_of(recorder, signal, alert, product)
    if isinstance(move, Declined):
        _decline_all(draft, recorder, alert, product, move)
    else:
        draft_all(draft, recorder, Subject(alert, ticker, product, move))
    _close_signal(draft, signal, move if isinstance(move, Declined) else NOBODY)
    draft.write()
    return Planned(signal.id, frozenset(draft.lane_slots), tuple(draft.batch.requests))


def draft_all(draft: Draft, recorder: Recorder, subject: Subject) -> None:
    """What each follower of the recorder does about the move."""
    followers = followers_of(recorder)
    book = Casebook.open(recorder, subject, followers, holdings_of(recorder) if followers else {}, draft.now)
    draft.clearance = Clearance(recorder.pk, recorder.owner_id, followers, draft.now, book.watches())
    fallback = nothing_leg(is_entry=not subject.move.only_reduces, side=_side_of(subject.move))
    for number, follower in enumerate(followers):
        case = book.case_of(follower)
        if isinstance(case, Declined):
            add_declined(draft, follower, Wanted(fallback, subject.product.root), case)
            continue
        decision = book.decide(case)
        why = draft.explanations.of(case, decision)
        holding = book.holding_of(follower, case)
        after = holding.last_intent_id if holding is not None else None
        held_symbol = holding.symbol if holding is not None and case.own != 0 else case.contract.symbol
        for leg in decision.legs:
            # An add belongs to the month that is held, whatever the front month is by now.
            symbol = case.contract.symbol if leg.leg == "entry" else held_symbol
            after = add_leg(draft, follower, wanted(leg, symbol, after, why, case.effective.settings))
        if decision.declined is not None:
            add_declined(draft, follower, Wanted(fallback, case.contract.symbol, why=why), decision.declined)
        if number == len(followers) // 2:
            killpoint("plan.mid")


def _decline_all(draft: Draft, recorder: Recorder, alert: ParsedAlert, product: Product, reason: Declined) -> None:
    """The same reason for every follower, so that each one's trace has it."""
    leg = nothing_leg(is_entry=alert.action in ENTRIES, side=Side.SELL if alert.action is Action.SELL else Side.BUY)
    want = Wanted(leg, product.root, why=draft.explanations.of_nobody(reason))
    for follower in followers_of(recorder):
        add_declined(draft, follower, want, reason)


def mapped_ticker(recorder: Recorder, ticker: str) -> str:
    """The ticker that the recorder's own map puts in place of the alert's."""
    symbols: dict[str, str] = recorder.symbol_map
    bare = ticker.upper().rsplit(":", 1)[-1]
    return symbols.get(ticker.upper()) or symbols.get(bare) or ticker


def alert_of(signal: Signal) -> ParsedAlert:
    return ParsedAlert(
        action=Action(signal.action),
        ticker=signal.ticker,
        dialect=signal.dialect,
        quantity=signal.quantity,
        price=signal.price,
        position=signal.position,
        prev_position=signal.prev_position,
        position_side=signal.position_side,
        fired_at=signal.fired_at,
        strategy=signal.strategy,
        limit_price=signal.limit_price,
        premium=signal.premium,
        settings=signal.overrides,
    )


def _move_of(recorder: Recorder, signal: Signal, alert: ParsedAlert, product: Product) -> Move | Declined:
    """What the alert wants, after its place in the strategy's chain is known."""
    contradiction = check_consistency(alert)
    if isinstance(contradiction, Inconsistent):
        return Declined("INCONSISTENT", contradiction.text)
    stated = stated_positions(alert, chains.tip_of(recorder, product.root) if alert.position is not None else None)
    if isinstance(stated, Inconsistent):
        return Declined("INCONSISTENT", stated.text)
    if stated is None or alert.action is Action.CANCEL:
        return superseded_by(signal) or bare_move(alert)
    step = chains.move_on(recorder, product.root, signal, *stated)
    signal.link, signal.strategy_before, signal.strategy_after = step.link.value, step.before, step.after
    return _move_after(step, recorder, alert, Move(MoveKind.TO, before=stated[0], after=stated[1]))


def _move_after(step: Step, recorder: Recorder, alert: ParsedAlert, own_words: Move) -> Move | Declined:
    """`own_words` is the move as the alert itself states it, whatever came before."""
    if step.link is Link.LATE:
        return Declined("SUPERSEDED", "a later statement of the strategy's position came before this one")
    if step.link is Link.GAP and recorder.on_desync == OnDesync.ASK:
        text = f"an alert before this one is missing; the strategy says it is at {step.after.normalize():f} now"
        return Declined("DESYNC", text)
    if alert.prev_position is None and step.after == 0:
        # It says no more than that it is flat: so is every follower, also one whose entry stated no positions.
        return Move(MoveKind.FLATTEN)
    if step.start is not None and recorder.on_desync == OnDesync.ASK:
        # Nobody followed the gap that is closed now.
        return Move(MoveKind.TO, before=step.start, after=step.after, quantity=alert.quantity)
    move = Move(MoveKind.TO, before=step.before, after=step.after, quantity=alert.quantity)
    return _settled(step, own_words, move)


def _settled(step: Step, own_words: Move, move: Move) -> Move:
    """The move that ends right for those who hold what they should and for those who do not."""
    if step.before == step.after and step.link is Link.GAP:
        # What was missed brought the strategy back to where it stands: who holds it keeps it, who does not enters.
        return replace(own_words, is_summary=True)
    if step.before == step.after and step.start is not None:
        # Its parts came in the wrong order: whoever could do nothing with them then has still to get there.
        return replace(move, before=step.start, is_summary=True)
    # An exit can never increase, whatever was missed before it.
    return own_words if own_words.only_reduces and not move.only_reduces else move


def _side_of(move: Move) -> Side:
    if move.kind is MoveKind.TO:
        return Side.BUY if move.after > move.before else Side.SELL
    return Side.BUY if move.side is None else move.side


def _close_signal(draft: Draft, signal: Signal, if_nobody: Declined) -> None:
    """PLANNED when any follower has something to do or was denied; IGNORED, with the reason, when none has."""
    codes = {declined.code for declined in draft.declined}
    if not draft.rows:
        _finish_signal(draft, signal, SignalStatus.IGNORED, if_nobody)
    elif draft.planned == 0 and len(codes) == 1:
        _finish_signal(draft, signal, SignalStatus.IGNORED, draft.declined[0])
    else:
        _finish_signal(draft, signal, SignalStatus.PLANNED, Declined("", ""))


def _over(draft: Draft, signal: Signal, status: SignalStatus, reason: Declined) -> Planned:
    _finish_signal(draft, signal, status, reason)
    transitions.record(draft.changes)
    return Planned(signal.id, frozenset())


def _finish_signal(draft: Draft, signal: Signal, status: SignalStatus, reason: Declined) -> None:
    signal.status, signal.reason_code, signal.reason_text = status, reason.code, reason.text[:512]
    signal.planned_at = draft.now
    signal.save(
        update_fields=[
            "status", "reason_code", "reason_text", "planned_at", "link", "strategy_before", "strategy_after",
        ]
    )  # fmt: skip
    change = Change(
        signal.owner_id, ObjectKind.SIGNAL, signal.id, SignalStatus.RECEIVED, status.value, draft.now, reason.text
    )
    draft.changes.append(change)
