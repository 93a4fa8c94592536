"""What single traders have won and hold, for limits on a trader or on a recorder's traders. Asked only where one is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from brokers.sessions import SessionDay
from execution.guard.days import Day
from execution.models import Position
from execution.valuation import known_contract
from execution.winnings import won_by_fills
from risk.watch import Line
from traders.models import Trader

ZERO = Decimal(0)
TRIES = 3


@dataclass(slots=True)
class Share:
    """One trader's part of its account: dollars after fees. `won` is everything it ever realised, `won_today` what of
    that in this session, both before fees.
    """

    trader_id: UUID
    account_id: UUID
    owner_id: UUID
    recorder_id: UUID
    day: Decimal = ZERO
    week: Decimal = ZERO
    won: Decimal = ZERO
    won_today: Decimal = ZERO
    lines: list[Line] = field(default_factory=list)
    is_complete: bool = True


def load_shares(wanted: Q, days: Mapping[UUID, Day]) -> dict[UUID, Share]:
    """The traders that `wanted` names on the accounts of `days`, by id; a fixed number of queries for each roll in use.

    A close that is applied between them would be a profit without its position or the other way round: they are asked
    until nothing happened meanwhile, and are not complete where that is never so.
    """
    rows = Trader.objects.filter(wanted, account__in=days).values_list("id", "account_id", "owner_id", "recorder_id")
    found = [Share(*row) for row in rows]
    ids = [share.trader_id for share in found]
    held = _held(ids)
    for _ in range(TRIES):
        shares = {share.trader_id: replace(share, lines=[]) for share in found}
        _count_fills(shares, days)
        before, held = held, _held(ids)
        if held == before:
            _hold(shares, held, days)
            return shares
    return {share.trader_id: replace(share, is_complete=False) for share in found}


def _held(trader_ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    if not trader_ids:
        return []
    held = Position.objects.filter(trader__in=trader_ids).order_by("pk")
    return list(held.values_list("trader_id", "symbol", "net_qty", "avg_price", "realized_pnl", "updated_at"))


def _hold(shares: Mapping[UUID, Share], held: Iterable[tuple[Any, ...]], days: Mapping[UUID, Day]) -> None:
    for trader_id, symbol, net, average, realized, _ in held:
        share = shares[trader_id]
        share.won += realized
        if net != 0:
            contract = known_contract(symbol)
            if contract is None or average is None:
                share.is_complete = False
                continue
            source = days[share.account_id].account.source
            share.lines.append(Line(symbol, source, net, average, contract.point_value))


def _count_fills(shares: Mapping[UUID, Share], days: Mapping[UUID, Day]) -> None:
    by_session: dict[SessionDay, list[UUID]] = {}
    for share in shares.values():
        by_session.setdefault(days[share.account_id].session, []).append(share.trader_id)
    for session, trader_ids in by_session.items():
        week = days[shares[trader_ids[0]].account_id].account.week_start(session)
        for since, name in ((session.start, "day"), (week, "week")):
            whose = {trader_id: (shares[trader_id].account_id, since) for trader_id in trader_ids}
            for trader_id, won, contracts in won_by_fills(whose):
                share = shares[trader_id]
                fee = days[share.account_id].account.fee
                setattr(share, name, getattr(share, name) + won - fee * contracts)
                if name == "day":
                    share.won_today += won
