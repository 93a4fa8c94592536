"""Plain text: our own names as `action=buy;ticker=MNQ1!` or `action: buy` lines, and sentences of a fixed form.

`buy MNQ1! 2`, `sell 2 MNQ1! @ 25300`, `close long MNQ1!`, `cancel`; names with values may follow. A word that fits
nowhere makes the sentence mean something that we do not know, so it is refused.
"""

from __future__ import annotations

import re

from recorders.alert import ParsedAlert, Refusal
from recorders.dialects import autoview, crosstrade, lines, overrides, pineconnector
from recorders.dialects.reading import Names, read
from recorders.dialects.words import ACTIONS
from recorders.fields import Fields

NAME = "plain"
_NAMES = Names()
_OTHERS = (pineconnector, crosstrade, autoview)
_NUMBER = re.compile(r"\d[\d.]*", re.ASCII)
_MOST_WORDS = 6


def speaks(alert: Fields) -> bool:
    return lines.LINE in alert and not any(other.speaks(alert) for other in _OTHERS)


def parse(alert: Fields) -> ParsedAlert:
    """Raises `Refusal` naming the field."""
    nameless = [name for name in alert if " " in name]
    named = {name: value for name, value in alert.items() if " " not in name and name != lines.LINE}
    if nameless and (nameless[0] != "word 1" or len(nameless) > _MOST_WORDS):
        raise Refusal("NOT_JSON", "body: is neither JSON nor text in a form that we know")
    told = {**named, **_sentence([str(alert[name]) for name in nameless])}
    return read(told, _NAMES, NAME, lambda: overrides.read(told))


def _sentence(words: list[str]) -> Fields:
    """The fields of `ACTION [long|short] [QUANTITY] TICKER [QUANTITY] [@ PRICE]`."""
    if not words:
        return {}
    pair = "_".join(words[:2]).lower()
    action = pair if pair in ACTIONS else words[0].lower()
    if action not in ACTIONS:
        raise Refusal("NOT_JSON", "body: is neither JSON nor text in a form that we know")
    rest = words[2 if action == pair and len(words) > 1 else 1 :]
    found: Fields = {"action": action}
    if len(rest) > 2 and rest[-2] in {"@", "at"}:  # noqa: PLR2004 - something, the sign and the price
        found["price"] = rest[-1]
        rest = rest[:-2]
    for word in rest:
        name = "quantity" if _NUMBER.fullmatch(word) else "ticker"
        if name in found:
            raise Refusal("NOT_JSON", "body: is text with more words than a form that we know has")
        found[name] = word
    return found
