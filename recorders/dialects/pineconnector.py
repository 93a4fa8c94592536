"""PineConnector's line: `LicenseID,command,symbol,name=value,...` (docs.pineconnector.com/syntax).

What `risk=` means is set in its terminal, so it is not read: the recorder's own size counts. `sl`, `tp`, `betrigger`
and `beoffset` are pips there by default, and ticks here: the smallest steps of both worlds. Trailing by another
distance than the stop's, and pending orders at a stop, are not served.
"""

from __future__ import annotations

from recorders.alert import Action, ParsedAlert, Refusal
from recorders.dialects import overrides
from recorders.dialects.overrides import Overrides
from recorders.dialects.reading import Names, read
from recorders.fields import Fields
from recorders.setting_types import Unit

NAME = "pineconnector"
ACTIONS = {
    "buy": Action.BUY,
    "buylimit": Action.BUY,
    "sell": Action.SELL,
    "selllimit": Action.SELL,
    "closelong": Action.CLOSE_LONG,
    "closeshort": Action.CLOSE_SHORT,
    "closeall": Action.CLOSE,
    "cancellong": Action.CANCEL,
    "cancelshort": Action.CANCEL,
}
_NAMES = Names(
    ticker=("csv 3",),
    action=("csv 2",),
    weak_action=(),
    quantity=("contracts",),
    price=("price",),
    limit_price=("limit",),
    order_type=("order type",),
    fired_at=(),
    noticed_at=(),
    strategy=("comment",),
)
_NOT_SERVED = ("trailtrig", "traildist", "trailstep", "atrtimeframe", "atrtrigger", "atrmultiplier")


def speaks(alert: Fields) -> bool:
    return {"csv 1", "csv 2", "csv 3"} <= alert.keys()


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field; `csv 3` is the symbol's place."""
    if "csv 4" in alert:
        raise Refusal("UNKNOWN_DIALECT", "csv 4: had a part without a name, wants LicenseID,command,symbol,name=value")
    for name in _NOT_SERVED:
        if name in alert:
            raise Refusal("NOT_SERVED", f"{name}: set trailing in the recorder, it has no unit here")
    if str(alert["csv 2"]).lower().endswith("limit"):
        alert = {**alert, "order type": "limit"}
    return read(alert, _NAMES, NAME, lambda: _overrides(alert), ACTIONS)


def _overrides(alert: Fields) -> Overrides:
    return {
        **overrides.stop(overrides.distance(alert, {Unit.TICKS: ("sl",)})),
        **overrides.target(overrides.distance(alert, {Unit.TICKS: ("tp",)})),
        **overrides.amount(alert, "break_even_ticks", "betrigger"),
        **overrides.amount(alert, "break_even_offset_ticks", "beoffset"),
    }
