"""Exits of an entry: created, activated, grown and canceled with it; OSO legs, OCO pairs and strategy brackets alike.

Legs of a strategy whose entry price is known beforehand wait Suspended from the start; a market entry's legs are made
at its fill. What happens to legs of a partly filled entry is not documented: here they grow with it (switch
``bracket_partial``).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from brokers.sandbox.tradovate import lifecycle
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.lifecycle import set_strategy_status
from brokers.sandbox.tradovate.margins import refresh_margin
from brokers.sandbox.tradovate.orders import OPPOSITE, ExitGroup, Order, Sender, Terms

# An exit takes over its entry's time in force, unless the entry must trade at once.
LASTING = frozenset({"Day", "GTC", "GTD"})


def prepare(desk: Desk, entry: Order) -> None:
    """Create the suspended legs of a strategy whose entry says at what price it is going to fill."""
    price = entry.terms.price if entry.terms.price is not None else entry.terms.stop_price
    if price is None or entry.strategy is None:
        return
    for group in entry.brackets:
        _create_exits(desk, group, entry, price)
    lifecycle.repeat_strategy(entry.strategy)
    entry.account.end_frame()


def hold_prepared(desk: Desk, entry: Order) -> None:
    """Announce OSO legs, whose terms came with the entry."""
    for group in entry.brackets:
        for leg in group.exits:
            lifecycle.announce(desk, leg)
            lifecycle.hold(desk, leg)


def after_fill(desk: Desk, order: Order) -> None:
    if order.brackets and (order.is_done or desk.switches.bracket_partial == "grow"):
        _grow(desk, order)
    if order.group is not None:
        _shrink_partners(desk, order, order.group)
    finish_strategy(order)
    refresh_margin(desk, order.account)


def cancel_order(desk: Desk, order: Order, sender: Sender, command_id: int | None = None) -> None:
    """Cancel one live order and what hangs on it."""
    lifecycle.cancel(desk, order, sender, desk.ids.take() if command_id is None else command_id)
    after_end(desk, order, sender)
    refresh_margin(desk, order.account)
    order.account.end_frame()


def after_end(desk: Desk, order: Order, sender: Sender) -> None:
    """Consequences of an order that ended without filling completely: canceled, rejected or expired."""
    if order.brackets and order.filled > 0:
        _grow(desk, order)
    for group in order.brackets:
        for leg in group.exits:
            if leg.row and leg.status == "Suspended":
                _end_leg(desk, order, leg, sender)
    group_of = order.group
    pairs = desk.switches.strategy_cancel_pairs or order.strategy is None
    if group_of is not None and pairs and order.status != "Rejected":
        for partner in group_of.exits:
            if partner is not order and not partner.is_done:
                lifecycle.cancel(desk, partner, automated(sender), desk.ids.take())
    strategy = order.strategy
    if strategy is not None and order.role == "entry" and order.filled == 0 and strategy.is_active:
        failed = order.status == "Rejected"
        set_strategy_status(strategy, "ExecutionFailed" if failed else "ExecutionInterrupted")
    finish_strategy(order)


def finish_strategy(order: Order) -> None:
    """Strategy → ExecutionFinished once its entry and exits are done; Interrupted when no exit closed it."""
    strategy = order.strategy
    if strategy is None or not strategy.is_active or not strategy.entry.is_done:
        return
    groups = strategy.entry.brackets
    if all(group.is_done for group in groups):
        closed = all(any(leg.status == "Filled" for leg in group.exits) for group in groups)
        set_strategy_status(strategy, "ExecutionFinished" if closed else "ExecutionInterrupted")


def resize(desk: Desk, order: Order, qty: int) -> None:
    lifecycle.modify(desk, order, replace(order.terms, qty=qty), automated(order.sender), desk.ids.take())


def _end_leg(desk: Desk, entry: Order, leg: Order, sender: Sender) -> None:
    if entry.status == "Rejected":
        lifecycle.risk_reject(desk, leg, "ParentRejected", "Parent order was rejected")
    else:
        lifecycle.cancel(desk, leg, automated(sender), desk.ids.take())


def automated(sender: Sender) -> Sender:
    """The venue itself acts, on behalf of whoever sent the order."""
    return replace(sender, is_automated=True, cl_ord_id=None, activation_time=None)


def _grow(desk: Desk, entry: Order) -> None:
    """Give each bracket its share of what is filled so far; earlier brackets first."""
    average = entry.average
    if average is None:
        return
    left = entry.filled
    for group in entry.brackets:
        share = min(group.qty, left)
        left -= share
        if share == 0:
            continue
        if not group.exits:
            _create_exits(desk, group, entry, average)
        for leg in tuple(group.exits):
            if leg.status == "Suspended":
                _activate(desk, leg, group, share, average)
            elif leg.is_working and leg.terms.qty != share:
                resize(desk, leg, share)


def _activate(desk: Desk, leg: Order, group: ExitGroup, share: int, average: Decimal) -> None:
    terms = leg.terms if group.plan is None or leg.is_fixed else _leg_terms(group, leg, average)
    terms = replace(terms, qty=share)
    if terms != leg.terms:
        leg.terms = terms
        leg.version.update(terms.row(leg.version["id"], leg.id))
        leg.account.updated("orderVersion", leg.version)
    refusal = desk.faults.take("reject", leg.account, leg=leg.role)
    if refusal is None:
        lifecycle.work(desk, leg)
    else:
        lifecycle.risk_reject(desk, leg, refusal.params["reason"], refusal.params["text"])


def _shrink_partners(desk: Desk, order: Order, group: ExitGroup) -> None:
    for partner in group.exits:
        if partner is order or partner.is_done:
            continue
        if order.is_done:
            lifecycle.cancel(desk, partner, automated(order.sender), desk.ids.take())
        else:
            resize(desk, partner, partner.filled + order.remaining)


def _create_exits(desk: Desk, group: ExitGroup, entry: Order, price: Decimal) -> None:
    plan = group.plan
    if plan is None:
        return
    for role, wanted in (("target", plan.target), ("stop", plan.stop)):
        if wanted is None:
            continue
        leg = Order(
            id=desk.ids.take(),
            account=entry.account,
            contract=entry.contract,
            action=OPPOSITE[entry.action],
            terms=Terms(group.qty, "Limit"),
            sender=replace(lifecycle.held_sender(entry.sender), cl_ord_id=None),
            group=group,
            role=role,
            strategy=entry.strategy,
        )
        leg.terms = _leg_terms(group, leg, price)
        group.exits.append(leg)
        lifecycle.announce(desk, leg)
        lifecycle.hold(desk, leg)


def _leg_terms(group: ExitGroup, leg: Order, entry_price: Decimal) -> Terms:
    plan, tick = group.plan, leg.contract.product.tick
    if plan is None:
        return leg.terms
    target, stop = plan.target_price(entry_price), plan.stop_price(entry_price)
    like_entry = Terms(group.qty, "Limit") if group.entry is None else group.entry.terms
    tif = like_entry.tif if like_entry.tif in LASTING else "Day"
    text = like_entry.text
    if leg.role == "target" and target is not None:
        return Terms(group.qty, "Limit", price=on_grid(target, tick), tif=tif, text=text)
    if stop is None:
        return leg.terms
    if plan.trailing:
        peg = on_grid(abs(stop - entry_price), tick)
        return Terms(group.qty, "TrailingStop", stop_price=on_grid(stop, tick), peg=peg, tif=tif, text=text)
    return Terms(group.qty, "Stop", stop_price=on_grid(stop, tick), tif=tif, text=text)


def on_grid(price: Decimal, tick: Decimal) -> Decimal:
    """Nearest price on the tick grid; an average over several fills may lie between ticks."""
    return (price / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick
