"""A trader on several accounts: making all of it or nothing, what it trades instead, and with which settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from brokers.instruments import conversion_ratio, product_of, products
from traders import settings
from traders.models import Trader
from traders.services import create_trader

MOST_ROUTES = 50


@dataclass(frozen=True, slots=True)
class Conversion:
    """One contract of `signal` is `ratio` contracts of `traded`, both roots of one family of products."""

    signal: str
    traded: str
    ratio: Decimal


def create_with_routes(
    *, owner: User, routes: Sequence[Mapping[str, Any]] = (), is_enabled: bool = True, **given: Any
) -> Trader:
    """A trader and its further accounts, in one transaction.

    `given` and each of `routes` are what `create_trader` takes. Raises `ValidationError`; a field of a route
    is named like `routes.1.account`.
    """
    with transaction.atomic():
        lead = create_trader(owner=owner, is_enabled=is_enabled, **given)
        for number, route in enumerate(routes):
            try:
                add_route(lead=lead, **route)
            except ValidationError as error:
                named = {f"routes.{number}.{name}": texts for name, texts in error.message_dict.items()}
                raise ValidationError(named) from None
    return lead


def add_route(*, lead: Trader, **given: Any) -> Trader:
    """One more account of `lead`, with its overrides. Raises `ValidationError`."""
    return create_trader(owner=lead.owner, recorder=lead.recorder, route_of=lead, **given)


def effective_of(trader: Trader) -> settings.EffectiveSettings:
    """What it trades with when an alert states nothing itself. Raises `BadSettings` where recorder and trader clash."""
    lead = trader.route_of if trader.route_of is not None else trader
    route = settings.Route(trader.multiplier, trader.max_contracts, trader.custom_ticker, trader.convert_size)
    return settings.resolve(json.dumps(trader.recorder.template), json.dumps(lead.overrides), "", route)


def conversions_of(trader: Trader) -> list[Conversion]:
    """The products whose signals could be scaled to its custom ticker's by their point values; none without one."""
    if not trader.custom_ticker:
        return []
    traded = product_of(trader.custom_ticker)
    ratios = ((product.root, conversion_ratio(product, traded)) for product in products().values())
    return [Conversion(root, traded.root, ratio) for root, ratio in ratios if ratio is not None and ratio != 1]
