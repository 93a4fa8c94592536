"""The user hub, record by record: opening, events around the first look at the books, and how it ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from brokers.base import ConnectionState, OrderRole, OrderStatus
from brokers.projectx import gaps, stream
from brokers.reports import BalanceReport, FillReport, OrderReport, PositionReport, SyncReport
from tests.brokers.projectx import frames
from tests.brokers.projectx.frames import ACCOUNT_ID, SYMBOL, TAG, ok
from tests.brokers.projectx.trader import Trader
from tests.brokers.projectx.venue import Gate, Venue, live, opened
from tests.brokers.scripted import Answer, until

LATER = "2026-11-23T14:53:00+00:00"


def statuses(trader: Trader) -> list[OrderStatus]:
    return [report.status for report in trader.client.heard(OrderReport)]


def test_the_first_word_of_a_session_is_the_whole_truth(venue: Venue, scripted: Trader) -> None:
    """I1 after connecting: one sync, then LIVE."""
    venue.orders = [frames.order(7, 2, customTag=TAG, fillVolume=1), frames.order(8, 1, type=1, limitPrice=24900.0)]
    venue.trades = [frames.trade(1, 7), frames.trade(2, 7, voided=True)]
    venue.positions = [frames.position(1, 1)]
    live(venue, scripted)
    (sync,) = scripted.client.heard(SyncReport)
    assert [(o.broker_order_id, o.status, o.role) for o in sync.orders] == [
        ("7", OrderStatus.FILLED, OrderRole.ENTRY),
        ("8", OrderStatus.WORKING, OrderRole.EXTERNAL),
    ]
    assert [fill.broker_fill_id for fill in sync.fills] == ["1"]
    assert [(p.symbol, p.net_qty) for p in sync.positions] == [(SYMBOL, 1)]
    assert [balance.cash for balance in sync.balances] == [Decimal("150345.5")]
    assert scripted.client.states() == [ConnectionState.CONNECTING, ConnectionState.LIVE]


def test_events_that_come_before_the_books_are_applied_on_top(venue: Venue, scripted: Trader) -> None:
    """G7 report before the snapshot: an old one changes nothing, a new one counts, each fill once."""
    venue.orders = [frames.order(7, 2, customTag=TAG, fillVolume=1, updateTimestamp=LATER)]
    venue.trades = [frames.trade(1, 7)]
    gate = Gate(venue, "Order/searchOpen")
    line = opened(venue, scripted)
    line.shake_hands()
    line.subscribe()
    assert gate.reached.wait(5)
    line.event("GatewayUserOrder", frames.order(7, 1, customTag=TAG))
    line.event("GatewayUserTrade", frames.trade(1, 7), action=0)
    line.event("GatewayUserOrder", frames.order(9, 1, type=1, limitPrice=24900.0))
    line.event("GatewayUserTrade", frames.trade(2, 9), action=0)
    until(lambda: len(scripted.client.connection._session._early) == 4)
    gate.open.set()
    until(lambda: len(scripted.client.heard(FillReport)) == 1)
    assert [(o.broker_order_id, o.status) for o in scripted.client.heard(OrderReport)] == [("9", OrderStatus.WORKING)]
    (sync,) = scripted.client.heard(SyncReport)
    assert [fill.broker_fill_id for fill in (*sync.fills, *scripted.client.heard(FillReport))] == ["1", "2"]


def test_a_position_that_moved_during_the_look_is_looked_at_again(venue: Venue, scripted: Trader) -> None:
    """G7 a position has no time of its own: an event that may be old is not believed, the books are."""
    venue.positions = [frames.position(1, 1)]
    gate = Gate(venue, "Order/searchOpen")
    line = opened(venue, scripted)
    line.shake_hands()
    line.subscribe()
    assert gate.reached.wait(5)
    line.event("GatewayUserPosition", frames.position(0, 0), action=2)
    line.event("GatewayUserPosition", frames.position(2, 3))
    until(lambda: len(scripted.client.connection._session._early) == 2)
    venue.positions = [frames.position(2, 3)]
    gate.open.set()
    until(lambda: scripted.net_told() == -3)
    (sync,) = scripted.client.heard(SyncReport)
    assert [p.net_qty for p in sync.positions] == [1]
    assert [p.net_qty for p in scripted.client.heard(PositionReport)] == [-3]
    assert len(venue.calls("Position/searchOpen")) == 2
    line.event("GatewayUserPosition", frames.position(0, 0), action=2)
    until(lambda: scripted.net_told() == 0)


@pytest.mark.parametrize("is_bare", [True, False])
def test_events_tell_orders_fills_positions_and_cash(venue: Venue, scripted: Trader, is_bare: object) -> None:
    """L1 every event of the user hub, wrapped or bare."""
    line = live(venue, scripted)
    told = {
        "GatewayUserOrder": frames.order(7, 2, customTag=TAG, fillVolume=1),
        "GatewayUserTrade": frames.trade(1, 7),
        "GatewayUserPosition": frames.position(1, 1),
        "GatewayUserAccount": frames.account(balance=150_000.13),
    }
    for target, row in told.items():
        argument = row if is_bare else {"action": 1, "data": row}
        line.say({"type": 1, "target": target, "arguments": [argument]})
    (balance,) = scripted.client.wait(BalanceReport)
    assert balance.cash == Decimal("150000.13")
    assert (statuses(scripted), scripted.filled(), scripted.net_told()) == ([OrderStatus.FILLED], 1, 1)


def test_a_fill_that_the_hub_left_out_is_read_from_the_books(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G2 filled, but its half-turn never came: it is asked for, and told once."""
    monkeypatch.setattr(gaps, "WAIT_SECONDS", 0.05)
    line = live(venue, scripted)
    venue.trades = [frames.trade(2, 7, size=2), frames.trade(1, 7)]
    line.event("GatewayUserTrade", frames.trade(1, 7), action=0)
    line.event("GatewayUserOrder", frames.order(7, 2, size=3, fillVolume=3))
    until(lambda: scripted.filled() == 3)
    assert sorted(fill.broker_fill_id for fill in scripted.client.heard(FillReport)) == ["1", "2"]
    until(lambda: not scripted.client.connection._session._gaps._gaps)
    assert len(venue.calls("Trade/search")) == 2


def test_a_fill_that_the_books_do_not_have_is_not_asked_for_for_ever(
    venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "WAIT_SECONDS", 0.0)
    line = live(venue, scripted)
    line.event("GatewayUserOrder", frames.order(7, 2, fillVolume=1))
    until(lambda: len(venue.calls("Trade/search")) == 1 + gaps.MOST_LOOKS)
    asked = scripted.client.connection._session._gaps
    until(lambda: all(gap.looks == gaps.MOST_LOOKS for gap in asked._gaps.values()))


def test_a_rejected_order_that_is_told_before_the_refusal_is_one_refusal(venue: Venue, scripted: Trader) -> None:
    """G7 report before the reply: the answer tells the refusal and its reason, the hub does not tell it again."""
    line = live(venue, scripted)

    def refuse(fields: dict[str, Any], _headers: dict[str, str]) -> Answer:
        line.event("GatewayUserOrder", frames.order(7, 5, customTag=fields["customTag"]), action=2)
        line.event("GatewayUserAccount", frames.account(balance=1))
        scripted.client.wait(BalanceReport)
        return 200, frames.failure(2, "Invalid price", orderId=7)

    venue.rest["Order/place"] = refuse
    assert scripted.rejected(scripted.submit()).text == "Invalid price"
    line.event("GatewayUserOrder", frames.order(8, 1))
    assert [o.broker_order_id for o in scripted.client.wait(OrderReport)] == ["8"]


def test_an_order_never_goes_back(venue: Venue, scripted: Trader) -> None:
    """I4 old reports again: not from done, nor to an older time, nor to a smaller fill."""
    line = live(venue, scripted)
    open_ = {"type": 1, "limitPrice": 25000.0, "size": 3}
    line.event("GatewayUserOrder", frames.order(7, 1, **open_, fillVolume=2, updateTimestamp=LATER))
    line.event("GatewayUserOrder", frames.order(7, 1, **open_))
    line.event("GatewayUserOrder", frames.order(7, 1, **open_, fillVolume=1, updateTimestamp=LATER))
    line.event("GatewayUserOrder", frames.order(7, 2, **open_, fillVolume=3, updateTimestamp=LATER))
    line.event("GatewayUserOrder", frames.order(7, 1, **open_, fillVolume=2, updateTimestamp=LATER))
    line.event("GatewayUserAccount", frames.account(balance=1))
    scripted.client.wait(BalanceReport)
    assert statuses(scripted) == [OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED]


def test_a_contract_that_nobody_named_holds_what_comes_behind_it(venue: Venue, scripted: Trader) -> None:
    """G5 external order in a contract that is new: its name is asked for, and the order of events is kept."""
    line = live(venue, scripted)
    newer = "CON.F.US.MNQ.H27"
    gate = Gate(venue, "Contract/searchById")
    venue.contracts.append(frames.contract(id=newer, name="MNQH7"))
    line.event("GatewayUserOrder", frames.order(7, 2, contractId=newer, fillVolume=1))
    line.event("GatewayUserOrder", frames.order(8, 1))
    assert gate.reached.wait(5)
    assert scripted.client.heard(OrderReport) == []
    gate.open.set()
    scripted.client.wait(OrderReport, 2)
    assert [o.symbol for o in scripted.client.heard(OrderReport)] == ["MNQH7", SYMBOL]


def test_a_contract_that_the_venue_cannot_name_keeps_its_id(venue: Venue, scripted: Trader) -> None:
    line = live(venue, scripted)
    line.event("GatewayUserOrder", frames.order(7, 1, contractId="CON.F.XX.WHAT.Z26"))
    (order,) = scripted.client.wait(OrderReport)
    assert order.symbol == "CON.F.XX.WHAT.Z26"


def test_an_account_that_turns_up_later_is_followed_too(venue: Venue, scripted: Trader) -> None:
    line = live(venue, scripted)
    line.event("GatewayUserAccount", frames.account(id=99, name="PRAC-NEW"))
    for target in ("SubscribeOrders", "SubscribePositions", "SubscribeTrades"):
        line.expect(target, 99)
    line.event("GatewayUserOrder", frames.order(7, 1, accountId=99))
    (order,) = scripted.client.wait(OrderReport)
    assert order.account.name == "PRAC-NEW"


def test_the_way_for_orders_is_kept_warm(venue: Venue, scripted: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """H1 a token that ended is renewed before an order needs it."""
    live(venue, scripted)
    usual = ok(accounts=[frames.account()])
    venue.rest["Account/search"] = lambda _fields, headers: (
        (401, b"") if headers["Authorization"].endswith("signature1") else (200, usual)
    )
    monkeypatch.setattr(stream, "WARM_SECONDS", 0.0)
    scripted.client.connection._session._next_warming = 0.0
    until(lambda: len(venue.calls("Account/search")) > 4)
    assert len(venue.calls("Auth/loginKey")) == 2


def test_several_records_in_one_message_and_one_in_several(venue: Venue, scripted: Trader) -> None:
    """I3 split and merged frames."""
    line = live(venue, scripted)
    rows = [frames.order(number, 1) for number in (7, 8, 9)]
    line.say(*({"type": 1, "target": "GatewayUserOrder", "arguments": [{"action": 1, "data": r}]} for r in rows))
    scripted.client.wait(OrderReport, 3)
    whole = b'{"type":1,"target":"GatewayUserOrder","arguments":[%s]}\x1e' % frames.orjson.dumps(frames.order(10, 1))
    for at in range(0, len(whole), 50):
        line.peer.send(whole[at : at + 50])
    scripted.client.wait(OrderReport, 4)


def test_positions_of_others_accounts_are_nobodys(venue: Venue, scripted: Trader) -> None:
    line = live(venue, scripted)
    line.event("GatewayUserPosition", frames.position(1, 1, accountId=1))
    line.event("GatewayUserOrder", frames.order(7, 1, accountId=1))
    line.event("GatewayUserTrade", frames.trade(1, 7, accountId=1))
    line.event("GatewayUserOrder", frames.order(8, 1))
    (order,) = scripted.client.wait(OrderReport)
    assert order.account.broker_id == str(ACCOUNT_ID)
    assert (scripted.net_told(), scripted.filled()) == (None, 0)
