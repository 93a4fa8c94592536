"""P1: what one follower does about one alert, with every reason on the way. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from brokers.base import BracketLeg, OrderType, Side
from brokers.instruments import Contract
from execution.moves import Move, inverse
from execution.wishes import OPENING, Act, Wish, wish_of
from recorders.setting_types import EntryType
from traders import exits, gates, sizing
from traders.exits import ExitTemplate
from traders.gates import Ask, Verdict
from traders.settings import EffectiveSettings
from traders.sizing import Size, SizeRefused, Worth


class LegKind(StrEnum):
    """ENTRY adds exposure, EXIT closes all, REDUCE closes a part, CANCEL ends entries that wait, PROTECT adds exits."""

    ENTRY = "entry"
    EXIT = "exit"
    REDUCE = "reduce"
    CANCEL = "cancel"
    PROTECT = "protect"


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One intent to be. `waits_for_exit` is set on an entry that may go only after the exit planned before it.

    `bracket_targets` are, for each leg of `bracket`, its target's place in `exits`. `leaves` is what a REDUCE leaves.
    """

    leg: str
    kind: LegKind
    side: Side
    qty: int
    bracket: tuple[BracketLeg, ...] = ()
    bracket_targets: tuple[int, ...] = ()
    exits: ExitTemplate | None = None
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    leaves: int | None = None
    waits_for_exit: bool = False

    @property
    def is_entry(self) -> bool:
        return self.kind is LegKind.ENTRY

    @property
    def exits_text(self) -> str:
        """The template as it is stored with the position; "" for none."""
        return "" if self.exits is None else self.exits.text


@dataclass(frozen=True, slots=True)
class Declined:
    """Something is not done, and why: `code` for machines, `text` for the owner."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One follower at the moment of a signal.

    `own` is signed and includes what is under way; `at_work` are the contracts of each target's live legs, and last
    those of legs without one. `price` is the alert's, where it prices the contract that is traded; `limit_price` is
    set where the alert itself asks for a limit entry.
    """

    effective: EffectiveSettings
    contract: Contract
    facts: gates.Facts
    own: int = 0
    at_work: tuple[int, ...] = ()
    price: Decimal | None = None
    limit_price: Decimal | None = None
    cash: Decimal | None = None
    ratio: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Decision:
    """The legs in order; `declined` is why there are none, or why the entry that belongs to them is not among them."""

    act: Act
    legs: tuple[PlannedLeg, ...] = ()
    declined: Declined | None = None
    verdicts: tuple[Verdict, ...] = field(default=())
    size: Size | None = None


def decide(move: Move, case: Case) -> Decision:
    """What the follower does. An entry that is declined in a reversal still lets the old position go."""
    settings = case.effective.settings
    worth = _worth(case)
    wish = wish_of(inverse(move) if settings.inverse_signals else move, case.own, case.effective, worth)
    if wish.act is Act.NOTHING:
        return Decision(wish.act, declined=Declined(wish.code, wish.text))
    if wish.act in OPENING:
        return _open(wish, case, worth)
    held = Side.BUY if case.own > 0 else Side.SELL
    if wish.act is Act.CANCEL:
        return Decision(wish.act, (PlannedLeg("cancel", LegKind.CANCEL, held, 0),))
    if wish.act is Act.REDUCE:
        qty = abs(case.own) - wish.left
        return Decision(wish.act, (PlannedLeg("reduce", LegKind.REDUCE, held.opposite, qty, leaves=wish.left),))
    return Decision(wish.act, (_way_out(case),))


def _open(wish: Wish, case: Case, worth: Worth) -> Decision:
    side = wish.side
    if side is None:
        raise ValueError("an opening wish has a side")
    way_out = (_way_out(case),) if wish.act in {Act.REVERSE, Act.RE_ENTER} else ()
    # Leaving first and then not being let in again would turn "closes and enters anew" into "closes".
    kept = way_out if wish.act is Act.REVERSE else ()
    verdicts = gates.judge(case.effective.settings, case.facts, Ask(side, case.own, wish.act is not Act.ADD))
    if verdicts and not verdicts[-1].passes:
        return Decision(wish.act, kept, Declined(verdicts[-1].code, verdicts[-1].text), verdicts)
    try:
        size = _size(wish, case, worth)
        way_in = _way_in(wish, case, side, size.contracts)
    except SizeRefused as refused:
        return Decision(wish.act, kept, Declined(refused.code, str(refused)), verdicts)
    except exits.ReferenceMissing as missing:
        return Decision(wish.act, kept, Declined("PRICE_MISSING", str(missing)), verdicts, size)
    except exits.WrongSide as wrong:
        return Decision(wish.act, kept, Declined("EXIT_ON_WRONG_SIDE", str(wrong)), verdicts, size)
    return Decision(wish.act, (*way_out, way_in), verdicts=verdicts, size=size)


def _size(wish: Wish, case: Case, worth: Worth) -> Size:
    """Raises `SizeRefused`, also where the limits leave nothing."""
    effective = case.effective
    held = abs(case.own) if wish.act is Act.ADD else 0
    if wish.whole is not None and sizing.follows_alert(effective):
        whole = sizing.scaled_position(effective, wish.whole, worth)
        asked = whole - held
        if whole < 1 or asked < 1:
            code = "SIZE_BELOW_ONE" if whole < 1 else "AT_TARGET"
            had = f"{wish.whole.normalize():f} x {effective.route.multiplier}"
            text = f"size: had {had}, holds {held}, adds less than 1"
            raise SizeRefused(code, text)
    elif wish.act is Act.ADD:
        asked = sizing.add_size(effective, wish.stated, worth)
    else:
        asked = sizing.entry_size(effective, wish.stated, worth)
    size = sizing.limited(effective, asked, held)
    if size.contracts < 1:
        raise SizeRefused("SIZE_ABOVE_LIMIT", f"size: had {held} held and {asked} more, limit {size.limit}")
    return size


def _way_out(case: Case) -> PlannedLeg:
    held = Side.BUY if case.own > 0 else Side.SELL
    return PlannedLeg("exit", LegKind.EXIT, held.opposite, abs(case.own))


def _template(case: Case) -> ExitTemplate:
    """Trims in contracts grow with the position, also where several contracts are traded for one of the signal's."""
    effective = case.effective
    return exits.template_of(effective.settings, case.contract, effective.route.multiplier * case.ratio)


def _way_in(wish: Wish, case: Case, side: Side, qty: int) -> PlannedLeg:
    template = _template(case)
    limit = _limit_price(case, side)
    reference = limit if limit is not None else case.price
    exits.check_sides(template, side, reference)
    is_add = wish.act is Act.ADD
    grows = is_add and len(case.at_work) == len(template.targets) + 1
    sizes = exits.added_sizes(template, case.at_work, qty) if grows else exits.leg_sizes(template, qty)
    return PlannedLeg(
        leg="add" if is_add else "entry",
        kind=LegKind.ENTRY,
        side=side,
        qty=qty,
        bracket=exits.brackets(template, sizes, case.contract, reference),
        bracket_targets=exits.bracket_places(template, sizes),
        exits=template,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        price=limit,
        waits_for_exit=wish.act in {Act.REVERSE, Act.RE_ENTER},
    )


def _limit_price(case: Case, side: Side) -> Decimal | None:
    """On the tick, never worse than asked for. Raises `SizeRefused` for a limit entry without a price."""
    settings = case.effective.settings
    if settings.entry_type is EntryType.MARKET:
        return None
    wanted = case.limit_price
    if wanted is None and case.price is not None:
        wanted = case.price - side.sign * settings.limit_offset_ticks * case.contract.tick
    if wanted is None:
        raise SizeRefused("PRICE_MISSING", "entry_type: a limit entry needs the alert's price")
    return case.contract.on_tick(wanted, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def _worth(case: Case) -> Worth:
    template = _template(case)
    reference = case.limit_price if case.limit_price is not None else case.price
    stop = None
    if template.stop is not None:
        distance = template.stop.distance(reference)
        stop = None if distance is None else case.contract.distance_on_tick(distance)
    return Worth(case.contract.point_value, stop, reference, case.cash, case.ratio)
