"""The recorders' cards on the dashboard: each with its followers, those in trouble first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.http import QueryDict

from accounts.selectors import Person
from brokers.base import ConnectionState
from brokers.selectors import secrets_of
from execution import selectors
from recorders.models import Recorder
from recorders.selectors import list_recorders_for
from traders.models import Trader
from traders.selectors import list_traders_for

FOLLOWERS_SHOWN = 6
FOLLOWERS_READ = 200


@dataclass(frozen=True, slots=True)
class Follower:
    trader: Trader
    state: str
    net: dict[str, int]


@dataclass(frozen=True, slots=True)
class RecorderCard:
    recorder: Recorder
    followers: list[Follower]
    total: int
    enabled: int
    ready: int
    last_signal_at: datetime | None

    @property
    def unshown(self) -> int:
        return self.total - len(self.followers)


def recorders_panel(user: Person, _query: QueryDict) -> dict[str, Any]:
    recorders = list_recorders_for(user).annotate(
        heard_at=selectors.LAST_HEARD,
        total=Count("traders"),
        enabled=Count("traders", filter=Q(traders__is_enabled=True)),
        ready=Count(
            "traders",
            filter=Q(
                traders__is_enabled=True,
                traders__account__is_enabled=True,
                traders__account__login__is_enabled=True,
                traders__account__login__state=ConnectionState.LIVE,
            ),
        ),
    )
    followers = _followers(user)
    return {
        "cards": [
            RecorderCard(
                recorder=recorder,
                followers=followers[recorder.pk][:FOLLOWERS_SHOWN],
                total=recorder.total,
                enabled=recorder.enabled,
                ready=recorder.ready,
                last_signal_at=recorder.heard_at,
            )
            for recorder in recorders
        ]
    }


def _followers(user: Person) -> dict[UUID, list[Follower]]:
    """By recorder, those in trouble first."""
    is_ready = Case(
        When(is_enabled=True, account__login__is_enabled=True, account__login__state=ConnectionState.LIVE, then=1),
        default=Value(0),
        output_field=IntegerField(),
    )
    traders = list_traders_for(user).defer(*secrets_of("account__login"))
    shown = list(traders.order_by(is_ready, "account__name", "pk")[:FOLLOWERS_READ])
    nets: dict[UUID, dict[str, int]] = defaultdict(dict)
    open_positions = selectors.list_open_positions_for(user).filter(trader__in=[trader.pk for trader in shown])
    for trader_id, symbol, net_qty in open_positions.values_list("trader_id", "symbol", "net_qty"):
        nets[trader_id][symbol] = net_qty
    found: dict[UUID, list[Follower]] = defaultdict(list)
    for trader in shown:
        found[trader.recorder_id].append(Follower(trader, follower_state(trader), nets[trader.pk]))
    return found


def follower_state(trader: Trader) -> str:
    """`off` where the user switched something off, else the state of the login's connection."""
    login = trader.account.login
    if not (trader.is_enabled and trader.account.is_enabled and login.is_enabled):
        return "off"
    return login.state
