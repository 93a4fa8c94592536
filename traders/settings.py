"""EffectiveSettings: alert field over trader override over recorder, resolved when the signal comes. Pure.

What a layer does not state is inherited; 0 means 0. The result is immutable and the same object for all followers who
override the same, so that a decision is made once for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from recorders.settings import Settings, defaults, merge, read_settings

RECORDER, TRADER, ALERT = "recorder", "trader", "alert"


@dataclass(frozen=True, slots=True)
class Route:
    """What belongs to one account of a trader: sizes times `multiplier`, at most `max_contracts` held (None: no cap).

    `custom_ticker` is traded instead of the signal's, "" keeps it; `convert_size` then scales by the point values
    (1 NQ is 10 MNQ).
    """

    multiplier: Decimal = Decimal(1)
    max_contracts: int | None = None
    custom_ticker: str = ""
    convert_size: bool = False


@dataclass(frozen=True, eq=False)
class EffectiveSettings:
    """`sources` says for each setting that is not the recorder's own whose it is: `trader` or `alert`."""

    settings: Settings
    route: Route
    sources: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def document(self) -> dict[str, Any]:
        """As it is stored with the intents: every value with its source."""
        values = {
            name: {"value": value, "source": self.sources.get(name, RECORDER)}
            for name, value in self.settings.dump().items()
        }
        of_route = {
            "multiplier": str(self.route.multiplier),
            "max_contracts": self.route.max_contracts,
            "custom_ticker": self.route.custom_ticker,
            "convert_size": self.route.convert_size,
        }
        return values | {name: {"value": value, "source": TRADER} for name, value in of_route.items()}


@lru_cache(maxsize=4096)
def resolve(recorder: str, trader: str, alert: str, route: Route) -> EffectiveSettings:
    """Each layer is the JSON text of its settings, as it is stored: equal texts give the same object.

    Raises `recorders.settings.BadSettings` when the layers contradict each other.
    """
    layers = {TRADER: json.loads(trader or "{}"), ALERT: json.loads(alert or "{}")}
    base = read_settings(defaults() | json.loads(recorder or "{}"))
    sources = {name: source for source, layer in layers.items() for name in layer}
    return EffectiveSettings(merge(base, layers.values()), route, sources)
