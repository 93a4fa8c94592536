"""The alert messages to paste into TradingView. Every value is quoted, so that the JSON always stays valid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """`text` is the message; `title` and `description` say whom it is for."""

    key: str
    title: str
    description: str
    text: str


CANONICAL_TEMPLATE = """\
{"v":1,"strategy":"my-strategy","ticker":"{{ticker}}","exchange":"{{exchange}}","interval":"{{interval}}",
 "action":"{{strategy.order.action}}","contracts":"{{strategy.order.contracts}}","price":"{{strategy.order.price}}",
 "order_id":"{{strategy.order.id}}","comment":"{{strategy.order.comment}}",
 "position":"{{strategy.market_position}}","position_size":"{{strategy.market_position_size}}",
 "prev_position":"{{strategy.prev_market_position}}","prev_position_size":"{{strategy.prev_market_position_size}}",
 "close":"{{close}}","bar_time":"{{time}}","fired_at":"{{timenow}}"}
"""


def _indicator(action: str) -> str:
    return (
        f'{{"v":1,"strategy":"my-indicator","ticker":"{{{{ticker}}}}","exchange":"{{{{exchange}}}}",\n'
        f' "interval":"{{{{interval}}}}","action":"{action}","price":"{{{{close}}}}",\n'
        f' "bar_time":"{{{{time}}}}","fired_at":"{{{{timenow}}}}"}}\n'
    )


_PICKMYTRADE = """\
{"symbol":"{{ticker}}","date":"{{timenow}}","data":"{{strategy.order.action}}",
 "quantity":"{{strategy.order.contracts}}","price":"{{close}}","risk_percentage":"0",
 "tp":"0","percentage_tp":"0","dollar_tp":"0","sl":"0","dollar_sl":"0","percentage_sl":"0"}
"""

_TRADERSPOST = """\
{"ticker":"{{ticker}}","action":"{{strategy.order.action}}","sentiment":"{{strategy.market_position}}",
 "quantity":"{{strategy.order.contracts}}","price":"{{close}}","time":"{{timenow}}"}
"""

_NESTED = """\
{"time":"{{timenow}}","exchange":"{{exchange}}","ticker":"{{ticker}}",
 "bar":{"time":"{{time}}","open":"{{open}}","high":"{{high}}","low":"{{low}}","close":"{{close}}","volume":"{{volume}}"},
 "strategy":{"position_size":"{{strategy.position_size}}","order_action":"{{strategy.order.action}}",
  "order_contracts":"{{strategy.order.contracts}}","order_price":"{{strategy.order.price}}",
  "order_id":"{{strategy.order.id}}","market_position":"{{strategy.market_position}}",
  "market_position_size":"{{strategy.market_position_size}}",
  "prev_market_position":"{{strategy.prev_market_position}}",
  "prev_market_position_size":"{{strategy.prev_market_position_size}}"}}
"""

TEMPLATES: tuple[Template, ...] = (
    Template(
        "strategy",
        "Strategy",
        "For an alert on a strategy: one alert follows entries, adds, partial exits and reversals.",
        CANONICAL_TEMPLATE,
    ),
    Template("indicator_buy", "Indicator: buy", "For an alert on an indicator that goes long.", _indicator("buy")),
    Template("indicator_sell", "Indicator: sell", "For an alert on an indicator that goes short.", _indicator("sell")),
    Template("indicator_close", "Indicator: close", "For an alert on an indicator that exits.", _indicator("close")),
    Template(
        "pickmytrade",
        "PickMyTrade style",
        "If your strategy sends this form already. It does not say the position: exits and entries look alike.",
        _PICKMYTRADE,
    ),
    Template(
        "traderspost",
        "TradersPost style",
        "If your strategy sends this form already. It says the side after the order, not the size.",
        _TRADERSPOST,
    ),
    Template(
        "nested",
        "Nested strategy object",
        "If your script is written for this form already. It says as much as our own.",
        _NESTED,
    ),
)


def placeholders(text: str) -> tuple[str, ...]:
    """The names within `{{}}` of `text`, each once, in order."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` as TradingView would send it; a placeholder that `values` does not name stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
