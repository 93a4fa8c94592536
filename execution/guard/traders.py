"""What single traders have won and hold, for limits on a trader or on a recorder's traders. Asked only where one is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from brokers.sessions import SessionDay
from execution.guard.days import Day
from execution.models import Fill, Position
from execution.valuation import known_contract
from risk.watch import Line
from traders.models import Trader

ZERO = Decimal(0)


@dataclass(slots=True)
class Share:
    """One trader's part of its account: dollars after fees. `won` is everything it ever realised."""

    trader_id: UUID
    account_id: UUID
    owner_id: UUID
    recorder_id: UUID
    day: Decimal = ZERO
    week: Decimal = ZERO
    won: Decimal = ZERO
    lines: list[Line] = field(default_factory=list)
    is_complete: bool = True


def load_shares(wanted: Q, days: Mapping[UUID, Day]) -> dict[UUID, Share]:
    """The traders that `wanted` names on the accounts of `days`, by id; three queries for each roll in use."""
    rows = Trader.objects.filter(wanted, account__in=days).values_list("id", "account_id", "owner_id", "recorder_id")
    shares = {row[0]: Share(*row) for row in rows}
    if not shares:
        return {}
    _count_fills(shares, days)
    held = Position.objects.filter(trader__in=shares)
    for trader_id, symbol, net, average, realized in held.values_list(
        "trader_id", "symbol", "net_qty", "avg_price", "realized_pnl"
    ):
        share = shares[trader_id]
        share.won += realized
        if net != 0:
            contract = known_contract(symbol)
            if contract is None or average is None:
                share.is_complete = False
                continue
            source = days[share.account_id].account.source
            share.lines.append(Line(symbol, source, net, average, contract.point_value))
    return shares


def _count_fills(shares: Mapping[UUID, Share], days: Mapping[UUID, Day]) -> None:
    by_session: dict[SessionDay, list[UUID]] = {}
    for share in shares.values():
        by_session.setdefault(days[share.account_id].session, []).append(share.trader_id)
    for session, trader_ids in by_session.items():
        week = days[shares[trader_ids[0]].account_id].account.week_start(session)
        for since, name in ((session.start, "day"), (week, "week")):
            for trader_id, won, contracts in _won_since(since, trader_ids):
                share = shares[trader_id]
                fee = days[share.account_id].account.fee
                setattr(share, name, getattr(share, name) + won - fee * contracts)


def _won_since(since: datetime, trader_ids: Collection[UUID]) -> list[tuple[UUID, Decimal, int]]:
    own = (
        Fill.objects.filter(order__trader__in=trader_ids, filled_at__gte=since)
        .order_by()
        .values_list("order__trader_id")
        .annotate(won=Sum("realized_pnl"), contracts=Sum("qty"))
    )
    found = [(trader_id, won or ZERO, contracts or 0) for trader_id, won, contracts in own]
    wanted = {str(trader_id): trader_id for trader_id in trader_ids}
    accounts = Trader.objects.filter(pk__in=trader_ids).values("account_id")
    closed_for_all = Fill.objects.filter(account__in=accounts, filled_at__gte=since, shares__isnull=False)
    for shares in closed_for_all.values_list("shares", flat=True):
        rows: list[Any] = shares or []
        found += [(wanted[name], Decimal(money), int(qty)) for name, qty, money in rows if name in wanted]
    return found
