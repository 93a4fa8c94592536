"""Autoview's line: `e=exchange s=SYMBOL b=long q=1 t=market`, and `c=position` to close (autoview.com, its manual).

`b` of a close says which side is closed. `c=order` cancels. Brackets in its `&` parts have units of their own and are
not served, and neither are amounts in percent, but for a close of 100 percent.
"""

from __future__ import annotations

from recorders import fields
from recorders.alert import Action, ParsedAlert, Refusal, shown
from recorders.dialects import lines
from recorders.dialects.reading import Names, read
from recorders.fields import Fields

NAME = "autoview"
_NAMES = Names(
    ticker=("s",),
    exchange=("e",),
    action=("b",),
    weak_action=(),
    quantity=("q",),
    price=("p",),
    order_type=("t",),
    limit_price=("limit price",),
    fired_at=(),
    noticed_at=(),
    strategy=("d",),
)
_NOT_SERVED = ("sl", "tp", "ts")
_CLOSES = {"long": Action.CLOSE_LONG, "short": Action.CLOSE_SHORT, "": Action.CLOSE, "all": Action.CLOSE}


def speaks(alert: Fields) -> bool:
    return "s" in alert and not {"b", "c"}.isdisjoint(alert) and lines.LINE in alert


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    for name in _NOT_SERVED:
        if name in alert:
            raise Refusal("NOT_SERVED", f"{name}: set targets and stops in the recorder")
    closing = (fields.text(alert, "c") or "").lower()
    if not closing:
        return read(alert, _NAMES, NAME, dict)
    book = (fields.text(alert, "b") or "").lower()
    if closing not in {"position", "order"} or book not in _CLOSES:
        raise Refusal("UNKNOWN_ACTION", f"c: had {shown(closing)} with b {shown(book)}, wants position or order")
    told = {**alert, "b": _CLOSES[book] if closing == "position" else Action.CANCEL}
    if told.get("q") == "100%":
        told["q"] = None
    return read(told, _NAMES, NAME, dict)
