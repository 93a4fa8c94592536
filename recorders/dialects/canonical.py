"""Our own JSON, and the messages that our predecessor's users have on their charts.

`time` and `bar_time` are when the bar opened, not when the alert fired, so they are not read.
"""

from __future__ import annotations

from recorders.alert import ParsedAlert
from recorders.dialects import crosstrade, lines, nested, okx, overrides, pickmytrade, threecommas, traderspost
from recorders.dialects.reading import Names, read
from recorders.fields import Fields

NAME = "canonical"
_NAMES = Names()
_KEYS = frozenset([*_NAMES.ticker, *_NAMES.action, *_NAMES.weak_action, *_NAMES.positions.side, *_NAMES.positions.size])
_OTHERS = (nested, pickmytrade, traderspost, threecommas, okx, crosstrade)


def speaks(alert: Fields) -> bool:
    """A name of ours, and no sign of anybody else."""
    if _KEYS.isdisjoint(alert) or lines.LINE in alert:
        return False
    return not any(other.speaks(alert) for other in _OTHERS)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    return read(alert, _NAMES, NAME, lambda: overrides.read(alert))
