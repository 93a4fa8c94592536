"""The demo's second recorder: accounts of every venue that follow one and the same signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from accounts.models import User
from brokers.models import BrokerAccount, BrokerLogin, Environment
from brokers.registry import VENUES
from brokers.services import connect_login
from recorders.models import Recorder
from traders.models import Trader
from traders.services import create_trader

CONTROL_TIMEOUT_S = 30
MOST_AT_ONCE = 200
PAPER = "paper"
TRADABLE_KINDS = frozenset({"", "FUTURES", "PAPER"})
"""Classes of account that trade futures; a Webull login has others beside it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A venue, and where its sandbox is controlled; the paper venue needs none."""

    venue: str
    control_url: str


def follow_everywhere(user: User, recorder: Recorder, sandboxes: dict[str, Any], each: int) -> None:
    """Have `each` accounts of every venue follow the recorder; logins that are there already are kept."""
    for place in _places(sandboxes):
        for row in _sign_ins(place, each):
            login = _login(user, place.venue, row)
            for account in BrokerAccount.objects.filter(login=login, kind__in=TRADABLE_KINDS):
                if not Trader.objects.filter(recorder=recorder, account=account).exists():
                    create_trader(owner=user, recorder=recorder, account=account, multiplier=Decimal(1))


def _places(sandboxes: dict[str, Any]) -> Iterator[Place]:
    for venue, known in VENUES.items():
        found = sandboxes.get(known.backend or venue)
        if venue == PAPER:
            yield Place(venue, "")
        elif isinstance(found, dict):
            yield Place(venue, found["control_url"])


def _sign_ins(place: Place, wanted: int) -> list[dict[str, Any]]:
    """Names that stay the same from one start to the next, so that nothing is connected twice."""
    if place.venue == PAPER:
        return [{"username": f"paper-{number}"} for number in range(1, wanted + 1)]
    names = [f"every-{place.venue}-{number}" for number in range(1, wanted + 1)]
    rows: list[dict[str, Any]] = []
    for start in range(0, wanted, MOST_AT_ONCE):
        logins = [{"username": name, "password": f"secret-{name}"} for name in names[start : start + MOST_AT_ONCE]]
        answer = requests.post(f"{place.control_url}/accounts", json={"logins": logins}, timeout=CONTROL_TIMEOUT_S)
        answer.raise_for_status()
        rows += answer.json()
    return rows


def _login(user: User, venue: str, row: dict[str, Any]) -> BrokerLogin:
    found = BrokerLogin.objects.filter(owner=user, venue=venue, username=row["username"]).first()
    if found is not None:
        return found
    given = {name: row[name] for name in ("username", "password") if name in row}
    return connect_login(owner=user, venue=venue, environment=Environment.SANDBOX.value, **given)
