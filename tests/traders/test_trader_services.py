from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from brokers.models import BrokerAccount
from justtrades.testing import Cast, make_cast
from recorders.models import Recorder
from recorders.settings import BadSettings, defaults
from tests.factories import BrokerAccountFactory, RecorderFactory, TraderFactory
from traders.models import Trader
from traders.routes import Conversion, add_route, conversions_of, create_with_routes, effective_of
from traders.services import create_trader, update_trader

WINDOW = {"start": "08:00", "end": "15:00"}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def recorder(cast: Cast) -> Recorder:
    return RecorderFactory(owner=cast.alice)


@pytest.fixture
def accounts(cast: Cast) -> list[BrokerAccount]:
    return [BrokerAccountFactory(login__owner=cast.alice) for _ in range(3)]


def refusal(wanted: Any, **given: Any) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        wanted(**given)
    return list(refused.value.message_dict)


def test_overrides_are_stored_as_json_and_none_is_absent(recorder: Recorder, accounts: list[BrokerAccount]) -> None:
    overrides = {"stop_distance": Decimal(0), "targets": [{"ticks": 8}], "stop_unit": None}
    trader = create_trader(owner=recorder.owner, recorder=recorder, account=accounts[0], overrides=overrides)
    trader.refresh_from_db()
    target = {"distance": "8", "unit": "ticks", "trim": None, "trim_unit": "percent"}
    assert trader.overrides == {"stop_distance": "0", "targets": [target]}
    update_trader(trader=trader, overrides={"every_nth_signal": 2})
    trader.refresh_from_db()
    assert trader.overrides == {"every_nth_signal": 2}, "overrides replaces all of them"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"overrides": {"stop_distance": -1}}, ["stop_distance"]),
        ({"overrides": {"stop_ticks": 1}}, ["stop_ticks"]),
        ({"overrides": {"auto_flat_after_cutoff": True}}, ["auto_flat_after_cutoff"]),
        ({"custom_ticker": "NOTHING"}, ["custom_ticker"]),
        ({"convert_size": True}, ["convert_size"]),
        ({"multiplier": Decimal(-1)}, ["multiplier"]),
        ({"max_contracts": -1}, ["max_contracts"]),
    ],
    ids=repr,
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    given: dict[str, Any], named: list[str], recorder: Recorder, accounts: list[BrokerAccount]
) -> None:
    ids = {"owner": recorder.owner, "recorder": recorder, "account": accounts[0]}
    assert refusal(create_trader, **ids, **given) == named
    assert Trader.objects.count() == 0
    trader = create_trader(**ids)
    before = Trader.objects.values().get()
    assert refusal(update_trader, trader=trader, **given) == named
    assert Trader.objects.values().get() == before


def test_nobody_follows_what_is_anothers(cast: Cast, recorder: Recorder, accounts: list[BrokerAccount]) -> None:
    own = RecorderFactory(owner=cast.charlie)
    assert refusal(create_trader, owner=cast.charlie, recorder=recorder, account=accounts[0]) == ["recorder"]
    assert refusal(create_trader, owner=cast.charlie, recorder=own, account=accounts[0]) == ["account"]
    lead = create_trader(owner=cast.alice, recorder=recorder, account=accounts[0])
    theirs = BrokerAccountFactory(login__owner=cast.charlie)
    given = {"owner": cast.charlie, "recorder": own, "account": theirs, "route_of": lead}
    assert refusal(create_trader, **given) == ["route_of"]


def test_a_further_account_is_of_the_same_recorder_and_one_level_deep(
    recorder: Recorder, accounts: list[BrokerAccount]
) -> None:
    lead = create_trader(owner=recorder.owner, recorder=recorder, account=accounts[0])
    other = RecorderFactory(owner=recorder.owner)
    given = {"owner": recorder.owner, "account": accounts[1]}
    assert refusal(create_trader, **given, recorder=other, route_of=lead) == ["route_of"]
    route = add_route(lead=lead, account=accounts[1])
    assert (route.route_of, route.owner, route.recorder) == (lead, lead.owner, lead.recorder)
    assert refusal(add_route, lead=route, account=accounts[2]) == ["route_of"]
    assert refusal(update_trader, trader=route, overrides={"stop_distance": 1}) == ["overrides"]


def test_routes_are_made_with_the_trader_or_not_at_all(recorder: Recorder, accounts: list[BrokerAccount]) -> None:
    ids = {"owner": recorder.owner, "recorder": recorder, "account": accounts[0]}
    twice = [{"account": accounts[1]}, {"account": accounts[1]}]
    assert refusal(create_with_routes, **ids, routes=twice) == ["routes.1.account"]
    assert Trader.objects.count() == 0
    lead = create_with_routes(**ids, routes=[{"account": accounts[1], "multiplier": Decimal(2)}])
    assert [(route.account, route.multiplier) for route in lead.routes.all()] == [(accounts[1], 2)]


def test_what_a_trader_trades_with(recorder: Recorder, accounts: list[BrokerAccount]) -> None:
    ids = {"owner": recorder.owner, "recorder": recorder, "account": accounts[0]}
    lead = create_with_routes(
        **ids, overrides={"stop_distance": 8}, routes=[{"account": accounts[1], "multiplier": Decimal(2)}]
    )
    route = lead.routes.get()
    assert effective_of(route).settings == effective_of(lead).settings
    assert (effective_of(route).route.multiplier, effective_of(lead).route.multiplier) == (2, 1)
    assert effective_of(lead).sources == {"stop_distance": "trader"}
    update_trader(trader=lead, overrides={"auto_flat_after_cutoff": True, "time_windows": [WINDOW]})
    Trader.objects.update(overrides={"auto_flat_after_cutoff": True})
    lead.refresh_from_db()
    with pytest.raises(BadSettings):
        effective_of(lead)


def test_conversions_are_within_a_family(cast: Cast) -> None:
    trader = TraderFactory(recorder__owner=cast.alice, recorder__template=defaults())
    assert conversions_of(trader) == []
    trader.custom_ticker = "MNQZ6"
    assert conversions_of(trader) == [Conversion("NQ", "MNQ", Decimal(10))]
    trader.custom_ticker = "ES1!"
    assert Conversion("MES", "ES", Decimal("0.1")) in conversions_of(trader)
