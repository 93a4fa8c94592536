"""The venue's own loss limits of an account: its entity `userAccountAutoLiq` (Tradovate wire facts, entities).

A write replaces the whole entity, so what is not set here is sent back as it was read. An API key needs the permission
Risks for either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from brokers.access import Access
from brokers.base import AccountRef
from brokers.errors import AuthExpired, OutcomeUnknown, Refused
from brokers.http import HttpClient
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.gate import Gate
from brokers.tradovate.parse import decimal_of, parse_time
from brokers.venue import SETTABLE_LIMITS, LossLimits

LIMITS_LOCKED = "LIMITS_LOCKED"
NO_PERMISSION = "NO_PERMISSION"
_ENTITY = "userAccountAutoLiq"
_NAMES = {
    "daily_loss_alert": "dailyLossAlert",
    "daily_loss_liq_only": "dailyLossLiqOnly",
    "daily_loss_auto_liq": "dailyLossAutoLiq",
    "weekly_loss_auto_liq": "weeklyLossAutoLiq",
    "daily_profit_auto_liq": "dailyProfitAutoLiq",
    "weekly_profit_auto_liq": "weeklyProfitAutoLiq",
    "drawdown": "trailingMaxDrawdown",
    "drawdown_stops_at": "trailingMaxDrawdownLimit",
    "daily_loss_percent_alert": "dailyLossPercentageAlert",
    "daily_loss_percent_liq_only": "dailyLossPercentageLiqOnly",
    "daily_loss_percent_auto_liq": "dailyLossPercentageAutoLiq",
}
_MODE = "trailingMaxDrawdownMode"

Json = Mapping[str, Any]
_T = TypeVar("_T")


class AutoLiq:
    """`brokers.venue.LossLimitsDesk` of Tradovate's hosts. Each call is a look or two of its own."""

    def read(self, access: Access, account: AccountRef) -> LossLimits:
        return _read(_client(access), account)

    def write(self, access: Access, account: AccountRef, limits: LossLimits) -> LossLimits:
        """Reads what is there, sends it back changed, and reads again: what the venue has then is the answer."""
        client = _client(access)
        before = _allowed(lambda: _entity(client, account))
        if before is not None and limits_of(before).is_locked:
            raise Refused(LIMITS_LOCKED, "the broker lets nobody change this account's limits now")
        path = f"{_ENTITY}/{'create' if before is None else 'update'}"
        body = orjson.dumps(entity_of({"id": int(account.broker_id)} if before is None else before, limits))
        _check_written(_allowed(lambda: client.ask(path, body)))
        return _read(client, account)


def _read(client: Client, account: AccountRef) -> LossLimits:
    entity = _allowed(lambda: _entity(client, account))
    return LossLimits() if entity is None else limits_of(entity)


def limits_of(entity: Json) -> LossLimits:
    """Raises `OutcomeUnknown` for what cannot be read."""
    try:
        amounts: dict[str, Any] = {name: decimal_of(entity.get(theirs)) for name, theirs in _NAMES.items()}
        flattens_at = entity.get("flattenTimestamp")
        return LossLimits(
            **amounts,
            drawdown_mode=entity.get(_MODE),
            flattens_at=None if flattens_at is None else parse_time(flattens_at),
            is_locked=entity.get("changesLocked") is True,
        )
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        raise OutcomeUnknown(f"{_ENTITY}: the answer could not be read") from None


def entity_of(before: Json, limits: LossLimits) -> dict[str, Any]:
    """The entity as read, with the limits that are ours to set; one that is taken away is left out."""
    theirs = {**_NAMES, "drawdown_mode": _MODE}
    wanted = {theirs[name]: getattr(limits, name) for name in SETTABLE_LIMITS}
    kept = {name: value for name, value in before.items() if name not in wanted}
    return kept | {name: _on_wire(value) for name, value in wanted.items() if value is not None}


def _client(access: Access) -> Client:
    http, gate = HttpClient(access.endpoints.rest_url), Gate(access.budget)
    auth = Auth(access, http, gate)
    # Asked for first: what fails from here on is no longer the sign-in.
    auth.token()
    return Client(http, auth, gate)


def _allowed(ask: Callable[[], _T]) -> _T:
    """A 401 after the sign-in has just worked is a permission that the key does not have."""
    try:
        return ask()
    except AuthExpired:
        raise Refused(
            NO_PERMISSION, "the broker shows and changes these limits only for an API key with the permission Risks"
        ) from None


def _entity(client: Client, account: AccountRef) -> Json | None:
    rows = client.read_list(f"{_ENTITY}/deps", {"masterid": account.broker_id})
    return next((row for row in rows if isinstance(row, dict) and str(row.get("id")) == account.broker_id), None)


def _check_written(answer: Any) -> None:
    """A refusal comes with HTTP 200 here as it does for orders."""
    said = answer if isinstance(answer, dict) else {}
    text = said.get("errorText") or said.get("failureText") or said.get("failureReason")
    if text:
        raise Refused("LIMITS_REFUSED", str(text))


def _on_wire(value: Decimal | str) -> Any:
    """The exact digits as a JSON number: money never passes through a float."""
    return orjson.Fragment(format(value, "f")) if isinstance(value, Decimal) else value
