"""Alert over trader over recorder, resolved when the signal comes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from recorders.setting_types import TimeWindow
from recorders.settings import FIELDS, BadSettings, Settings
from traders.settings import Route, resolve

PLAIN = Route()
WINDOW = {"start": "08:30", "end": "15:00"}


def text(**layer: Any) -> str:
    return json.dumps(layer)


@pytest.mark.parametrize(
    ("recorder", "trader", "alert", "size", "source"),
    [
        ({}, {}, {}, 1, None), ({"initial_position_size": 5}, {}, {}, 5, None),
        ({"initial_position_size": 5}, {"initial_position_size": 3}, {}, 3, "trader"),
        ({"initial_position_size": 5}, {"initial_position_size": 0}, {}, 0, "trader"),
        ({"initial_position_size": 5}, {}, {"initial_position_size": 7}, 7, "alert"),
        ({"initial_position_size": 5}, {"initial_position_size": 3}, {"initial_position_size": 7}, 7, "alert"),
        ({"initial_position_size": 5}, {"initial_position_size": 3}, {"initial_position_size": 0}, 0, "alert"),
        ({"initial_position_size": 5}, {"initial_position_size": 5}, {}, 5, "trader"),
    ],
)  # fmt: skip
def test_the_nearest_layer_that_states_a_field_has_it(
    recorder: dict[str, Any], trader: dict[str, Any], alert: dict[str, Any], size: int, source: str | None
) -> None:
    resolved = resolve(text(**recorder), text(**trader), text(**alert), PLAIN)
    assert resolved.settings.initial_position_size == size
    assert resolved.sources == ({} if source is None else {"initial_position_size": source})


def test_what_nobody_states_is_the_default_also_where_a_layer_is_empty_text() -> None:
    assert resolve("", "", "", PLAIN).settings == Settings()
    assert resolve("{}", "{}", "{}", PLAIN).settings == Settings()


def test_a_later_edit_of_the_recorder_reaches_who_did_not_override() -> None:
    override = text(stop_distance="8")
    before = resolve(text(stop_distance="20", max_contracts_per_trade=4), override, "", PLAIN).settings
    after = resolve(text(stop_distance="40", max_contracts_per_trade=9), override, "", PLAIN).settings
    assert (before.stop_distance, before.max_contracts_per_trade) == (8, 4)
    assert (after.stop_distance, after.max_contracts_per_trade) == (8, 9)


def test_equal_layers_are_one_object_and_other_routes_are_not() -> None:
    one = resolve(text(stop_distance="20"), text(), "", Route(Decimal(2)))
    assert resolve(text(stop_distance="20"), text(), "", Route(Decimal(2))) is one
    assert resolve(text(stop_distance="20"), text(), "", Route(Decimal(3))) is not one
    assert resolve(text(stop_distance="20"), text(), text(stop_distance="21"), Route(Decimal(2))) is not one


def test_layers_that_contradict_each_other_are_refused_by_the_field() -> None:
    recorder = text(time_windows=[WINDOW], auto_flat_after_cutoff=True)
    assert resolve(recorder, text(), "", PLAIN).settings.time_windows == (TimeWindow.model_validate(WINDOW),)
    with pytest.raises(BadSettings) as caught:
        resolve(recorder, text(time_windows=[]), "", PLAIN)
    assert list(caught.value.errors) == ["auto_flat_after_cutoff"]


def test_an_alert_that_sizes_by_risk_replaces_the_recorders_way() -> None:
    resolved = resolve(text(equity_percent="50"), text(risk_percent="1"), text(risk_dollars="100"), PLAIN).settings
    assert (resolved.risk_dollars, resolved.risk_percent, resolved.equity_percent) == (100, 0, 0)


def test_the_document_says_of_every_value_whose_it_is() -> None:
    route = Route(Decimal("1.5"), 4, "MNQ1!", convert_size=True)
    resolved = resolve(text(stop_distance="20"), text(stop_distance="8"), text(risk_dollars="100"), route)
    document = resolved.document
    assert set(document) == {*FIELDS, "multiplier", "max_contracts", "custom_ticker", "convert_size"}
    assert document["stop_distance"] == {"value": "8", "source": "trader"}
    assert document["risk_dollars"] == {"value": "100", "source": "alert"}
    assert document["initial_position_size"] == {"value": 1, "source": "recorder"}
    assert document["multiplier"] == {"value": "1.5", "source": "trader"}
    assert document["max_contracts"] == {"value": 4, "source": "trader"}
    assert json.loads(json.dumps(document)) == document, "it is stored as JSON"
