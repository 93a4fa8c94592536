"""What a signal would place with the settings as they stand in the form: asked for while somebody types."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brokers.instruments import contract_of
from brokers.quotes.cache import Quote, store
from justtrades import clock
from recorders.settings import FIELDS, defaults
from tests.factories import Chain
from tests.pages.test_forms import words_of


def preview(client: Client, **form: Any) -> str:
    asked = {"preview_ticker": "MNQ1!", "preview_side": "buy", "preview_price": "25000"}
    return words_of(client.post(reverse("leg_preview"), {**defaults(), "targets": "", **asked, **form}))


def targets(*rows: tuple[str, str, str]) -> dict[str, list[str]]:
    """Rows of distance, unit and percent."""
    distances, units, trims = zip(*rows, strict=True)
    columns = {"distance": distances, "unit": units, "trim": trims, "trim_unit": ["percent"] * len(rows)}
    return {f"targets-{name}": list(column) for name, column in columns.items()}


def counts(page: str) -> list[list[str]]:
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page)
    return [re.findall(r"<td[^>]*>([^<]+)</td>", row) for row in rows]


def test_a_preview_has_the_legs_of_one_to_ten_contracts(alice: Client, db: None) -> None:
    rows = targets(("20", "ticks", "50"), ("40", "points", ""))
    page = preview(alice, stop_distance="10", **rows)
    for words in ("25,005.00", "+$10.00", "25,040.00", "+$80.00", "24,997.50", "\N{MINUS SIGN}$5.00"):
        assert words in page, words
    first, second = counts(page)
    assert first == list("1122334455")
    assert second == ["·", *"112233445"]
    sell = preview(alice, preview_side="sell", stop_distance="10", **rows)
    assert "24,995.00" in sell
    assert "25,002.50" in sell


def test_a_preview_says_what_has_no_exit(alice: Client, db: None) -> None:
    page = preview(alice)
    assert "No stop." in page
    assert counts(page) == [[*"123456789", "10"]]
    ridden = preview(alice, stop_distance="10", **targets(("20", "ticks", "50")))
    assert "to the stop" in ridden


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"stop_distance": "far"}, "Waits for Stop"),
        ({"targets-distance": ["x"]}, "Waits for Targets"),
        ({"preview_price": "dear"}, "Waits for Fill"),
        ({"preview_side": "both"}, "Waits for Side"),
        ({"preview_ticker": "FOO1!"}, "names no product"),
        ({"preview_ticker": ""}, "Waits for Ticker"),
    ],
)
def test_a_preview_of_what_cannot_be_taken_says_so(form: dict[str, Any], words: str, alice: Client, db: None) -> None:
    page = preview(alice, **form)
    assert words in page
    assert "<table" not in page


def test_a_preview_starts_from_the_last_quote(alice: Client, db: None) -> None:
    assert "the price is assumed" in preview(alice, preview_price="")
    symbol = contract_of("MNQ1!").symbol
    store([Quote(symbol, Decimal("26000.25"), None, None, clock.now())])
    assert '26,000.25</span> <span class="faint">(the last quote)' in preview(alice, preview_price="")


def test_a_traders_preview_stands_on_its_recorder(alice: Client, charlie: Client, hers: Chain) -> None:
    empty = {name: "" for name in FIELDS}
    page = preview(alice, **empty, recorder=str(hers.recorder.pk))
    assert "25,010.00" in page
    assert "24,995.00" in page
    own = preview(alice, **empty | {"stop_distance": "40"}, recorder=str(hers.recorder.pk))
    assert "24,990.00" in own
    path = reverse("leg_preview")
    assert charlie.post(path, {**empty, "recorder": str(hers.recorder.pk)}).status_code == 404
    assert alice.get(path).status_code == 405
