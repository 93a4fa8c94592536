"""What a monitor watches, tick by tick: subjects with limits, and the prices at which one could be reached. Pure.

A price inside a subject's bands cannot have used up the room of any limit, so that a tick costs one comparison per
contract, however many accounts hold it. Outside of one the subject is assessed anew, with all prices as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from risk.monitors import Figures, Gauge, Kind, Terms, gauge_of, is_loss

ZERO = Decimal(0)
PriceKey = tuple[str, str]
"""A contract's symbol and the quote source that its account goes by."""
Prices = Mapping[PriceKey, Decimal]


class Line(NamedTuple):
    """An open position: signed contracts, average price in points, dollars per point."""

    symbol: str
    source: str
    net_qty: int
    avg_price: Decimal
    point_value: Decimal

    @property
    def key(self) -> PriceKey:
        return self.symbol, self.source


class Target(NamedTuple):
    """What a breach closes: an account, or one trader's share of it."""

    account_id: UUID
    trader_id: UUID | None = None


class Member(NamedTuple):
    """Who has part in a subject, an account or a trader's share of one. `cash` is its worth without `lines`, dollars;
    None where nobody said.
    """

    id: UUID
    cash: Decimal | None
    lines: tuple[Line, ...] = ()


class Band(NamedTuple):
    """Between these two prices, both excluded, nothing can have happened."""

    low: Decimal | None
    high: Decimal | None

    def holds(self, price: Decimal) -> bool:
        return (self.low is None or price > self.low) and (self.high is None or price < self.high)


@dataclass(slots=True)
class Subject:
    """A trader, an account, a recorder's traders or all that a user has, with the limits on it. Dollars.

    `day_base` and `week_base` are realised, after fees; `cash` is what the account is worth without `lines`, None
    where nobody said. Open contracts that cannot be valued make its figures unknown: `is_complete` False. Of what
    counts over several `members` says what each of them adds to the equity.
    """

    key: str
    owner_id: UUID
    targets: tuple[Target, ...]
    lines: tuple[Line, ...] = ()
    terms: tuple[Terms, ...] = ()
    day_base: Decimal = ZERO
    week_base: Decimal = ZERO
    cash: Decimal | None = None
    start_equity: Decimal | None = None
    intraday_high: Decimal | None = None
    end_of_day_high: Decimal | None = None
    is_complete: bool = True
    members: tuple[Member, ...] = ()
    gauges: tuple[Gauge, ...] = field(default=())

    def open_pnl(self, prices: Prices) -> Decimal | None:
        """What closing everything now would realise; None where a price or an average is missing."""
        return _open_pnl(self.lines, prices) if self.is_complete else None

    def equity(self, prices: Prices) -> Decimal | None:
        """What it is worth with everything open; None where that or its cash is not known."""
        open_pnl = self.open_pnl(prices)
        return None if open_pnl is None or self.cash is None else self.cash + open_pnl

    def worths(self, prices: Prices) -> dict[UUID, Decimal] | None:
        """What each member is worth with everything open; None where that of one is not known."""
        found: dict[UUID, Decimal] = {}
        for member in self.members:
            open_pnl = _open_pnl(member.lines, prices) if self.is_complete else None
            if open_pnl is None or member.cash is None:
                return None
            found[member.id] = member.cash + open_pnl
        return found

    def assess(self, prices: Prices) -> Figures:
        """The figures at these prices, and with them `gauges` and the intraday high-water mark."""
        open_pnl = self.open_pnl(prices)
        equity = None if open_pnl is None or self.cash is None else self.cash + open_pnl
        if equity is not None:
            self.intraday_high = equity if self.intraday_high is None else max(equity, self.intraday_high)
            if self.end_of_day_high is None:
                self.end_of_day_high = self.start_equity if self.start_equity is not None else equity
        figures = Figures(
            day=None if open_pnl is None else self.day_base + open_pnl,
            week=None if open_pnl is None else self.week_base + open_pnl,
            equity=equity,
            start_equity=self.start_equity,
            intraday_high=self.intraday_high,
            end_of_day_high=self.end_of_day_high,
        )
        self.gauges = tuple(gauge_of(terms, figures) for terms in self.terms)
        return figures

    @property
    def breached(self) -> list[Gauge]:
        return [gauge for gauge in self.gauges if gauge.is_breached]

    def bands(self, prices: Prices, figures: Figures, spent: Collection[str] = ()) -> dict[PriceKey, Band]:
        """For each contract with a price the band in which no limit of this subject can be reached, after `assess`.

        Limits whose key is in `spent` act no more, and hide no other by being reached.

        With several contracts open each may use up its equal part of the room; what several lines hold of one contract
        counts together. A price of a contract that has no band here is one to assess at.
        """
        acting = [gauge for gauge in self.gauges if gauge.terms.key not in spent]
        down = _least(gauge.room for gauge in acting if is_loss(gauge.terms.kind))
        up = _least([*(g.room for g in acting if not is_loss(g.terms.kind)), self._room_to_high(figures)])
        slopes = self._slopes()
        parts = sum(slope != ZERO for slope in slopes.values())
        return {
            key: _band(slope, prices[key], _part(down, parts), _part(up, parts))
            for key, slope in slopes.items()
            if key in prices
        }

    def _slopes(self) -> dict[PriceKey, Decimal]:
        """Dollars won by a rise of one point, by contract: below zero when it is held short, 0 when hedged."""
        slopes: dict[PriceKey, Decimal] = {}
        for line in self.lines:
            slopes[line.key] = slopes.get(line.key, ZERO) + line.net_qty * line.point_value
        return slopes

    def _room_to_high(self, figures: Figures) -> Decimal | None:
        """A new high lifts the floor of a drawdown that trails intraday."""
        trails = any(t.kind is Kind.TRAILING_DRAWDOWN and not t.from_day_end for t in self.terms)
        if not trails or figures.equity is None or figures.intraday_high is None:
            return None
        return figures.intraday_high - figures.equity


def merged(bands: list[Band]) -> Band:
    """The narrowest band that holds for all of them."""
    lows = [band.low for band in bands if band.low is not None]
    highs = [band.high for band in bands if band.high is not None]
    return Band(max(lows, default=None), min(highs, default=None))


def _open_pnl(lines: Iterable[Line], prices: Prices) -> Decimal | None:
    total = ZERO
    for line in lines:
        price = prices.get(line.key)
        if price is None:
            return None
        total += (price - line.avg_price) * line.net_qty * line.point_value
    return total


def _least(rooms: Iterable[Decimal | None]) -> Decimal | None:
    known = [room for room in rooms if room is not None]
    return min(known, default=None)


def _part(room: Decimal | None, parts: int) -> Decimal | None:
    return None if room is None else max(ZERO, room) / max(1, parts)


def _band(slope: Decimal, price: Decimal, down: Decimal | None, up: Decimal | None) -> Band:
    if slope == ZERO:
        return Band(None, None)
    against = None if down is None else down / abs(slope)
    in_favor = None if up is None else up / abs(slope)
    below, above = (against, in_favor) if slope > ZERO else (in_favor, against)
    return Band(None if below is None else price - below, None if above is None else price + above)
