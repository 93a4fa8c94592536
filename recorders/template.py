"""The alert message to paste into TradingView. Every value is quoted, so that the JSON always stays valid."""

from __future__ import annotations

CANONICAL_TEMPLATE = """\
{"v":1,"strategy":"my-strategy","ticker":"{{ticker}}","exchange":"{{exchange}}","interval":"{{interval}}",
 "action":"{{strategy.order.action}}","contracts":"{{strategy.order.contracts}}","price":"{{strategy.order.price}}",
 "order_id":"{{strategy.order.id}}","comment":"{{strategy.order.comment}}",
 "position":"{{strategy.market_position}}","position_size":"{{strategy.market_position_size}}",
 "prev_position":"{{strategy.prev_market_position}}","prev_position_size":"{{strategy.prev_market_position_size}}",
 "close":"{{close}}","bar_time":"{{time}}","fired_at":"{{timenow}}"}
"""
