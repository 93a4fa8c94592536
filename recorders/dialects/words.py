"""The words that templates use for what is to be done."""

from __future__ import annotations

import re
from collections.abc import Mapping

from recorders.alert import Action, Refusal, shown

ACTIONS: dict[str, Action] = {
    word: action
    for action, words in {
        Action.BUY: "buy long enter_long enterlong entry_long open_long openlong go_long buy_long",
        Action.SELL: "sell short enter_short entershort entry_short open_short openshort go_short sell_short",
        Action.CLOSE: "close exit flat flatten close_all closeall exit_all flatten_all liquidate close_position "
        "closeposition exit_position",
        Action.CLOSE_LONG: "close_long closelong exit_long exitlong flatten_long close_buy closebuy exit_buy "
        "sell_to_close",
        Action.CLOSE_SHORT: "close_short closeshort exit_short exitshort flatten_short close_sell closesell exit_sell "
        "buy_to_close buy_to_cover cover",
        Action.CANCEL: "cancel cancel_all cancelall cancel_order cancel_orders cancel_all_orders",
        Action.HEARTBEAT: "heartbeat ping",
    }.items()
    for word in words.split()
}
SIDES: dict[str, int] = {"long": 1, "bullish": 1, "short": -1, "bearish": -1, "flat": 0}
_BETWEEN_WORDS = re.compile(r"[\s-]+")


def action_of(name: str, word: str, actions: Mapping[str, Action] = ACTIONS) -> Action:
    """Raises `Refusal` naming the field and the word."""
    action = actions.get(_BETWEEN_WORDS.sub("_", word.strip().lower()))
    if action is None:
        known = ", ".join(dict.fromkeys(action.value for action in actions.values()))
        raise Refusal("UNKNOWN_ACTION", f"{name}: had {shown(word)}, wants one of {known}")
    return action


def side_of(name: str, word: str) -> int:
    """1 for long, -1 for short, 0 for flat. Raises `Refusal`."""
    side = SIDES.get(word.strip().lower())
    if side is None:
        raise Refusal("UNKNOWN_POSITION", f"{name}: had {shown(word)}, wants long, short or flat")
    return side
