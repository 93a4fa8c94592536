"""What a person asks for by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from brokers.base import STOP_PREFIX, TARGET_PREFIX, OrderType, Side, SubmitOco, SubmitOrder
from execution import planning
from execution.commands import apply_exits, converge
from execution.models import Command, IntentStatus, Order, OrderIntent, Position
from justtrades import clock
from justtrades.testing import api_client_for
from recorders.models import Notice, Recorder, StrategyChain
from tests.execution.desk import MNQ, WritingDesk, intents_of, recorder_with, signal_for
from tests.factories import OrderFactory, OrderIntentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db
EXITS = {"targets": [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}], "stop_distance": 20}


def held(net_qty: int = 3) -> Position:
    return PositionFactory(symbol=MNQ, net_qty=net_qty, avg_price=Decimal(25000))


def test_exits_are_placed_as_pairs_around_the_average() -> None:
    position, desk = held(), WritingDesk()
    command = apply_exits(actor=position.owner, position=position, exits=EXITS)
    desk.dispatch()
    pairs = [request for request in desk.sent if isinstance(request, SubmitOco)]
    assert [(p.side, p.qty, p.target_price, p.stop_price) for p in pairs] == [
        (Side.SELL, 2, Decimal("25010.00"), Decimal("24995.00")),
        (Side.SELL, 1, Decimal("25020.00"), Decimal("24995.00")),
    ]
    assert {p.client_order_id[:2] for p in pairs} == {TARGET_PREFIX}
    assert {p.stop_client_order_id[:2] for p in pairs} == {STOP_PREFIX}
    intent = OrderIntent.objects.get(command=command)
    assert (intent.kind, intent.status) == ("protect", IntentStatus.DISPATCHED)
    assert {(o.role, o.target_index, o.status) for o in Order.objects.filter(intent=intent)} == {
        (role, index, "submitting") for role in ("target", "stop") for index in (0, 1)
    }
    position.refresh_from_db()
    assert position.stop_distance == 5
    desk.dispatch()
    assert len(desk.sent) == 2


def test_exits_that_are_there_already_leave_nothing_for_a_close_to_wait_for() -> None:
    position, desk = held(1), WritingDesk()
    entry = OrderIntentFactory(trader=position.trader, symbol=MNQ)
    leg = {"intent": entry, "client_order_id": None, "side": "sell", "status": "working", "target_index": 0}
    OrderFactory(**leg, role="target", order_type="limit", price=Decimal(25010))
    OrderFactory(**leg, role="stop", order_type="stop", stop_price=Decimal(24995))
    exits = {"targets": [{"distance": 40}], "stop_distance": 20}
    command = apply_exits(actor=position.owner, position=position, exits=exits)
    desk.dispatch()
    assert (desk.sent, OrderIntent.objects.get(command=command).status) == ([], IntentStatus.DONE)


def test_a_stop_above_the_average_of_a_long_position_secures_a_profit() -> None:
    position, desk = held(1), WritingDesk()
    exits = {"targets": [], "stop_distance": "25100.10", "stop_unit": "price"}
    apply_exits(actor=position.owner, position=position, exits=exits)
    desk.dispatch()
    (request,) = desk.sent
    assert request.stop_price == Decimal("25100.25")  # type: ignore[union-attr]


def test_a_short_position_with_a_stop_alone_gets_a_plain_protective_stop() -> None:
    position, desk = held(-2), WritingDesk()
    apply_exits(actor=position.owner, position=position, exits={"targets": [], "stop_distance": 20})
    desk.dispatch()
    (request,) = desk.sent
    assert isinstance(request, SubmitOrder)
    assert (request.side, request.qty, request.order_type, request.stop_price, request.is_protective) == (
        Side.BUY, 2, OrderType.STOP, Decimal("25005.00"), True,
    )  # fmt: skip


def test_legs_that_are_there_are_moved_and_only_the_rest_is_placed() -> None:
    position, desk = held(3), WritingDesk()
    entry = OrderIntentFactory(trader=position.trader, symbol=MNQ)
    leg = {"intent": entry, "client_order_id": None, "side": "sell", "status": "working", "qty": 2, "target_index": 0}
    target = OrderFactory(**leg, role="target", order_type="limit", price=Decimal(25050))
    stop = OrderFactory(**leg, role="stop", order_type="stop", stop_price=Decimal(24900))
    apply_exits(actor=position.owner, position=position, exits=EXITS)
    desk.dispatch()
    (pair,) = [request for request in desk.sent if isinstance(request, SubmitOco)]
    assert (pair.qty, pair.target_price) == (1, Decimal("25020.00"))
    moved = {order.pk: order.wanted_price for order in Order.objects.filter(pk__in=[target.pk, stop.pk])}
    assert moved == {target.pk: Decimal(25010), stop.pk: Decimal(24995)}


@pytest.mark.parametrize(
    ("net_qty", "exits", "field"),
    [
        (0, EXITS, "position"),
        (1, {"targets": [], "stop_distance": 0}, "exits"),
        (1, {"stop_distance": -1}, "stop_distance"),
        (1, {"targets": [{"distance": "NaN"}]}, "targets"),
        (1, {"no_such": 1}, "no_such"),
    ],
)
def test_what_makes_no_exits_is_refused_by_name(net_qty: int, exits: dict[str, Any], field: str) -> None:
    position = held(net_qty)
    with pytest.raises(ValidationError) as refused:
        apply_exits(actor=position.owner, position=position, exits=exits)
    assert field in refused.value.message_dict
    assert Command.objects.count() == OrderIntent.objects.count() == 0


def moved(recorder: Recorder, before: int, after: int) -> Any:
    action = "buy" if after > before else "sell"
    signal = signal_for(
        recorder, action, quantity=Decimal(abs(after - before)), prev_position=Decimal(before),
        position=Decimal(after), fired_at=clock.now(),
    )  # fmt: skip
    planning.plan_next(recorder.pk)
    signal.refresh_from_db()
    return signal


def test_a_gap_is_followed_or_asked_about_as_the_recorder_says() -> None:
    for rule, status, count in (("converge", "planned", 2), ("ask", "ignored", 0)):
        recorder, (trader,) = recorder_with(1, on_desync=rule)
        StrategyChain.objects.create(
            recorder=recorder, ticker="MNQ", tip=Decimal(1), signal=signal_for(recorder, status="planned"),
            changed_at=clock.now(),
        )  # fmt: skip
        PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
        signal = moved(recorder, 0, -1)
        assert (signal.status, signal.link) == (status, "gap")
        assert (signal.strategy_before, signal.strategy_after) == (1, -1)
        intents = intents_of(signal)
        assert len([intent for intent in intents if intent.status != IntentStatus.DENIED]) == count
        assert all(intent.explanation is not None for intent in intents)
        notice = Notice.objects.get(recorder=recorder)
        assert "an alert is missing" in notice.text
        assert notice.ended_at is None


def test_one_click_has_everybody_go_where_the_strategy_stands() -> None:
    recorder, (trader,) = recorder_with(1, on_desync="ask")
    moved(recorder, 0, 1)
    OrderIntent.objects.update(status=IntentStatus.DONE)
    PositionFactory(trader=trader, symbol=MNQ, net_qty=1)
    moved(recorder, 0, -1)
    chain = StrategyChain.objects.get()
    command = converge(actor=recorder.owner, chain=chain)
    legs = OrderIntent.objects.filter(command=command).order_by("created_at", "id")
    assert [(intent.leg, intent.side, intent.qty) for intent in legs] == [("exit", "sell", 1), ("entry", "sell", 1)]
    assert not Notice.objects.filter(ended_at__isnull=True).exists()
    with pytest.raises(ValidationError, match="nothing to converge"):
        converge(actor=recorder.owner, chain=chain)


def test_a_stranger_can_do_neither() -> None:
    position = held()
    recorder, _ = recorder_with(1)
    moved(recorder, 0, 1)
    charlie = api_client_for(UserFactory())
    chain = StrategyChain.objects.get()
    for path in (f"/api/positions/{position.pk}/apply-exits/", f"/api/chains/{chain.pk}/converge/"):
        assert charlie.post(path, EXITS, format="json").status_code == 404
    assert Command.objects.count() == 0


def test_both_over_the_api() -> None:
    position = held()
    own = api_client_for(position.owner)
    reply = own.post(f"/api/positions/{position.pk}/apply-exits/", EXITS, format="json")
    assert (reply.status_code, reply.json()["kind"]) == (202, "apply_exits")
    bad = own.post(f"/api/positions/{position.pk}/apply-exits/", {"stop_distance": "x"}, format="json")
    assert (bad.status_code, list(bad.json()["errors"])) == (400, ["stop_distance"])
    recorder, _ = recorder_with(1)
    moved(recorder, 0, 1)
    chain = StrategyChain.objects.get()
    assert api_client_for(recorder.owner).get("/api/chains/").json()["results"][0]["tip"] == "1"
    refused = api_client_for(recorder.owner).post(f"/api/chains/{chain.pk}/converge/")
    assert (refused.status_code, "nothing to converge" in refused.json()["detail"]) == (400, True)
