"""What a person types: what it makes, and how a mistake is explained."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from justtrades.testing import Cast
from recorders.models import Recorder, Signal, WebhookToken
from recorders.services import hash_token
from recorders.templates import TEMPLATES
from tests.factories import Chain, RecorderFactory
from traders.models import Trader

ADDRESS = re.compile(r"/webhook/([\w-]{43})/")
UNSENT = {"submit", "button", "image", "reset"}


class _Typed(HTMLParser):
    """What a browser would send of the settings form, were it submitted as the page came."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._is_inside = False
        self._list: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = given.get("id") == "settings-form"
        if not self._is_inside or "form" in given:
            return
        if tag == "input" and given.get("name") and given.get("type") not in UNSENT:
            is_box = given.get("type") in {"checkbox", "radio"}
            if not is_box or "checked" in given:
                self.sent.setdefault(given["name"], []).append(given.get("value", "on" if is_box else ""))
        elif tag == "select":
            self._list = (given["name"], [])
        elif tag == "option" and self._list is not None and ("selected" in given or not self._list[1]):
            self._list[1][:] = [given.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if tag == "select" and self._list is not None:
            self.sent.setdefault(self._list[0], []).extend(self._list[1])
            self._list = None


def typed(client: Client, path: str) -> dict[str, Any]:
    """The fields of the page's form with what stands in them; change some and post it."""
    parser = _Typed()
    parser.feed(client.get(path).content.decode())
    return dict(parser.sent)


def words_of(response: Any) -> str:
    """The page's words, without its markup's line breaks."""
    return " ".join(response.content.decode().split())


def shown_token(page: str) -> str:
    found = set(ADDRESS.findall(page))
    assert len(found) == 1
    return str(found.pop())


def test_a_new_recorders_address_is_shown_once_with_all_that_is_to_be_pasted(cast: Cast, alice: Client) -> None:
    path = reverse("recorder_new")
    response = alice.post(path, typed(alice, path) | {"name": "Opening range", "initial_position_size": "2"})
    page = response.content.decode()
    token = shown_token(page)
    recorder = Recorder.objects.get(owner=cast.alice)
    assert WebhookToken.objects.get(recorder=recorder).token_hash == hash_token(token)
    assert recorder.settings.initial_position_size == 2
    assert recorder.is_enabled
    assert response["Cache-Control"] == "no-store"
    assert "curl -X POST" in page
    assert "{{strategy.order.action}}" in page
    assert token not in alice.get(reverse("recorder", args=[recorder.pk])).content.decode()


def test_every_message_to_paste_has_a_copy_button(alice: Client, hers: Chain) -> None:
    page = alice.get(reverse("recorder", args=[hers.recorder.pk])).content.decode()
    for template in TEMPLATES:
        assert f'data-copy="message-{template.key}"' in page
        assert f'id="message-{template.key}"' in page


def test_rotating_shows_a_new_address_and_the_old_one_still_works_a_day(alice: Client, hers: Chain) -> None:
    response = alice.post(reverse("recorder_rotate", args=[hers.recorder.pk]))
    token = shown_token(response.content.decode())
    hers.token.refresh_from_db()
    assert hers.token.expires_at is not None
    assert WebhookToken.objects.get(token_hash=hash_token(token)).expires_at is None
    assert response["Cache-Control"] == "no-store"


def test_a_second_recorder_of_one_name_is_refused_in_words(alice: Client, hers: Chain) -> None:
    path = reverse("recorder_new")
    form = typed(alice, path) | {"name": hers.recorder.name}
    assert "You have a recorder of this name already" in alice.post(path, form).content.decode()
    assert Recorder.objects.count() == 1


def test_a_test_alert_is_a_signal_like_any_other(alice: Client, hers: Chain) -> None:
    path = reverse("recorder_test_alert", args=[hers.recorder.pk])
    first = alice.post(path, {"action": "sell", "ticker": "MES1!", "contracts": "2"})
    made = Signal.objects.exclude(pk=hers.signal.pk).get()
    assert first["Location"] == reverse("signal", args=[made.pk])
    assert (made.action, made.ticker, made.quantity, made.status) == ("sell", "MES1!", Decimal(2), "received")
    alice.post(path, {"action": "sell", "ticker": "MES1!", "contracts": "2"})
    assert Signal.objects.count() == 3


@pytest.mark.parametrize(
    ("before", "after", "stated"), [("2", "-1", (2, -1)), ("0", "3", (0, 3)), ("-2", "0", (-2, 0))]
)
def test_a_test_alert_may_state_price_and_positions(
    before: str, after: str, stated: tuple[int, int], alice: Client, hers: Chain
) -> None:
    form = {"action": "close_long", "ticker": "MES1!", "contracts": "1", "price": "6021.25"}
    path = reverse("recorder_test_alert", args=[hers.recorder.pk])
    alice.post(path, form | {"position_before": before, "position_after": after})
    made = Signal.objects.exclude(pk=hers.signal.pk).get()
    assert (made.action, made.price) == ("close_long", Decimal("6021.25"))
    assert (made.prev_position, made.position) == stated


def test_a_test_alert_knows_the_recorders_own_symbols(alice: Client, hers: Chain) -> None:
    hers.recorder.symbol_map = {"GOLD": "MGC1!"}
    hers.recorder.save()
    alice.post(
        reverse("recorder_test_alert", args=[hers.recorder.pk]), {"action": "buy", "ticker": "GOLD", "contracts": "1"}
    )
    assert Signal.objects.exclude(pk=hers.signal.pk).get().status == "received"


def test_a_test_alert_that_makes_no_sense_is_explained_and_not_sent(alice: Client, hers: Chain) -> None:
    path = reverse("recorder_test_alert", args=[hers.recorder.pk])
    response = alice.post(path, {"action": "hold", "ticker": "", "contracts": "-1"})
    assert response.status_code == 422
    assert response.content.decode().count("field-error") == 3
    assert Signal.objects.count() == 1


@pytest.mark.usefixtures("ready_broker")
def test_following_twice_is_refused_in_words(alice: Client, hers: Chain) -> None:
    form = {"recorder": hers.recorder.pk, "account": hers.account.pk, "multiplier": "1", "max_contracts": "9"}
    assert "follows the recorder already" in alice.post(reverse("trader_new"), form).content.decode()
    assert Trader.objects.count() == 1


@pytest.mark.usefixtures("ready_broker")
def test_a_trader_is_switched_off_and_on(alice: Client, hers: Chain) -> None:
    for name, expected in (("trader_disable", False), ("trader_enable", True)):
        assert alice.post(reverse(name, args=[hers.trader.pk])).status_code == 302
        hers.trader.refresh_from_db()
        assert hers.trader.is_enabled is expected


def test_what_has_history_is_not_deleted_and_says_why(alice: Client, hers: Chain) -> None:
    for name, pk, words in (
        ("recorder_delete", hers.recorder.pk, "disable it instead"),
        ("trader_delete", hers.trader.pk, "disable it instead"),
    ):
        assert words in alice.post(reverse(name, args=[pk]), follow=True).content.decode()
    assert Recorder.objects.count() == 1
    assert Trader.objects.count() == 1


def test_a_recorder_without_history_is_deleted(cast: Cast, alice: Client) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    assert alice.post(reverse("recorder_delete", args=[recorder.pk])).status_code == 302
    assert not Recorder.objects.exists()


def test_a_time_zone_is_chosen_and_times_follow(cast: Cast, alice: Client, hers: Chain) -> None:
    assert alice.post(reverse("profile"), {"time_zone": "Asia/Tokyo"}).status_code == 302
    assert "JST" in alice.get(reverse("signal", args=[hers.signal.pk])).content.decode()
    assert "Select a valid choice" in alice.post(reverse("profile"), {"time_zone": "Mars/Base"}).content.decode()
    cast.alice.refresh_from_db()
    assert cast.alice.time_zone == "Asia/Tokyo"
