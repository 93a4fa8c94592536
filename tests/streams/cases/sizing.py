"""How many contracts: fixed, the alert's, by risk, scaled, capped, and converted to another product."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.streams.case import Case, buy, close, expect, fill, long, sell, short

FOLLOW = {"initial_position_size": 0, "add_position_size": 0}
NQ_AS_MNQ = {"custom_ticker": "MNQ1!", "convert_size": True}
MNQ_AS_NQ = {"custom_ticker": "NQ1!", "convert_size": True}


def times(multiplier: str, **more: Any) -> dict[str, Any]:
    return {"multiplier": Decimal(multiplier), **more}


def scaled(size: int, multiplier: str, comes_to: int) -> Case:
    return Case(
        f"{size} contracts times {multiplier}", (buy(),), comes_to, long(comes_to), (),
        {"initial_position_size": size}, times(multiplier),
    )  # fmt: skip


CASES = (
    Case("three contracts", (buy(),), 3, long(3), settings={"initial_position_size": 3}),
    Case("the alert's quantity is not asked", (buy(contracts="7"),), 1, long(1)),
    Case("the alert's quantity", (sell(contracts="7"),), -7, short(7), settings=FOLLOW),
    Case("the alert's quantity is missing", (buy(),), codes=("QUANTITY_MISSING",), settings=FOLLOW, placed=0),
    Case("an add of its own size", (buy(), buy()), 4, long(4), (),
         {"same_direction": "add", "initial_position_size": 1, "add_position_size": 3}),
    Case("an add of the alert's size", (buy(contracts="2"), buy(contracts="4")), 5, long(5), (),
         {"same_direction": "add", "initial_position_size": 1, "add_position_size": 0}),
    *(scaled(*row) for row in (
        (2, "0.5", 1), (4, "0.5", 2), (5, "0.5", 2), (1, "1.5", 1), (2, "1.5", 3), (3, "1.5", 4), (1, "2", 2),
        (3, "2", 6), (1, "3", 3), (2, "2.999", 5), (1000, "0.001", 1),
    )),
    Case("half a contract is none, and says so", (buy(),), 0, (), ("SIZE_BELOW_ONE",), trader=times("0.5"), placed=0),
    Case("half a contract is one where so wanted", (buy(),), 1, long(1), (), {"at_least_one": True}, times("0.5")),
    Case("times zero is none", (buy(),), 0, (), ("SIZE_BELOW_ONE",), {"at_least_one": True}, times("0"), placed=0),
    Case("the strategy's position times two", (fill("0>1"), fill("1>3"), expect(6, long(6)), fill("3>2")), 4, long(4),
         (), FOLLOW, times("2")),
    Case("the strategy's position times a half", (fill("0>3"), expect(1, long(1)), fill("3>4")), 2, long(2), (), FOLLOW,
         times("0.5")),
    Case("100 dollars at a stop of 10", (buy(),), 10, long(10), settings={"risk_dollars": 100}),
    Case("100 dollars at a stop of 10, times a half", (buy(),), 5, long(5), (), {"risk_dollars": 100}, times("0.5")),
    Case("19 dollars at a stop of 10", (buy(),), 1, long(1), settings={"risk_dollars": 19}),
    Case("9 dollars at a stop of 10", (buy(),), codes=("SIZE_BELOW_ONE",), settings={"risk_dollars": 9}, placed=0),
    Case("risk without a stop", (buy(),), codes=("STOP_MISSING",), settings={"risk_dollars": 100, "stop_distance": 0}),
    Case("the alert's own risk", (buy(risk_dollars="50"),), 5, long(5)),
    Case("the alert's own risk and stop", (buy(risk_dollars="60", sl="40"),), 3, long(3, stop="10")),
    Case("a thousandth of a percent of the account", (buy(),), 10, long(10), settings={"risk_percent": "0.001"}),
    Case("one and a half percent of the account's worth", (buy(price="25000"),), 3, long(3),
         settings={"equity_percent": "1.5"}),
    Case("worth without a price", (buy(),), codes=("PRICE_MISSING",), settings={"equity_percent": "1.5"}, placed=0),
    Case("at most two in an order", (buy(),), 2, long(2),
         settings={"initial_position_size": 5, "max_contracts_per_trade": 2}),
    Case("at most three held, adds of two", (buy(), buy(), expect(3, long(3)), buy()), 3, long(3),
         ("SIZE_ABOVE_LIMIT",),
         {"same_direction": "add", "initial_position_size": 2, "add_position_size": 2,
         "max_contracts_per_position": 3}),
    Case("the trader's own cap", (buy(),), 2, long(2), (), {"initial_position_size": 5}, {"max_contracts": 2}),
    Case("the trader's own cap counts after the multiplier", (buy(),), 4, long(4), (), {"initial_position_size": 3},
         times("2", max_contracts=4)),
    Case("a cap of none", (buy(),), 0, (), ("SIZE_ABOVE_LIMIT",), trader={"max_contracts": 0}, placed=0),
    Case("capped, then turned around", (buy(), sell()), -2, short(2), (), {"initial_position_size": 5},
         {"max_contracts": 2}),
    Case("capped while following, a partial exit above the cap", (fill("0>5"), expect(2, long(2)), fill("5>4")), 2,
         long(2), ("SHARE_BELOW_ONE",), FOLLOW, {"max_contracts": 2}),
    Case("capped while following, a partial exit below the cap", (fill("0>5"), fill("5>1")), 1, long(1), (), FOLLOW,
         {"max_contracts": 2}),
    Case("1 NQ is 10 MNQ", (buy(), expect(10, long(10)), close()), market="NQ", trader=NQ_AS_MNQ, placed=2),
    Case("3 NQ are 30 MNQ", (sell(contracts="3"),), -30, short(30), (), FOLLOW, NQ_AS_MNQ, market="NQ"),
    Case("1 NQ as MNQ, capped", (buy(),), 4, long(4), (), {}, {**NQ_AS_MNQ, "max_contracts": 4}, market="NQ"),
    Case("1 NQ as MNQ, times a half", (buy(),), 5, long(5), (), {}, times("0.5", **NQ_AS_MNQ), market="NQ"),
    Case("1 NQ as MNQ, a partial exit", (fill("0>2"), expect(20, long(20)), fill("2>1")), 10, long(10), (), FOLLOW,
         NQ_AS_MNQ, market="NQ"),
    Case("1 NQ as 1 MNQ", (buy(),), 1, long(1), (), {}, {"custom_ticker": "MNQ1!"}, market="NQ"),
    Case("20 MNQ are 2 NQ", (buy(contracts="20"),), 2, long(2), (), FOLLOW, MNQ_AS_NQ),
    Case("5 MNQ are less than a NQ", (buy(contracts="5"),), 0, (), ("SIZE_BELOW_ONE",), FOLLOW, MNQ_AS_NQ, placed=0),
    Case("MNQ is not ES", (buy(),), 0, (), ("NO_CONVERSION",), {}, {"custom_ticker": "ES1!", "convert_size": True}),
    Case("three accounts, each its size", (buy(), expect((1, 2, 6)), close()), (0, 0, 0),
         routes=(times("2"), times("6"))),
    Case("three accounts, one of them capped, one another product", (buy(),), (2, 1, 2), None, (),
         {"initial_position_size": 2}, routes=({"max_contracts": 1}, {"custom_ticker": "MES1!"})),
)  # fmt: skip
