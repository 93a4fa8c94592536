"""What a person types: what it makes, and how a mistake is explained."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from justtrades.testing import Cast
from recorders.models import Recorder, Signal, WebhookToken
from recorders.services import hash_token
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain, RecorderFactory
from traders.models import Trader

ADDRESS = re.compile(r"/webhook/([\w-]{43})/")


def shown_token(page: str) -> str:
    found = set(ADDRESS.findall(page))
    assert len(found) == 1
    return str(found.pop())


def test_a_new_recorders_address_is_shown_once_with_all_that_is_to_be_pasted(cast: Cast, alice: Client) -> None:
    form = {"name": "Opening range", "initial_position_size": "2", "target_ticks": "40", "stop_ticks": "20"}
    response = alice.post(reverse("recorder_new"), form)
    page = response.content.decode()
    token = shown_token(page)
    recorder = Recorder.objects.get(owner=cast.alice)
    assert WebhookToken.objects.get(recorder=recorder).token_hash == hash_token(token)
    assert (recorder.initial_position_size, recorder.target_ticks, recorder.stop_ticks) == (2, 40, 20)
    assert response["Cache-Control"] == "no-store"
    assert "curl -X POST" in page
    assert "{{strategy.order.action}}" in page
    assert token not in alice.get(reverse("recorder", args=[recorder.pk])).content.decode()


def test_the_template_to_paste_is_json_once_its_placeholders_are_filled(alice: Client, hers: Chain) -> None:
    page = alice.get(reverse("recorder", args=[hers.recorder.pk]))
    assert json.loads(page.context["alert_template"])["action"] == "{{strategy.order.action}}"


def test_rotating_shows_a_new_address_and_the_old_one_still_works_a_day(alice: Client, hers: Chain) -> None:
    response = alice.post(reverse("recorder_rotate", args=[hers.recorder.pk]))
    token = shown_token(response.content.decode())
    hers.token.refresh_from_db()
    assert hers.token.expires_at is not None
    assert WebhookToken.objects.get(token_hash=hash_token(token)).expires_at is None
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"stop_ticks": "-1"}, "greater than or equal to 0"),
        ({"target_ticks": "1.5"}, "Enter a whole number"),
        ({"initial_position_size": "x"}, "Enter a whole number"),
        ({"stop_ticks": "99999999999"}, "less than or equal to"),
    ],
)
def test_a_mistake_is_explained_beside_its_field(form: dict[str, str], words: str, alice: Client, hers: Chain) -> None:
    good = {"name": "Other", "initial_position_size": "1", "target_ticks": "0", "stop_ticks": "0"}
    response = alice.post(reverse("recorder_new"), good | form)
    assert words in response.content.decode()
    assert Recorder.objects.count() == 1


def test_a_second_recorder_of_one_name_is_refused_in_words(alice: Client, hers: Chain) -> None:
    form = {"name": hers.recorder.name, "initial_position_size": "1", "target_ticks": "0", "stop_ticks": "0"}
    assert "You have a recorder of this name already" in alice.post(reverse("recorder_new"), form).content.decode()
    assert Recorder.objects.count() == 1


def test_a_test_alert_is_a_signal_like_any_other(alice: Client, hers: Chain) -> None:
    path = reverse("recorder_test_alert", args=[hers.recorder.pk])
    first = alice.post(path, {"action": "sell", "ticker": "MES1!", "contracts": "2"})
    made = Signal.objects.exclude(pk=hers.signal.pk).get()
    assert first["Location"] == reverse("signal", args=[made.pk])
    assert (made.action, made.ticker, made.quantity, made.status) == ("sell", "MES1!", Decimal(2), "received")
    alice.post(path, {"action": "sell", "ticker": "MES1!", "contracts": "2"})
    assert Signal.objects.count() == 3


def test_a_test_alert_that_makes_no_sense_is_explained_and_not_sent(alice: Client, hers: Chain) -> None:
    path = reverse("recorder_test_alert", args=[hers.recorder.pk])
    response = alice.post(path, {"action": "hold", "ticker": "", "contracts": "-1"})
    assert response.status_code == 422
    assert response.content.decode().count("field-error") == 3
    assert Signal.objects.count() == 1


def test_an_empty_override_is_inherited_and_says_so(cast: Cast, alice: Client) -> None:
    recorder = RecorderFactory(owner=cast.alice, initial_position_size=3, target_ticks=40, stop_ticks=20)
    account = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice))
    form = {
        "recorder": recorder.pk,
        "account": account.pk,
        "multiplier": "1.5",
        "max_contracts": "9",
        "stop_ticks": "0",
    }
    assert alice.post(reverse("trader_new"), form).status_code == 302
    trader = Trader.objects.get()
    assert (trader.initial_position_size, trader.target_ticks, trader.stop_ticks) == (None, None, 0)
    page = alice.get(reverse("trader_edit", args=[trader.pk])).content.decode()
    assert "inherits 3" in page
    assert "inherits 40" in page
    assert "inherits 40 t" in alice.get(reverse("traders")).content.decode()


def test_following_twice_is_refused_in_words(alice: Client, hers: Chain) -> None:
    form = {"recorder": hers.recorder.pk, "account": hers.account.pk, "multiplier": "1", "max_contracts": "9"}
    assert "follows the recorder already" in alice.post(reverse("trader_new"), form).content.decode()
    assert Trader.objects.count() == 1


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


def test_a_login_that_cannot_be_asked_is_explained_and_its_password_not_shown_again(alice: Client, hers: Chain) -> None:
    form = {"venue": "tradovate", "environment": "sandbox", "username": "nobody", "password": "hunter2-hunter2"}
    page = alice.post(reverse("broker_connect"), form).content.decode()
    assert "field-error" in page
    assert "hunter2-hunter2" not in page


def test_a_time_zone_is_chosen_and_times_follow(cast: Cast, alice: Client, hers: Chain) -> None:
    assert alice.post(reverse("profile"), {"time_zone": "Asia/Tokyo"}).status_code == 302
    assert "JST" in alice.get(reverse("signal", args=[hers.signal.pk])).content.decode()
    assert "Select a valid choice" in alice.post(reverse("profile"), {"time_zone": "Mars/Base"}).content.decode()
    cast.alice.refresh_from_db()
    assert cast.alice.time_zone == "Asia/Tokyo"
