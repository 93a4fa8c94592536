"""What was asked of the predecessor (its facts, 7.4), with the outcome that it should have had."""

from __future__ import annotations

from tests.streams.case import Case, Pause, Raw, act, buy, close, expect, fill, long, sell, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
BRACKET = {"targets": [{"distance": 20}], "stop_distance": 40}
OWN = {"target": "5", "stop": "10"}
TWICE = Raw('{"action":"buy","ticker":"MNQ1!","price":"25000","contracts":"1"}')
SIZES = {"contracts": "1", "position_size": "2", "prev_position_size": "3"}

CASES = (
    Case("P0 buy while flat: one bracket of 5 and 10 points", (buy(),), 1, long(1, **OWN), settings=BRACKET, placed=1),
    Case("P1 close NQ1! holding two: closed", (buy(), expect(2, long(2)), close()), market="NQ", placed=2,
         settings={"initial_position_size": 2}),
    Case("P1b close MNQ1! holding two: closed", (buy(), close()), placed=2, settings={"initial_position_size": 2}),
    Case("P1c buy NQ while short three MNQ: the short stays as it is", (sell(contracts="3"), buy(contracts="1",
         ticker="NQ1!")), -2, (*short(3), *long(1)), settings=FOLLOW, placed=2),
    Case("P1c buy NQ by its month while short three MNQ", (sell(contracts="3"), buy(contracts="1", ticker="NQZ2026")),
         -2, (*short(3), *long(1)), settings=FOLLOW, placed=2),
    Case("P2 sell one, still long two: a partial exit", (fill("0>3"), fill("3>2")), 2, long(2), settings=FOLLOW,
         placed=2),
    Case("P2b the sizes alone say so", (fill("0>3"), sell(**SIZES)), 2, long(2), settings=FOLLOW, placed=2),
    Case("P3 plain text", (Raw("buy MNQ1!"),), 1, long(1), placed=1),
    Case("P3b names and values", (Raw("action=buy&ticker=MNQ1!"),), 1, long(1), placed=1),
    Case("P4 a flip turns around at once", (buy(), expect(1, long(1)), sell()), -1, short(1), placed=3),
    Case("P6 the same alert within a second", ((TWICE, TWICE),), 1, long(1), placed=1, stored=1),
    Case("P6b the same alert 1.3 seconds later", (TWICE, Pause(1.3), TWICE), 1, long(1), placed=1, stored=1),
    Case("P6b with adds on, too", (TWICE, Pause(1.3), TWICE), 1, long(1), settings={"same_direction": "add"}, stored=1),
    Case("P7 a quantity of 2.0", (buy(contracts="2.0"),), 2, long(2), settings=FOLLOW, placed=1),
    Case("P8 closelong", (buy(), act("closelong")), placed=2),
    Case("P8 closeshort", (sell(), act("closeshort")), placed=2),
    Case("P8 exit_long", (buy(), act("exit_long")), placed=2),
    Case("P8 close_buy", (buy(), act("close_buy")), placed=2),
    Case("P9 close CME_MINI:MNQ1!", (buy(), close(ticker="CME_MINI:MNQ1!")), placed=2),
    Case("M1 two traders of 20/40 and 100/10 ticks: each its own", (buy(),), (1, 1),
         (*long(1, target="5", stop="10"), *long(1, target="25", stop="2.5")),
         trader={"overrides": BRACKET}, routes=({"overrides": {"targets": [{"distance": 100}], "stop_distance": 10}},)),
    Case("M2 a stop only: it comes with the entry", (buy(),), 1, ("sell 1 stop 24995",), settings={"targets": []},
         placed=1),
)  # fmt: skip
