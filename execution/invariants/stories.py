"""What moved each position, side by side: the transitions that say so, and the fills that were booked at that moment.

Everything that a batch of reports books carries one time: its fills' `applied_at` is its transitions' `at`. A move
without a fill is a correction (a broker that is flat is believed), and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from django.db.models import F, Q, QuerySet

from brokers.base import OrderRole, Side
from execution.models import Fill, ObjectKind, Position, Transition

IS_NUMBER = r"^[+-]?\d+$"


@dataclass(frozen=True, slots=True)
class Move:
    before: int
    after: int
    at: datetime
    detail: str

    @property
    def change(self) -> int:
        return self.after - self.before


@dataclass(slots=True)
class Story:
    """`booked` are signed contracts by moment and role; a share of an account's flatten counts as an exit's."""

    position: Position
    moves: list[Move] = field(default_factory=list)
    booked: dict[datetime, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))

    def changes(self) -> dict[datetime, int]:
        """What the transitions of each moment add up to."""
        summed: dict[datetime, int] = defaultdict(int)
        for move in self.moves:
            summed[move.at] += move.change
        return summed


def stories_of(positions: QuerySet[Position]) -> list[Story]:
    """In three queries, however many positions there are."""
    by_id = {position.id: Story(position) for position in positions}
    by_key = {(story.position.trader_id, story.position.symbol): story for story in by_id.values()}
    told = Transition.objects.filter(
        object_kind=ObjectKind.POSITION, object_id__in=by_id, from_state__regex=IS_NUMBER, to_state__regex=IS_NUMBER
    )
    for object_id, before, after, at, detail in told.order_by("id").values_list(
        "object_id", "from_state", "to_state", "at", "detail"
    ):
        by_id[object_id].moves.append(Move(int(before), int(after), at, detail))
    for trader_id, symbol, role, signed, at in _booked({trader for trader, _ in by_key}):
        story = by_key.get((trader_id, symbol))
        if story is not None:
            story.booked[at].append((role, signed))
    return list(by_id.values())


def _booked(traders: set[UUID]) -> Iterator[tuple[UUID, str, str, int, datetime]]:
    applied = Fill.objects.filter(applied_at__isnull=False)
    mine = Q(order__trader_id__in=traders) | Q(shares__isnull=False)
    for trader_id, role, symbol, side, qty, shares, at in applied.filter(mine).values_list(
        F("order__trader_id"), F("order__role"), "symbol", "side", "qty", "shares", "applied_at"
    ):
        sign = Side(side).sign
        if trader_id is not None and at is not None:
            yield trader_id, symbol, role, sign * qty, at
        for owner, contracts, _ in shares or ():
            if at is not None:
                yield UUID(owner), symbol, OrderRole.EXIT.value, sign * int(contracts), at


def wrong_sums(stories: Iterable[Story]) -> Iterator[str]:
    """Positions that are not what was booked, or that were moved by nothing that is told."""
    for story in stories:
        position = story.position
        total = sum(move.change for move in story.moves)
        if total != position.net_qty:
            yield f"position {position.id}: holds {position.net_qty:+d}, its moves add up to {total:+d}"
        for one, other in pairwise(story.moves):
            if one.after != other.before:
                yield f"position {position.id}: moved to {one.after:+d} and on from {other.before:+d}"
        changes = story.changes()
        for at in changes.keys() | story.booked.keys():
            yield from _wrong_moment(story, at, changes.get(at, 0))


def _wrong_moment(story: Story, at: datetime, change: int) -> Iterator[str]:
    name, booked = f"position {story.position.id}: at {at:%H:%M:%S.%f}", story.booked.get(at, [])
    if not booked:
        if any(move.at == at and move.detail.strip() == "" for move in story.moves):
            yield f"{name} it was moved by {change:+d} without a fill and without a word"
        return
    # What the venue's own flatten closed beyond the trader's share is not the trader's: an exit may count for less.
    exits = sum(signed for role, signed in booked if role == OrderRole.EXIT)
    whole = sum(signed for _, signed in booked)
    if not min(whole, whole - exits) <= change <= max(whole, whole - exits):
        yield f"{name} it was moved by {change:+d}, fills of {whole:+d} were booked"


def exits_that_grew(stories: Iterable[Story]) -> Iterator[str]:
    """Positions that an exit, a stop or a target made bigger, or carried beyond flat."""
    for story in stories:
        for move in story.moves:
            is_bigger = abs(move.after) > abs(move.before) or move.before * move.after < 0
            ways = {role for role, signed in story.booked.get(move.at, []) if signed * move.change > 0}
            if is_bigger and ways and OrderRole.ENTRY.value not in ways:
                text = f"from {move.before:+d} to {move.after:+d} by {', '.join(sorted(ways))}"
                yield f"position {story.position.id}: at {move.at:%H:%M:%S.%f} it went {text}"
