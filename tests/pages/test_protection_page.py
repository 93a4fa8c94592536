"""The protection page: what is without its stop now, and for how long positions were."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from execution.intents import Wanting, wish_exits
from execution.models import IntentSource, Position, UnprotectedSpan
from execution.spans import rearm_wish
from justtrades import clock
from tests.factories import Chain

HTMX = {"HX-Request": "true"}


def text_of(client: Client, **headers: str) -> str:
    answer = client.get(reverse("protection"), headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_empty_page_says_what_would_stand_there(charlie: Client) -> None:
    text = text_of(charlie)
    assert "Every position that wants a stop has it" in text
    assert "Elsewhere each entry's stop follows its fill" in text.replace("&#x27;", "'")


def test_it_says_what_is_without_its_stop_and_what_was_done(alice: Client, charlie: Client, hers: Chain) -> None:
    since = clock.now() - timedelta(seconds=3)
    Position.objects.filter(pk=hers.position.pk).update(unprotected_since=since)
    page = text_of(alice)
    assert "nothing yet" in page
    assert 'data-age-of="' in page
    position = Position.objects.select_related("account__login").get(pk=hers.position.pk)
    wanting = Wanting(IntentSource.RISK_ACTION, rearm_wish(position, since), "REARM", "it is placed again")
    wish_exits(position, wanting, "{}", None)
    panel = text_of(alice, **HTMX)
    assert "it is placed again" in panel
    assert "<html" not in panel, "only the inside of the panel"
    assert "By broker" not in panel, "what costs more is not counted anew with every report"
    assert hers.account.name not in text_of(charlie)


def test_it_sums_up_by_broker(alice: Client, hers: Chain) -> None:
    began = clock.now() - timedelta(minutes=1)
    for seconds in (1, 3):
        UnprotectedSpan.objects.create(
            owner=hers.trader.owner, account=hers.account, trader=hers.trader, venue="tradovate", symbol="MESZ6",
            began_at=began, ended_at=began + timedelta(seconds=seconds), ended_by="protected",
        )  # fmt: skip
    hers.intent.filled_at = hers.intent.protected_at = clock.now()
    hers.intent.save()
    text = text_of(alice)
    assert "2.000 s" in text, "half within"
    assert "2.900 s" in text, "95 % within"
    assert "3.000 s" in text
    assert "Tradovate" in text
    assert '<span class="num">1</span> of <span class="num">1</span> entries' in text
