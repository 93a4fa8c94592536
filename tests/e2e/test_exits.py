"""What becomes of exits at the broker when a position grows, shrinks, or gets them later."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from brokers.instruments import resolve
from execution.commands import apply_exits
from execution.models import IntentStatus, OrderIntent
from justtrades import clock
from tests.e2e.house import PRICE, House, symbol

TWO_TARGETS = {
    "initial_position_size": 0,
    "add_position_size": 0,
    "targets": [{"distance": 40, "trim": 50}, {"distance": 80, "trim": 50}],
    "stop_distance": 20,
}


def moved(before: int, after: int, **fields: Any) -> dict[str, Any]:
    """The position fields of a strategy's alert."""
    names = {True: "long", False: "short"}

    def side(position: int) -> str:
        return "flat" if position == 0 else names[position > 0]

    return {
        "contracts": str(abs(after - before)),
        "position": side(after),
        "position_size": str(abs(after)),
        "prev_position": side(before),
        "prev_position_size": str(abs(before)),
        **fields,
    }


def legs(house: House) -> list[tuple[str, int, float | None]]:
    return [(kind, qty, price) for _, kind, qty, price in house.followers[0].venue_exits]


def test_an_add_moves_every_leg_to_the_new_average_and_none_is_missing_meanwhile(
    make_house: Callable[..., House],
) -> None:
    house = make_house(followers=1, **TWO_TARGETS)
    house.post("buy", **moved(0, 2))
    house.await_protected(1, 2)
    house.plant.sandbox.price(symbol(), PRICE - 4)
    house.post("buy", **moved(2, 4))
    house.await_protected(1, 4)
    average = PRICE - 2
    expected = sorted(
        [("Limit", 1, average + 10), ("Limit", 1, average + 10), ("Limit", 1, average + 20), ("Limit", 1, average + 20)]
        + [("Stop", 1, average - 5)] * 4
    )
    house.plant.until(lambda: sorted(legs(house)) == expected, f"legs at the new average, now {legs(house)}")
    house.plant.sandbox.price(symbol(), PRICE)


def test_a_partial_exit_cuts_the_legs_before_it_sells(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1, **TWO_TARGETS)
    house.post("buy", **moved(0, 3))
    house.await_protected(1, 3)
    house.post("sell", **moved(3, 2))
    house.await_protected(1, 2)
    house.plant.until(lambda: sum(qty for kind, qty, _ in legs(house) if kind == "Stop") == 2, "stops of two contracts")
    house.post("sell", **moved(2, 1))
    house.await_protected(1, 1)
    house.post("sell", **moved(1, 0))
    house.await_flat()
    statuses = [(intent.leg, intent.status) for intent in house.followers[0].intents]
    assert statuses == [("entry", "done"), ("reduce", "done"), ("reduce", "done"), ("exit", "done")]


def test_the_stop_moves_to_the_entry_once_the_market_has_gone_far_enough(make_house: Callable[..., House]) -> None:
    settings = {"break_even_ticks": 20, "break_even_offset_ticks": 2, "targets": [{"distance": 400}]}
    house = make_house(followers=1, **settings)
    house.post("buy")
    house.await_protected(1)
    house.plant.until(lambda: house.plant.sandbox.price(symbol(), PRICE + 4.75) is None, "a price below the trigger")
    _wiggle_until(house, lambda: ("Stop", 1, PRICE + 0.5) in legs(house))
    house.plant.sandbox.price(symbol(), PRICE)
    house.await_flat()
    assert house.followers[0].position.realized_pnl < Decimal(2)


def _wiggle_until(house: House, condition: Callable[[], bool]) -> None:
    """Quotes are told on change: move the market a little until the lane, which subscribes each second, has heard."""
    steps = iter(range(10_000))

    def step() -> bool:
        house.plant.sandbox.price(symbol(), PRICE + 5 + 0.25 * (next(steps) % 2))
        return condition()

    house.plant.until(step, f"the stop is at break-even, now {legs(house)}")


def test_exits_can_be_put_around_a_position_that_is_open(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1, initial_position_size=3, targets=[], stop_distance=0)
    house.post("buy")
    follower = house.followers[0]
    house.plant.until(lambda: follower.net == follower.venue_net == 3, "three contracts are held")
    assert follower.venue_exits == []
    exits = {"targets": [{"distance": 40, "trim": 40}, {"distance": 80}], "stop_distance": 20}
    apply_exits(actor=house.owner, position=follower.position, exits=exits)
    house.await_protected(1, 3)
    expected = sorted(
        [("Limit", 1, PRICE + 10), ("Limit", 2, PRICE + 20), ("Stop", 1, PRICE - 5), ("Stop", 2, PRICE - 5)]
    )
    assert sorted(legs(house)) == expected
    apply_exits(actor=house.owner, position=follower.position, exits={**exits, "stop_distance": 40})
    house.plant.until(lambda: ("Stop", 2, PRICE - 10) in legs(house), f"stops have moved, now {legs(house)}")
    done = OrderIntent.objects.filter(trader=follower.trader, kind="protect", status=IntentStatus.DONE)
    house.plant.until(lambda: done.count() == 2, "both commands are done")
    house.post("close")
    house.await_flat()


def test_two_recorders_on_one_account_never_touch_each_others_legs(make_house: Callable[..., House]) -> None:
    one, other = make_house(followers=1, **TWO_TARGETS), make_house(**{**TWO_TARGETS, "stop_distance": 60})
    other.follow_on(one.followers[0].trader.account.login)
    one.post("buy", **moved(0, 2))
    one.await_protected(1, 2)
    other.post("buy", **moved(0, 2))
    mine, theirs = one.followers[0], other.followers[0]
    one.plant.until(lambda: theirs.net == 2 and mine.venue_net == 4, "four contracts are held")
    other.post("sell", **moved(2, 1))
    one.plant.until(lambda: theirs.net == 1 and mine.venue_net == 3, "the other has one left")
    one.post("sell", **moved(2, 0))
    one.plant.until(lambda: mine.net == 0 and mine.venue_net == 1, "only the other's contract is left")
    one.plant.until(lambda: sorted(legs(one)) == [("Limit", 1, PRICE + 20), ("Stop", 1, PRICE - 15)], f"{legs(one)}")
    other.post("sell", **moved(1, 0))
    one.plant.until(lambda: theirs.net == 0 and mine.is_flat_at_venue, "everything is flat")


def test_a_limit_entry_that_nobody_fills_is_canceled(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1, entry_type="limit", limit_offset_ticks=40, limit_timeout_s=2)
    house.post("buy", price=str(PRICE))
    follower = house.followers[0]
    house.plant.until(lambda: [e[1:] for e in follower.venue_exits] == [("Limit", 1, PRICE - 10)], "it rests")
    house.await_flat()
    (intent,) = house.plant.until(lambda: [i for i in follower.intents if i.finished_at], "the intent is over")
    assert (intent.status, intent.reason_code) == ("failed", "CANCELED")


def test_a_close_takes_a_resting_entry_with_it(make_house: Callable[..., House]) -> None:
    house = make_house(followers=1, entry_type="limit", limit_offset_ticks=40)
    house.post("buy", price=str(PRICE))
    house.plant.until(lambda: house.followers[0].venue_exits != [], "it rests")
    house.post("close")
    house.await_flat()


def test_a_trail_is_the_venues_own(make_house: Callable[..., House]) -> None:
    contract = resolve("M2K1!", clock.now().date()).symbol
    house = make_house(followers=1, stop_type="trailing", targets=[], stop_distance=50)
    house.plant.sandbox.price(contract, 2000.0)
    house.send(b'{"action": "buy", "ticker": "M2K1!"}')
    follower = house.followers[0]
    house.plant.until(lambda: [e[1] for e in follower.venue_exits] == ["TrailingStop"], "it has a trailing stop")
    house.plant.until(lambda: follower.net == 1, "our books have it, too")
    house.plant.sandbox.price(contract, 2010.0)
    house.plant.sandbox.price(contract, 2004.5)
    house.await_flat()
    assert follower.trader.positions.get().realized_pnl > 0
