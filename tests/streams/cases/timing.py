"""When an alert fired, when it came, how often, and in which order."""

from __future__ import annotations

from typing import Any

from tests.streams.case import Case, Pause, Raw, act, buy, close, expect, fill, long, sell, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
TIMED = '{"action":"buy","ticker":"MNQ1!","contracts":"1","fired_at":"@NOW@","n":@NUMBER@}'
TIMELESS = '{"action":"buy","ticker":"MNQ1!","contracts":"1"}'
ASKS = {"on_desync": "ask"}
SIX = {"initial_position_size": 6}


def swapped(name: str, start: str, pair: tuple[str, str], net: int, *codes: str, **settings: Any) -> Case:
    """Two alerts of one second arrive the wrong way round, and come to what they would have come to in order."""
    legs = long(net) if net > 0 else short(-net) if net < 0 else ()
    return Case(f"swapped: {name}", (fill(start), (fill(pair[1]), fill(pair[0]))), net, legs, codes, settings)


CASES = (
    Case("an entry of 45 seconds ago is not sent", (buy(age=45),), codes=("STALE",), placed=0),
    Case("an entry of yesterday is not sent", (fill("0>1", age=86_400),), codes=("STALE",), placed=0),
    Case("an entry of 15 seconds ago is sent", (buy(age=15),), 1, long(1), placed=1),
    Case("a late exit still exits", (buy(), close(age=45)), placed=2),
    Case("an exit of two hours ago still exits", (sell(), close(age=7200)), placed=2),
    Case("a late turn-around still exits", (buy(), sell(age=45)), codes=("STALE",), placed=2),
    Case("a late partial exit still exits", (buy(contracts="3"), sell(contracts="1", position="long", age=45)), 2,
         long(2), settings=FOLLOW),
    Case("a late add is not sent", (buy(), buy(age=45)), 1, long(1), ("STALE",), {"same_direction": "add"}, placed=1),
    Case("a time in the future is not believed", (buy(age=-3600),), 1, long(1), placed=1),
    Case("words for a time are refused", (act("buy", fired_at="this morning"),), codes=("NOT_A_TIME",), placed=0),
    Case("time as a number", (act("buy", fired_at="1500000000"),), codes=("STALE",), placed=0),
    *(Case(f"the same bytes {times} times are one", (Raw(TIMED, times=times),), 1, long(1), placed=1, stored=1)
      for times in (2, 3, 4)),
    *(Case(f"the same bytes {times} times without a time are one", (Raw(TIMELESS, times=times),), 1, long(1), placed=1,
           stored=1) for times in (2, 3, 4)),
    Case("a resend after the exit does not enter again", (Raw(TIMELESS), close(), Raw(TIMELESS)), placed=2, stored=2),
    Case("two fills in one second", ((fill("0>1"), fill("1>2")),), 2, long(2), settings=FOLLOW, stored=2),
    Case("two fills in one second, swapped", ((fill("1>2"), fill("0>1")),), 2, long(2), ("AT_TARGET",),
         settings=FOLLOW, stored=2),
    Case("in and out in one second", ((fill("0>1"), fill("1>0")),), placed=2, stored=2),
    Case("three exits in one second, backwards", (fill("0>3"), (fill("1>0"), fill("2>1"), fill("3>2"))),
         codes=("NO_CHANGE", "ALREADY_FLAT"), settings=FOLLOW),
    Case("two entries in different words are two", (buy(comment="one"), buy(comment="two")), 1, long(1),
         ("SAME_DIRECTION",), placed=1, stored=2),
    Case("an alert that was overtaken is late", ((fill("1>2"), fill("0>1", age=5)),), 2, long(2), ("SUPERSEDED",),
         settings=FOLLOW),
    Case("an exit that overtook its entry", ((fill("1>0"), fill("0>1", age=5)),), codes=("ALREADY_FLAT", "SUPERSEDED"),
         placed=0),
    swapped("two adds, the strategy's size", "0>1", ("1>2", "2>3"), 3, "AT_TARGET", **FOLLOW),
    swapped("two partial exits of six", "0>3", ("3>2", "2>1"), 2, "NO_CHANGE", **SIX),
    swapped("two partial exits of one", "0>3", ("3>2", "2>1"), 1, "SHARE_BELOW_ONE", "NO_CHANGE"),
    swapped("an add and a partial exit", "0>2", ("2>4", "4>3"), 3, "SHARE_BELOW_ONE", **FOLLOW),
    swapped("a reversal and its exit", "0>2", ("2>-2", "-2>0"), 0, "NO_CHANGE"),
    swapped("an exit and the other side", "0>2", ("2>0", "0>-2"), -1, "NO_CHANGE"),
    swapped("an exit and the same side again", "0>2", ("2>0", "0>1"), 1, "SHARE_BELOW_ONE", **FOLLOW),
    swapped("two reversals", "0>-1", ("-1>1", "1>-1"), -1, "NO_CHANGE", "NO_CHANGE"),
    # In order it would be three: the alert that was taken for lost is part of the step that was made without it.
    swapped("two adds of a fixed size are one step", "0>1", ("1>2", "2>3"), 2, "NO_CHANGE"),
    Case("a lost add converges", (fill("0>1"), fill("2>3")), 3, long(3), settings=FOLLOW),
    Case("a lost partial exit converges", (fill("0>3"), fill("2>1")), 1, long(1), settings=FOLLOW),
    Case("a lost exit before the same entry", (fill("0>1"), fill("0>1")), 1, long(1), ("NO_CHANGE",), placed=1),
    Case("a lost entry before its partial exit: an exit never opens", (fill("0>1"), fill("1>0"), fill("2>1")),
         codes=("NOT_IN_POSITION",), placed=2),
    Case("asked, it waits", (fill("0>1"), fill("2>3")), 1, long(1), ("DESYNC",), FOLLOW, recorder=ASKS, placed=1),
    Case("asked, the next exit still ends it", (fill("0>1"), fill("2>3"), fill("3>0")), codes=("DESYNC",),
         settings=FOLLOW, recorder=ASKS, placed=2),
    Case("asked, an exit that is missed and then stated", (fill("0>1"), fill("0>-1"), expect(1), fill("-1>0")),
         codes=("DESYNC",), recorder=ASKS, placed=2),
    Case("an entry that is to wait a second", (buy(), expect(1, long(1))), 1, long(1), settings={"entry_delay_s": 1}),
    Case("an entry that waits when its exit comes", ((buy(), close()), Pause(2)), settings={"entry_delay_s": 1}),
    Case("turning around waits for nothing", (buy(), expect(1), (sell(), buy(), sell())), -1, short(1)),
)  # fmt: skip
