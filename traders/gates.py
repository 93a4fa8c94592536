"""What a signal must pass before it adds exposure, in one fixed order; each verdict says what was had and the limit.

Pure. Exits never come here. `docs/SETTINGS.md` shows the order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.base import Side
from recorders.setting_types import Directions, TimeWindow
from recorders.settings import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one trader when a signal comes. Times are aware UTC, money is dollars.

    `entries_in_session` and `last_entry_at` count entries and adds that were cleared; `signals_counted` those that
    came as far as the last gate, taken or not. `day_pnl` None: open contracts that nobody can value; `is_loss_lifted`:
    the limit of the day's loss was reached and unlocked, and acts no more in this session.
    """

    now: datetime
    zone: str
    last_entry_at: datetime | None = None
    entries_in_session: int = 0
    signals_counted: int = 0
    day_pnl: Decimal | None = Decimal(0)
    is_loss_lifted: bool = False
    open_positions: int = 0
    premium: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What would be done: `held` is signed, before it. An entry is fresh where nothing was held on its side."""

    side: Side
    held: int
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` names the gate and, where it denies, the reason; `had` and `limit` as they are shown."""

    code: str
    passes: bool
    had: str
    limit: str

    @property
    def text(self) -> str:
        return f"{self.code.lower().replace('_', ' ')}: had {self.had}, limit {self.limit}"


Gate = Callable[[Settings, Facts, Ask], Verdict | None]


def _direction(settings: Settings, _facts: Facts, ask: Ask) -> Verdict | None:
    if settings.direction_filter is Directions.BOTH:
        return None
    allowed = Side.BUY if settings.direction_filter is Directions.LONG_ONLY else Side.SELL
    return Verdict("DIRECTION_FILTER", ask.side is allowed, ask.side.value, settings.direction_filter.value)


def _window(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    if not settings.time_windows:
        return None
    local = facts.now.astimezone(ZoneInfo(facts.zone))
    inside = any(contains(window, local.time()) for window in settings.time_windows)
    shown = ", ".join(f"{window.start:%H:%M}-{window.end:%H:%M}" for window in settings.time_windows)
    return Verdict("TIME_WINDOW", inside, f"{local:%H:%M:%S}", f"{shown} {facts.zone}")


def contains(window: TimeWindow, moment: time) -> bool:
    """Whether a wall clock time is in the window, its end not included; over midnight where the end comes first."""
    if window.start < window.end:
        return window.start <= moment < window.end
    return moment >= window.start or moment < window.end


def _cooldown(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    if settings.signal_cooldown_s == 0:
        return None
    limit = f"{settings.signal_cooldown_s} s since the last entry"
    if facts.last_entry_at is None:
        return Verdict("COOLDOWN", passes=True, had="no entry before", limit=limit)
    since = (facts.now - facts.last_entry_at).total_seconds()
    return Verdict("COOLDOWN", since >= settings.signal_cooldown_s, f"{since:.1f} s", limit)


def _session(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    most = settings.max_signals_per_session
    if most == 0:
        return None
    return Verdict("MAX_SIGNALS", facts.entries_in_session < most, f"{facts.entries_in_session} taken", str(most))


def _daily_loss(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    most = settings.max_daily_loss
    if most == 0:
        return None
    has_room = facts.day_pnl is not None and facts.day_pnl > -most
    had = "an open position without a fresh price" if facts.day_pnl is None else f"{facts.day_pnl:.2f} $"
    limit = f"{-most} $, unlocked for this session" if facts.is_loss_lifted else f"{-most} $"
    return Verdict("DAILY_LOSS", has_room or facts.is_loss_lifted, had, limit)


def _open_positions(settings: Settings, facts: Facts, ask: Ask) -> Verdict | None:
    most = settings.max_open_positions
    if most == 0 or not ask.is_fresh:
        return None
    # The one that a reversal closes first makes room for the one that it opens.
    others = facts.open_positions - (1 if ask.held != 0 else 0)
    return Verdict("MAX_OPEN_POSITIONS", others < most, f"{others} open", str(most))


def _premium(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    least = settings.min_option_premium
    if least == 0 or facts.premium is None:
        return None
    return Verdict("OPTION_PREMIUM", facts.premium >= least, f"{facts.premium} $", f"at least {least} $")


def _nth(settings: Settings, facts: Facts, _ask: Ask) -> Verdict | None:
    every = settings.every_nth_signal
    if every == 1:
        return None
    number = facts.signals_counted % every + 1
    return Verdict("EVERY_NTH", number == every, f"number {number} of {every}", f"number {every}")


GATES: tuple[Gate, ...] = (
    _direction,
    _window,
    _cooldown,
    _session,
    _daily_loss,
    _open_positions,
    _premium,
    _nth,
)
"""The order is a promise: the first denial is the reason that is told, and the last gate counts what reached it."""


def judge(settings: Settings, facts: Facts, ask: Ask) -> tuple[Verdict, ...]:
    """The verdict of each gate that is switched on, in order, up to and with the first denial."""
    verdicts: list[Verdict] = []
    for gate in GATES:
        verdict = gate(settings, facts, ask)
        if verdict is not None:
            verdicts.append(verdict)
            if not verdict.passes:
                break
    return tuple(verdicts)
