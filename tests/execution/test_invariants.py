"""Each invariant holds of rows that are as they should be, and names the row of each that are not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from brokers.models import BrokerAccount
from execution.invariants import INVARIANTS, NOT_ASKED, Rates, Scope, check
from execution.models import Alarm, Fill, Flatten, Heartbeat, Order, OrderIntent, Position, Reconciliation
from justtrades import clock
from recorders.dedupe import WEAK_WINDOW_S
from risk.models import AccountRules, Switch
from tests.factories import (
    BrokerAccountFactory,
    FillFactory,
    HeartbeatFactory,
    OrderFactory,
    OrderIntentFactory,
    PositionFactory,
    SignalFactory,
    TransitionFactory,
    UserFactory,
)
from tests.risk_factories import BreakFactory

pytestmark = pytest.mark.django_db
Seeded = tuple[Any, dict[str, Any]]
SECRET = "hunter2-is-a-broker-password"


def ago(seconds: float) -> datetime:
    return clock.now() - timedelta(seconds=seconds)


def found(**scope: Any) -> dict[str, list[str]]:
    return check(Scope(clock.now(), **scope))


def entry(**fields: Any) -> Order:
    """An entry that was sent in time."""
    usual = {"submit_started_at": ago(20), "intent__expires_at": ago(0), "intent__signal__status": "planned"}
    made: Order = OrderFactory(**{**usual, **fields})
    return made


def booked(role: str = "entry", side: str = "buy", net: int = 1, before: int = 0, **fill: Any) -> Position:
    """A fill of an order of ours, and the position that it moved in the same moment."""
    at = clock.now()
    order = entry(role=role, side=side, status="filled")
    FillFactory(order=order, applied_at=at, **{"qty": abs(net - before), **fill})
    position: Position = PositionFactory(trader=order.trader, symbol=order.symbol, net_qty=net)
    if before != 0:
        moved(position, 0, before, at - timedelta(seconds=9), "accepted")
    moved(position, before, net, at, f"{side} @ 1")
    return position


def moved(position: Position, before: int, after: int, at: datetime, detail: str) -> None:
    TransitionFactory(
        owner=position.owner, object_kind="position", object_id=position.pk, from_state=f"{before:+d}",
        to_state=f"{after:+d}", at=at, detail=detail,
    )  # fmt: skip


def live_account(compared_s: float | None, **fields: Any) -> BrokerAccount:
    """Live for long, in a lane that is alive."""
    Heartbeat.objects.get_or_create(name="lane.0", defaults={"beat_at": clock.now()})
    account: BrokerAccount = BrokerAccountFactory(**{"login__state_at": ago(1000), **fields})
    Reconciliation.objects.create(account=account, compared_at=None if compared_s is None else ago(compared_s))
    return account


def naked(seconds: float, policy: str | None = None) -> Position:
    position: Position = PositionFactory(unprotected_since=ago(seconds))
    moved(position, 0, 1, ago(seconds), "accepted")
    if policy is not None:
        AccountRules.objects.create(account=position.account, unprotected_policy=policy)
    return position


def alarmed(position: Position) -> Position:
    Alarm.objects.create(owner=position.owner, account=position.account, code="UNPROTECTED", ref=str(position.pk))
    return position


def left_unknown(to_state: str, detail: str = "", **order: Any) -> Seeded:
    made = entry(**order)
    TransitionFactory(
        owner=made.owner, object_kind="order", object_id=made.pk, from_state="unknown", to_state=to_state, detail=detail
    )
    return made, {}


def without_constraint(name: str) -> None:
    """The database itself would not let it happen; the question is asked all the same."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX "{name}"')


def two_live_orders() -> Seeded:
    without_constraint("one_live_order_per_intent")
    order = entry(status="working")
    OrderFactory(intent=order.intent, status="working", client_order_id="JT-another")
    return order.intent, {}


def a_client_id_twice() -> Seeded:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE execution_order DROP CONSTRAINT one_order_per_client_order_id")
    first, second = entry(), entry()
    Order.objects.filter(pk=second.pk).update(client_order_id=first.client_order_id)
    return first.client_order_id, {}


def the_same_alert_twice() -> Seeded:
    first = SignalFactory(status="planned", received_at=ago(WEAK_WINDOW_S - 1))
    return SignalFactory(recorder=first.recorder, status="planned", body_hash=first.body_hash, has_weak_key=True), {}


def a_fill_left_lying() -> Seeded:
    fill: Fill = FillFactory(order__intent__signal__status="planned", filled_at=ago(11))
    return fill, {}


def an_adoption_without_a_word() -> Seeded:
    position: Position = PositionFactory(net_qty=2)
    moved(position, 0, 2, ago(1), "")
    return position, {}


def counted_twice() -> Seeded:
    position = booked(net=1)
    moved(position, 1, 2, Fill.objects.get().applied_at or clock.now(), "buy 1 @ 1")
    Position.objects.update(net_qty=2)
    return position, {}


def not_the_sum() -> Seeded:
    position = booked(net=1)
    Position.objects.update(net_qty=3)
    return position, {}


def flat_with_an_order_left() -> Seeded:
    order = entry(status="working", created_at=ago(60))
    flatten = Flatten.objects.create(
        owner=order.owner, account=order.account, source="risk_action", key="risk_action:1", reason_code="DAILY_LOSS",
        reason_text="day: had -1001, limit -1000", status="flat", flat_at=ago(30),
    )  # fmt: skip
    TransitionFactory(owner=order.owner, object_kind="flatten", object_id=flatten.pk, to_state="flat")
    return order, {}


def forgotten_by_a_lane_that_is_alive() -> Seeded:
    intent: OrderIntent = OrderIntentFactory(status="cleared", cleared_at=ago(5), signal__status="planned")
    for number in range(64):
        HeartbeatFactory(name=f"lane.{number}")
    return intent, {}


def sent_under_a_switch(scope: str) -> Seeded:
    order = entry(submit_started_at=ago(5))
    target = {"platform": "", "user": "", "account": order.account_id, "recorder": order.intent.signal.recorder_id}
    owner = None if scope == "platform" else order.owner
    Switch.objects.create(
        scope=scope, target=str(target[scope]), owner=owner, mode="halt", reason="test", tripped_at=ago(7)
    )
    return order, {}


def a_secret_told() -> Seeded:
    order = entry(reject_text=f"bad login {SECRET} refused")
    return order, {"secrets": (SECRET,)}


def too_many(**rates: int) -> Seeded:
    order = entry(submit_started_at=ago(59))
    second = OrderIntentFactory(trader=order.trader, leg="again", signal__status="planned", expires_at=clock.now())
    entry(intent=second, submit_started_at=ago(1))
    name = next(iter(rates))
    target = {"account": order.account_id, "recorder": order.intent.signal.recorder_id, "platform": "platform"}[name]
    return target, {"rates": Rates(**rates)}


BROKEN: dict[str, tuple[str, Callable[[], Seeded]]] = {
    "an alert nobody decided": ("I1", lambda: (SignalFactory(received_at=ago(31)), {})),
    "two live orders": ("I2", two_live_orders),
    "a client id twice": ("I2", a_client_id_twice),
    "the same alert twice": ("I2", the_same_alert_twice),
    "a late entry": ("I3", lambda: (entry(intent__expires_at=ago(21)), {})),
    "naked and nobody was told": ("I4", lambda: (naked(8), {})),
    "naked and nothing was done": ("I4", lambda: (alarmed(naked(8)), {})),
    "naked and only to be told, and nobody was": ("I4", lambda: (naked(8, "alarm"), {})),
    "a fill left lying": ("I5", a_fill_left_lying),
    "a fill counted twice": ("I5", counted_twice),
    "books not compared": ("I5", lambda: (live_account(compared_s=80), {})),
    "books never compared": ("I5", lambda: (live_account(compared_s=None), {})),
    "a position that is not the sum": ("I5", not_the_sum),
    "a correction without a word": ("I5", an_adoption_without_a_word),
    "not placed after one look": ("I6", lambda: left_unknown("not_placed", "1 looks at the broker's books found no")),
    "found and no id": ("I6", lambda: left_unknown("working", broker_order_id=None)),
    "sent again in doubt": ("I6", lambda: left_unknown("submitting", "again")),
    "a stop that opened": ("I7", lambda: (booked("stop", "sell", net=-1), {})),
    "an exit beyond flat": ("I7", lambda: (booked("exit", "sell", net=-1, before=1), {})),
    "work left on a flat account": ("I7", flat_with_an_order_left),
    "left lying by its lane": ("I8", forgotten_by_a_lane_that_is_alive),
    "sent though all is off": ("I9", lambda: sent_under_a_switch("platform")),
    "sent though the user is off": ("I9", lambda: sent_under_a_switch("user")),
    "sent though the account is off": ("I9", lambda: sent_under_a_switch("account")),
    "sent though the recorder is off": ("I9", lambda: sent_under_a_switch("recorder")),
    "failed without a reason": ("I10", lambda: (OrderIntentFactory(status="failed", signal__status="planned"), {})),
    "ignored without a reason": ("I10", lambda: (SignalFactory(status="ignored", reason_code="X"), {})),
    "a secret told": ("I13", a_secret_told),
    "an account too fast": ("I14", lambda: too_many(account=1)),
    "a recorder too fast": ("I14", lambda: too_many(recorder=1)),
    "all together too fast": ("I14", lambda: too_many(platform=1)),
}


@pytest.mark.parametrize(("name", "seed"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_named(name: str, seed: Callable[[], Seeded]) -> None:
    row, scope = seed()
    violations = found(**scope)
    assert violations.keys() == {name}, violations
    pk = str(getattr(row, "pk", row))
    assert all(pk in text for text in violations[name]), f"{violations} do not name {pk}"
    assert SECRET not in str(violations)
    assert found(**{**scope, "owner_id": UserFactory().pk}) == {}, "another owner's rows are as they should be"


def test_what_is_as_it_should_be_breaks_nothing() -> None:
    booked(net=1)
    booked("exit", "sell", net=0, before=1, qty=3)
    booked("target", "sell", net=1, before=2)
    naked(6)
    entry(submit_started_at=ago(300), intent__expires_at=ago(290))
    alarmed(naked(60, "alarm"))
    closing = alarmed(naked(60))
    OrderIntentFactory(
        trader=closing.trader, symbol=closing.symbol, kind="exit", leg="exit", source="risk_action", status="done",
        signal__status="planned",
    )  # fmt: skip
    left_unknown("not_placed", "2 looks at the broker's books found no trace of it", status="not_placed")
    left_unknown("filled")
    SignalFactory(received_at=ago(29))
    SignalFactory(status="ignored", reason_code="ALREADY_FLAT", reason_text="there is no position to close")
    Switch.objects.create(scope="platform", mode="halt", reason="test", tripped_at=ago(290), released_at=ago(100))
    OrderIntentFactory(status="cleared", cleared_at=ago(5), signal__status="planned")
    assert found(secrets=(SECRET,), rates=Rates(account=50, recorder=50, platform=50)) == {}


def test_a_comparison_may_be_old_where_it_is_new_to_the_lane_or_somebody_was_told() -> None:
    live_account(compared_s=59)
    live_account(compared_s=None, login__state_at=ago(20))
    live_account(compared_s=None, login__state="failed")
    BreakFactory(account=live_account(compared_s=400), kind="unreadable")
    assert found() == {}


def test_a_fill_of_an_accounts_close_counts_for_each_who_held_it() -> None:
    at = clock.now()
    account = BrokerAccountFactory()
    positions = [PositionFactory(trader__account=account, net_qty=0) for _ in range(2)]
    for position, held in zip(positions, (2, 1), strict=True):
        moved(position, 0, held, at - timedelta(seconds=9), "accepted")
        moved(position, held, 0, at, f"sell {held} @ 1")
    order = entry(role="exit", side="sell", intent__account=account, qty=3, intent__kind="exit")
    Order.objects.filter(pk=order.pk).update(trader=None)
    shares = [[str(position.trader_id), held, "0"] for position, held in zip(positions, (2, 1), strict=True)]
    FillFactory(order=order, qty=3, applied_at=at, shares=shares)
    assert found() == {}
    Fill.objects.update(shares=[[shares[0][0], 1, "0"], shares[1]])
    assert list(found()) == ["I5"]


def test_every_invariant_is_asked_or_says_why_not() -> None:
    names = [f"I{number}" for number in range(1, 15)]
    assert sorted([*INVARIANTS, *NOT_ASKED], key=names.index) == names
    assert {name for name, _ in BROKEN.values()} == set(INVARIANTS)


def test_the_command_says_what_holds_and_ends_with_1_when_something_does_not(tmp_path: Path) -> None:
    secrets, out = tmp_path / "secrets", StringIO()
    secrets.write_text(f"{SECRET}\n\n")
    call_command("invariants", secrets=secrets, stdout=out)
    assert re.findall(r"^(I\d+): holds$", out.getvalue(), re.MULTILINE) == list(INVARIANTS)
    order = entry(reject_text=SECRET)
    with pytest.raises(SystemExit):
        call_command("invariants", secrets=secrets, stdout=out)
    assert f"I13: 1 against it\n  order {order.pk}: its reject_text shows a secret" in out.getvalue()
    call_command("invariants", stdout=out)
