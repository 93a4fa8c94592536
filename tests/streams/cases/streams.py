"""The eight streams that strategies send (integration facts, 1.6), with a fixed size and with the strategy's own."""

from __future__ import annotations

from tests.streams.case import Case, Raw, expect, fill, long, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
FIXED_TWO = {"initial_position_size": 2, "add_position_size": 2}

S1 = (
    fill("0>1", order_id="Long", price="25310.25"),
    expect(1, long(1)),
    fill("1>0", order_id="Exit Long", comment="TP", price="25352.50"),
)
S2 = (fill("0>1"), fill("1>2", order_id="Long2"), fill("2>3", order_id="Long3"))
S2_END = fill("3>0", order_id="Exit", comment="Trail")
S3_START = fill("0>3")
S3 = (fill("3>2", order_id="TP1"), fill("2>1", order_id="TP2"), fill("1>0", order_id="SL", comment="BE stop"))
S4_ENTRY = fill("0>-2")
S4_ONE, S4_TWO = fill("-2>-1", order_id="TP1"), fill("-1>0", order_id="TP2")
S5 = (fill("0>-1"), fill("-1>1", order_id="Long"), fill("1>-1", order_id="Short"))
S5_END = fill("-1>0", order_id="Close entry(s) order Short", comment="EOD flat")
S6_ENTRY = fill("0>2")
S6_TURN = (fill("2>0", order_id="Close"), fill("0>-2", order_id="Short"))
S7_BODY = (
    '{"v":1,"strategy":"nq-trend","ticker":"MNQ1!","exchange":"CME_MINI","interval":"5","action":"buy",'
    '"contracts":"1","price":"25000","order_id":"Long","position":"long","position_size":"1",'
    '"prev_position":"flat","prev_position_size":"0","fired_at":"@NOW@"}'
)
S8 = (fill("0>1"), expect(1, long(1)), fill("0>-1"))

CASES = (
    Case("S1 entry and exit", S1, placed=2),
    Case("S1 entry and exit, the strategy's size", S1, settings=FOLLOW, placed=2),
    Case("S2 pyramiding, adds of one", (*S2, expect(3, long(3)), S2_END)),
    Case("S2 pyramiding, the strategy's size", (*S2, expect(3, long(3)), S2_END), settings=FOLLOW),
    Case("S2 pyramiding, twos", (*S2, expect(6, long(6)), S2_END), settings=FIXED_TWO),
    Case(
        "S2 pyramiding, adds are ignored",
        (*S2, expect(1, long(1)), S2_END),
        codes=("SAME_DIRECTION",) * 2,
        settings={"same_direction": "ignore"},
    ),
    Case(
        "S3 scale-out, one contract stays to the end",
        (S3_START, expect(1, long(1)), *S3[:2], expect(1, long(1)), S3[2]),
        codes=("SHARE_BELOW_ONE",) * 2,
        placed=2,
    ),
    Case(
        "S3 scale-out, the strategy's size",
        (S3_START, expect(3, long(3)), S3[0], expect(2, long(2)), S3[1], expect(1, long(1)), S3[2]),
        settings=FOLLOW,
    ),
    Case(
        "S3 scale-out, a share of six",
        (S3_START, expect(6, long(6)), S3[0], expect(4, long(4)), S3[1], expect(2, long(2)), S3[2]),
        settings={"initial_position_size": 6},
    ),
    Case("S4 two targets in one second", (S4_ENTRY, expect(-2, short(2)), (S4_ONE, S4_TWO)), settings=FOLLOW),
    Case(
        "S4 two targets in one second, swapped on the way",
        (S4_ENTRY, (S4_TWO, S4_ONE)),
        codes=("ALREADY_FLAT",),
        settings=FOLLOW,
    ),
    Case(
        "S4 two partial exits in one second, swapped on the way",
        (fill("0>3"), (fill("2>1"), fill("3>2"))),
        1,
        long(1),
        ("SHARE_BELOW_ONE",),
        settings=FOLLOW,
    ),
    Case(
        "S4 two targets in one second, fixed size of two",
        (S4_ENTRY, expect(-2, short(2)), (S4_ONE, S4_TWO)),
        settings=FIXED_TWO,
    ),
    Case(
        "S5 one-order reversals",
        (S5[0], expect(-1, short(1)), S5[1], expect(1, long(1)), S5[2], expect(-1, short(1)), S5_END),
        placed=6,
    ),
    Case("S5 one-order reversals, the strategy's size", (*S5, expect(-1, short(1)), S5_END), settings=FOLLOW, placed=6),
    Case("S5 one-order reversals, twos", (*S5, expect(-2, short(2)), S5_END), settings=FIXED_TWO, placed=6),
    Case("S6 close and entry in one second", (S6_ENTRY, expect(2, long(2)), S6_TURN), -2, short(2), settings=FOLLOW),
    Case("S6 close and entry in one second, fixed size", (S6_ENTRY, S6_TURN), -1, short(1)),
    Case(
        "S6 close and entry swapped on the way",
        (S6_ENTRY, S6_TURN[::-1]),
        -2,
        short(2),
        ("AT_TARGET",),
        settings=FOLLOW,
    ),
    Case("S7 the same bytes three times are one entry", (Raw(S7_BODY, times=3),), 1, long(1), placed=1, stored=1),
    Case("S7 resends, then the exit", (Raw(S7_BODY, times=4), fill("1>0")), placed=2, stored=2),
    Case("S8 a missed exit converges", S8, -1, short(1), placed=3),
    Case("S8 a missed exit converges, the strategy's size", S8, -1, short(1), settings=FOLLOW, placed=3),
    Case("S8 a missed exit asks", S8, 1, long(1), ("DESYNC",), recorder={"on_desync": "ask"}, placed=1),
)
