"""From exit settings to legs: how far, how many, at which price. Pure, exact; prices move to the tick toward the entry.

A template is what a position wants: it is stored with the entry, and every later correction (an add, a partial exit,
break-even) starts from it. Distances are positive price points from the average fill.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property, lru_cache

from brokers.base import BracketLeg, Side, Trail
from brokers.instruments import Contract
from recorders.setting_types import Part, StopType, Target, TrimUnit, Unit
from recorders.settings import Settings

WHOLE = Decimal(100)


class Level(Part):
    """A price to be: so many points from the fill, so many percent of it, or the price itself."""

    points: Decimal | None = None
    percent: Decimal | None = None
    price: Decimal | None = None

    def distance(self, entry: Decimal | None) -> Decimal | None:
        """Points from `entry`, positive; None where `entry` is needed and not known."""
        if self.points is not None:
            return self.points
        if entry is None:
            return None
        return abs(entry) * self.percent / WHOLE if self.percent is not None else abs((self.price or entry) - entry)


class ExitTarget(Part):
    """`share` of the position in percent, or `contracts` of it; neither: all that is left."""

    level: Level
    share: Decimal | None = None
    contracts: int | None = None


class ExitTemplate(Part):
    """Trail and break-even distances are points. No stop and no targets: the position wants no exits of ours."""

    targets: tuple[ExitTarget, ...] = ()
    stop: Level | None = None
    trail_trigger: Decimal | None = None
    trail_step: Decimal = Decimal(0)
    break_even_after: Decimal | None = None
    break_even_offset: Decimal = Decimal(0)

    @property
    def is_trailing(self) -> bool:
        return self.trail_trigger is not None

    @cached_property
    def text(self) -> str:
        """As it is stored; see `template_from`."""
        return self.model_dump_json(exclude_none=True)


@dataclass(frozen=True, slots=True)
class LegPrices:
    """On the tick; None places nothing. `targets` are in the template's order."""

    targets: tuple[Decimal, ...]
    stop: Decimal | None


class ReferenceMissing(ValueError):
    """An exit in percent or at a price needs to know about where the entry will fill."""


class WrongSide(ValueError):
    """An exit's price would be reached by the entry itself; the message has the price and the entry's."""


def template_of(settings: Settings, contract: Contract, multiplier: Decimal) -> ExitTemplate:
    """The exits that `settings` ask for on `contract`; targets and stops of distance 0 are left out."""
    # Only trims in contracts grow with the multiplier: all others share one template, however many followers.
    grows = any(target.trim is not None and target.trim_unit is TrimUnit.CONTRACTS for target in settings.targets)
    return _template_of(settings, contract, multiplier if grows else Decimal(1))


@lru_cache(maxsize=1024)
def _template_of(settings: Settings, contract: Contract, multiplier: Decimal) -> ExitTemplate:
    tick = contract.tick
    targets = [_target(target, contract, multiplier) for target in settings.targets if target.distance > 0]
    stop = _level(settings.stop_distance, settings.stop_unit, contract) if settings.stop_distance > 0 else None
    is_trailing = stop is not None and settings.stop_type is StopType.TRAILING
    return ExitTemplate(
        targets=tuple(targets),
        stop=stop,
        trail_trigger=settings.trail_trigger_ticks * tick if is_trailing else None,
        trail_step=settings.trail_step_ticks * tick if is_trailing else Decimal(0),
        break_even_after=settings.break_even_ticks * tick if stop is not None and settings.break_even_ticks else None,
        break_even_offset=settings.break_even_offset_ticks * tick,
    )


@lru_cache(maxsize=1024)
def template_from(text: str) -> ExitTemplate:
    """The template that `ExitTemplate.text` was."""
    return ExitTemplate.model_validate_json(text)


def _target(target: Target, contract: Contract, multiplier: Decimal) -> ExitTarget:
    level = _level(target.distance, target.unit, contract)
    if target.trim is None:
        return ExitTarget(level=level)
    if target.trim_unit is TrimUnit.PERCENT:
        return ExitTarget(level=level, share=target.trim)
    contracts = int((target.trim * multiplier).to_integral_value(ROUND_FLOOR))
    return ExitTarget(level=level, contracts=max(1, contracts))


def _level(distance: Decimal, unit: Unit, contract: Contract) -> Level:
    if unit is Unit.PERCENT:
        return Level(percent=distance)
    if unit is Unit.PRICE:
        return Level(price=distance)
    points = {
        Unit.TICKS: distance * contract.tick,
        Unit.POINTS: distance,
        Unit.DOLLARS: distance / contract.point_value,
    }[unit]
    return Level(points=contract.distance_on_tick(points))


@lru_cache(maxsize=4096)
def leg_sizes(template: ExitTemplate, qty: int) -> tuple[int, ...]:
    """Contracts of each target of a position of `qty`, and last what no target closes; they sum to `qty`.

    One contract more adds one to a single leg, whatever the size before: that is why an add never shrinks a leg.
    """
    sizes = [0] * (len(template.targets) + 1)
    for count in range(1, qty + 1):
        sizes[_next_leg(template, sizes, count)] += 1
    return tuple(sizes)


def _next_leg(template: ExitTemplate, sizes: list[int], count: int) -> int:
    """The leg that the `count`-th contract goes to: the one furthest behind what it is to have, the nearest of equals.

    Targets in contracts are served first, in order; the ones without a trim take what the others leave.
    """
    for index, target in enumerate(template.targets):
        if target.contracts is not None and sizes[index] < target.contracts:
            return index
    shares = [target.share or Decimal(0) for target in template.targets]
    left = WHOLE - sum(shares, Decimal(0))
    takers = [i for i, target in enumerate(template.targets) if target.share is None and target.contracts is None]
    for index in takers:
        shares[index] = left / len(takers)
    shares.append(Decimal(0) if takers else left)
    shared = count - sum(sizes[i] for i, target in enumerate(template.targets) if target.contracts is not None)
    behind = [share * shared / WHOLE - sizes[index] for index, share in enumerate(shares)]
    candidates = [index for index, share in enumerate(shares) if share > 0]
    return max(candidates, key=lambda index: (behind[index], -index)) if candidates else len(sizes) - 1


def added_sizes(template: ExitTemplate, held: tuple[int, ...], qty: int) -> tuple[int, ...]:
    """How `qty` more contracts are spread over the legs of which `held` are at work: what is short of its share first,
    the nearest of them before the others; sums exactly."""
    wanted = leg_sizes(template, sum(held) + qty)
    added, left = [0] * len(wanted), qty
    for index, size in enumerate(wanted):
        added[index] = min(left, max(0, size - held[index]))
        left -= added[index]
    return tuple(added)


@lru_cache(maxsize=4096)
def brackets(
    template: ExitTemplate, sizes: tuple[int, ...], contract: Contract, reference: Decimal | None
) -> tuple[BracketLeg, ...]:
    """The entry's native bracket, one leg for each target that has contracts, and one for the rest when it has a stop.

    `reference` is about where the entry will fill. Raises `ReferenceMissing` when a level needs it and it is None.
    """
    stop = None if template.stop is None else _distance(template.stop, reference, contract)
    trail = None
    if template.trail_trigger is not None and stop is not None:
        trail = Trail(stop, template.trail_trigger, template.trail_step)
    targets = [_distance(target.level, reference, contract) for target in template.targets]
    return tuple(
        BracketLeg(sizes[place], targets[place] if place < len(targets) else None, stop, trail)
        for place in bracket_places(template, sizes)
    )


def check_sides(template: ExitTemplate, side: Side, reference: Decimal | None) -> None:
    """Raises `WrongSide` for a target or stop at a price that lies on the other side of the entry."""
    levels = [("target", target.level, side.sign) for target in template.targets]
    if template.stop is not None:
        levels.append(("stop", template.stop, -side.sign))
    for name, level, direction in levels:
        if level.price is not None and reference is not None and (level.price - reference) * direction <= 0:
            wants = "above" if direction > 0 else "below"
            raise WrongSide(f"{name}: had {level.price.normalize():f}, wants a price {wants} {reference.normalize():f}")


def bracket_places(template: ExitTemplate, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """For each leg of `brackets`, its target's place in the template; the place after the last one is the rest."""
    if template.stop is None and not any(sizes[:-1]):
        return ()
    return tuple(place for place, size in enumerate(sizes) if size > 0)


def _distance(level: Level, reference: Decimal | None, contract: Contract) -> Decimal:
    distance = level.distance(reference)
    if distance is None:
        raise ReferenceMissing("exits in percent or at a price need the alert's price")
    return max(contract.distance_on_tick(distance), contract.tick)


def leg_prices(
    template: ExitTemplate, side: Side, average: Decimal, contract: Contract, *, at_break_even: bool
) -> LegPrices:
    """Where the exits of a position belong, given its average fill."""
    targets = tuple(_price(target.level, side.sign, average, contract) for target in template.targets)
    if template.stop is None:
        return LegPrices(targets, None)
    if at_break_even:
        # Up for a long position, down for a short one: a tick worse would not be even.
        rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
        return LegPrices(targets, contract.on_tick(average + side.sign * template.break_even_offset, rounding))
    return LegPrices(targets, _price(template.stop, -side.sign, average, contract))


def _price(level: Level, direction: int, average: Decimal, contract: Contract) -> Decimal:
    """`direction` is the side of the average on which the exit usually lies: 1 above, -1 below.

    A price that was stated is kept, also where an add or a slipped fill has put the average beyond it: a stop above
    a long position's average secures a profit.
    """
    if level.price is not None:
        return contract.on_tick(level.price, ROUND_FLOOR if direction > 0 else ROUND_CEILING)
    distance = max(level.distance(average) or Decimal(0), contract.tick)
    return contract.toward_entry(average + direction * distance, average)
