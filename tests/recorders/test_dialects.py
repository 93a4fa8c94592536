"""Every body of the corpus means what it means, and exactly one dialect claims it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from recorders.alert import Action, ParsedAlert
from recorders.dialects import DIALECTS, dialect_of
from recorders.fields import Fields
from recorders.parse import Parsed, parse_body
from recorders.settings import read_overrides
from recorders.templates import TEMPLATES, Template, fill, placeholders
from tests.recorders.corpus import ALL, REFUSED, UNDERSTOOD, Case

VALUES = {
    "ticker": "MNQ1!", "exchange": "CME_MINI", "interval": "5", "strategy.order.action": "buy",
    "strategy.order.contracts": "1", "strategy.order.price": "25300.25", "strategy.order.id": "Long",
    "strategy.order.comment": "Long", "strategy.market_position": "long", "strategy.market_position_size": "1",
    "strategy.prev_market_position": "flat", "strategy.prev_market_position_size": "0", "strategy.position_size": "1",
    "open": "25290", "high": "25310", "low": "25280", "close": "25300.5", "volume": "1200",
    "time": "2026-11-23T14:30:00Z", "timenow": "2026-11-23T14:35:01Z",
}  # fmt: skip


def only(body: bytes) -> Parsed:
    (parsed,) = parse_body(body)
    return parsed


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(ALL) >= 80
    assert len({case.name for case in ALL}) == len(ALL)
    assert {case.alert.dialect for case in UNDERSTOOD if case.alert} == {dialect.name for dialect in DIALECTS}


@pytest.mark.parametrize("case", UNDERSTOOD, ids=lambda case: case.name)
def test_what_is_understood(case: Case) -> None:
    parsed = only(case.body)
    assert parsed.refusal is None
    assert parsed.alert == case.alert
    assert parsed.alert is not None
    assert read_overrides(parsed.alert.settings) == dict(parsed.alert.settings)
    json.dumps(dict(parsed.alert.settings))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused(case: Case) -> None:
    refusal = only(case.body).refusal
    assert refusal is not None
    assert refusal.code == case.code
    assert refusal.text.startswith(case.text)


@pytest.mark.parametrize("case", UNDERSTOOD, ids=lambda case: case.name)
def test_no_body_is_claimed_by_two_dialects(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Fields] = []

    def watch(fields: Fields) -> object:
        seen.append(fields)
        return dialect_of(fields)

    monkeypatch.setattr("recorders.parse.dialect_of", watch)
    parse_body(case.body)
    assert case.alert is not None
    assert [dialect.name for dialect in DIALECTS if dialect.speaks(seen[0])] == [case.alert.dialect]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_what_is_kept_says_the_same(case: Case) -> None:
    """Removing secrets takes away nothing else."""
    first, again = only(case.body), only(only(case.body).body)
    assert again.body == first.body
    assert without_flags(again.alert) == without_flags(first.alert)


def without_flags(alert: ParsedAlert | None) -> object:
    return alert and replace(alert, flags=())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_every_template_is_understood(template: Template) -> None:
    text = template.text
    assert set(placeholders(text)) <= VALUES.keys()
    body = fill(text, VALUES).encode()
    json.loads(body)
    alert = only(body).alert
    assert alert is not None
    assert (alert.ticker, alert.price is None, alert.fired_at is None) == ("MNQ1!", False, False)
    assert alert.action in {Action.BUY, Action.SELL, Action.CLOSE}
    assert alert.flags == ()
    assert fill(text, {}) == text


def test_templates_of_strategies_tell_positions() -> None:
    told = {one.key: only(fill(one.text, VALUES).encode()).alert for one in TEMPLATES}
    full = {key for key, alert in told.items() if alert and (alert.position, alert.prev_position) == (1, 0)}
    assert full == {"strategy", "nested"}
    assert {alert.dialect for alert in told.values() if alert} == {"canonical", "pickmytrade", "traderspost", "nested"}
