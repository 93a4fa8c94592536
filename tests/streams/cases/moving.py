"""What happens when the market moves: exits that are reached, averages, break-even, trailing, limits. Each market of
these cases has one script of prices, which all of its cases share.
"""

from __future__ import annotations

from tests.streams.case import Case, Price, buy, close, expect, fill, long, sell, short

DCA = {"same_direction": "add"}
FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
TWO = {"targets": [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}]}
FAR = {"targets": [{"distance": 100}], "stop_distance": 100}
WIDE = {**FAR, **DCA}
LIMIT = {"entry_type": "limit", "limit_timeout_s": 600}
BREAK_EVEN = {"break_even_ticks": 20, "break_even_offset_ticks": 2, "targets": [{"distance": 400}]}
TRAILING = {"stop_type": "trailing", "targets": []}
RIVER = {"at": "4098", "target": "10", "stop": "10"}

UP = Price("6010")
SWING = (Price("4096"), Price("4100"))

CASES = (
    # ES goes up 40 ticks.
    Case("a target is reached", (buy(), UP), market="ES", pnl="500.00", placed=1),
    Case("a stop is reached, and gapped through", (sell(), UP), market="ES", pnl="-500.00", placed=1),
    Case("a target is reached, twice the size", (buy(), UP), market="ES", pnl="1000.00",
         settings={"initial_position_size": 2}),
    Case("the first of two targets is reached", (buy(), UP), 1, ("sell 1 limit 6020", "sell 1 stop 5995"), (),
         {"initial_position_size": 2, **TWO}, market="ES", pnl="500.00"),
    Case("the first target, then the strategy's exit", (fill("0>2"), UP, fill("2>0")), market="ES", pnl="1000.00",
         settings={**FOLLOW, **TWO}),
    Case("the target was reached before the strategy's exit", (fill("0>1"), UP, fill("1>0")), codes=("ALREADY_FLAT",),
         market="ES", pnl="500.00", placed=1),
    Case("the target was reached, then a new entry", (buy(), UP, buy()), 1, long(1, at="6010"), market="ES", placed=2),
    Case("the target was reached, then the other side", (buy(), UP, sell()), -1, short(1, at="6010"), market="ES",
         placed=2),
    Case("the target was reached before the strategy adds", (fill("0>1"), UP, fill("1>2")), 2, long(2, at="6010"),
         market="ES", settings=FOLLOW),
    Case("the stop was reached before the strategy's partial exit", (fill("0>-2"), UP, fill("-2>-1")),
         codes=("NOT_IN_POSITION",), market="ES", settings=FOLLOW, pnl="-1000.00"),
    Case("no target, a stop far away", (buy(), UP), 1, ("sell 1 stop 5995",), (), {"targets": []}, market="ES"),
    Case("a close after the move", (buy(), UP, close()), market="ES", settings=FAR, pnl="500.00", placed=2),
    # 6E goes down 40 ticks.
    Case("a stop is reached in a currency", (buy(), Price("1.148")), market="6E", pnl="-250.00", placed=1),
    Case("a target is reached in a currency", (sell(), Price("1.148")), market="6E", pnl="250.00", placed=1),
    Case("no more entries after the day's loss", (buy(), Price("1.148"), buy()), codes=("DAILY_LOSS",), market="6E",
         settings={"max_daily_loss": 200}, pnl="-250.00", placed=1),
    Case("more entries below the day's loss", (buy(), Price("1.148"), buy()), 1,
         long(1, at="1.148", target="0.002", stop="0.001"), (), {"max_daily_loss": 300}, market="6E"),
    Case("no turn-around after the day's loss", (buy(), Price("1.148"), sell()), codes=("DAILY_LOSS",), market="6E",
         settings={"max_daily_loss": 200, **FAR}, pnl="-250.00", placed=2),
    # GC falls by 4 and comes back.
    Case("an add moves every exit to the new average", (buy(), SWING[0], buy(), expect(2, long(2, **RIVER)), SWING[1]),
         2,
         long(2, **RIVER), (), WIDE, market="GC"),
    Case("an add to a short", (sell(), SWING[0], sell(), expect(-2, short(2, **RIVER)), SWING[1]), -2, short(2,
         **RIVER),
         (), WIDE, market="GC"),
    Case("an average off the tick", (buy(), SWING[0], buy(), SWING[1]), 3, ("sell 3 limit 4107.3",
         "sell 3 stop 4087.4"),
         (), {**WIDE, "add_position_size": 2}, market="GC"),
    Case("an average off the tick, short", (sell(), SWING[0], sell(), SWING[1]), -3,
         ("buy 3 limit 4087.4", "buy 3 stop 4107.3"), (), {**WIDE, "add_position_size": 2}, market="GC"),
    Case("a partial exit keeps the average", (fill("0>2"), SWING[0], fill("2>3"), SWING[1], fill("3>1")), 1,
         ("sell 1 limit 4108.6", "sell 1 stop 4088.7"), (), {**FOLLOW, **FAR}, market="GC", pnl="266.67"),
    Case("adds, then out", (buy(), SWING[0], buy(), SWING[1], close()), market="GC", settings=WIDE, pnl="400.00"),
    Case("turned around on the way", (fill("0>1"), SWING[0], fill("1>-2"), SWING[1], fill("-2>0")), market="GC",
         settings={**FOLLOW, **FAR}, pnl="-1200.00"),
    # MCL comes down to a limit.
    Case("a limit is met", (buy(price="59.50"), expect(0, ("buy 1 limit 59.5",)), Price("59.50")), 1,
         long(1, at="59.5", target="0.4", stop="0.2"), (), LIMIT, market="MCL"),
    Case("a limit is not met", (buy(price="59.40"), expect(0), Price("59.50")), 0, ("buy 1 limit 59.4",), (), LIMIT,
         market="MCL"),
    Case("a limit on the other side is not met", (sell(price="60.50"), expect(0), Price("59.50")), 0,
         ("sell 1 limit 60.5",), (), LIMIT, market="MCL"),
    Case("a limit is met, then closed", (buy(price="59.50"), expect(0), Price("59.50"), close()), market="MCL",
         settings=LIMIT, pnl="0.00", placed=2),
    # RTY goes up 20 ticks, then back to the entry.
    Case("break-even moves the stop", (buy(), Price("2302"), expect(1, ("sell 1 limit 2340", "sell 1 stop 2300.2")),
         Price("2300.2")), market="RTY", settings=BREAK_EVEN, pnl="10.00", placed=1),
    Case("break-even is not reached by a short", (sell(), Price("2302"), Price("2300.2")), -1,
         ("buy 1 limit 2260", "buy 1 stop 2305"), (), {**BREAK_EVEN, "stop_distance": 50}, market="RTY"),
    Case("break-even later", (buy(), Price("2302"), Price("2300.2")), 1, ("sell 1 limit 2340", "sell 1 stop 2298"), (),
         {**BREAK_EVEN, "break_even_ticks": 21}, market="RTY"),
    # MYM goes up and a little back.
    Case("a trailing stop follows", (buy(), Price("46030"), expect(1, ("sell 1 trailingstop 46010",)), Price("46020")),
         1,
         ("sell 1 trailingstop 46010",), (), TRAILING, market="MYM"),
    Case("a trailing stop of the losing side is reached", (sell(), Price("46030"), Price("46020")), market="MYM",
         settings=TRAILING, pnl="-15.00", placed=1),
    Case("a stop that trails after a trigger", (buy(), Price("46030"), Price("46020")), 1, ("sell 1 stop 46010",), (),
         {**TRAILING, "trail_trigger_ticks": 25}, market="MYM"),
    Case("a stop whose trigger is not reached", (buy(), Price("46030"), Price("46020")), 1, ("sell 1 stop 45980",), (),
         {**TRAILING, "trail_trigger_ticks": 35}, market="MYM"),
)  # fmt: skip
