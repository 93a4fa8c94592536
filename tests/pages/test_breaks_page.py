"""The page of breaks: what each side says, what was done, and one click to settle it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from execution.models import Break, Flatten, Position
from justtrades import clock
from tests.factories import BrokerAccountFactory, BrokerPositionFactory, Chain, OrderFactory
from tests.pages.test_dashboard import text_of
from tests.risk_factories import BreakFactory

PATH = "/breaks/"


def three(hers: Chain) -> tuple[Break, Break, Break]:
    """One that pauses, one that was adopted, one that is over."""
    account = hers.account
    return (
        BreakFactory(account=account),
        BreakFactory(account=account, kind="external_order", ref="900", state="adopted", pauses_entries=False,
                     ours="nothing", theirs="sell 3", text="sell 3 MESZ6 works at the broker and was not placed by us"),
        BreakFactory(account=account, kind="missing_fill", ref="77", state="resolved", pauses_entries=False,
                     text="the broker had filled 1", resolution="the fill was booked once", resolved_at=clock.now()),
    )  # fmt: skip


def test_it_says_what_each_side_says_and_what_was_done(alice: Client, hers: Chain) -> None:
    three(hers)
    text = text_of(alice, PATH)
    for words in (
        "Different quantity", "+2", "+3", "Entries paused", "Take the broker's quantity", "Leave it, and go on",
        "Order that is not ours", "sell 3", "Cancel this order", "Adopted",
        "The fill was booked once", "by itself",
    ):  # fmt: skip
        assert words in text or words.replace("'", "&#x27;") in text, words
    assert text.index("Different quantity") < text.index("Order that is not ours") < text.index("Missing fill")


def test_filters_are_in_the_address_and_nothing_suspected_is_shown(alice: Client, hers: Chain) -> None:
    three(hers)
    BreakFactory(account=hers.account, symbol="NQZ6", is_suspected=True, text="seen once")
    for state, shown in (
        ("open", "Different quantity"),
        ("adopted", "Order that is not ours"),
        ("resolved", "Missing"),
    ):
        text = text_of(alice, f"{PATH}?state={state}")
        assert shown in text
        assert text.count('id="break-') == 1
    assert text_of(alice, f"{PATH}?q=sell").count('id="break-') == 1
    assert "seen once" not in text_of(alice, PATH)
    assert "Nothing matches" in text_of(alice, f"{PATH}?q=nobody")


def test_an_empty_page_says_that_the_books_agree(alice: Client, hers: Chain) -> None:
    text = text_of(alice, PATH)
    assert "Our books and the brokers' agree" in text
    assert "No account was compared yet" in text


def test_one_click_takes_the_brokers_quantity(alice: Client, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    BrokerPositionFactory(account=hers.account, symbol=row.symbol, net_qty=3)
    answer = alice.post(reverse("break_resolve", args=[row.pk]), {"how": "broker"}, follow=True)
    assert "our books say +3 now" in answer.content.decode()
    assert Position.objects.get(pk=hers.position.pk).net_qty == 3
    row.refresh_from_db()
    assert (row.state, row.resolved_by) == ("resolved", hers.recorder.owner)


def test_closing_everything_is_asked_about_first(alice: Client, hers: Chain) -> None:
    row = BreakFactory(account=hers.account)
    address = reverse("break_resolve", args=[row.pk])
    assert f'href="{address}"' in alice.get(PATH).content.decode()
    OrderFactory(intent=hers.intent, client_order_id=None, status="working")
    BrokerPositionFactory(account=BrokerAccountFactory(login=hers.login))
    text = text_of(alice, address)
    assert "closed at market" in text
    assert "Closes 1 position on 1 account, cancels 1 order." in text
    assert f"{hers.account.name}: +1 {hers.position.symbol}, 1 order" in text
    assert not Flatten.objects.exists()
    alice.post(address, {"how": "flatten"})
    assert Flatten.objects.get().account == hers.account


@pytest.mark.parametrize("given", [{"kind": "external_order", "ref": "9"}, {"state": "resolved"}])
def test_closing_is_not_offered_where_it_ends_nothing(given: dict[str, str], alice: Client, hers: Chain) -> None:
    row = BreakFactory(account=hers.account, pauses_entries=False, **given)
    answer = alice.get(reverse("break_resolve", args=[row.pk]), follow=True)
    assert answer.redirect_chain == [(PATH, 302)]
    assert "Closing everything is no way to end that difference" in answer.content.decode()


def test_a_way_that_does_not_exist_is_refused_in_words(alice: Client, hers: Chain) -> None:
    row = BreakFactory(account=hers.account, kind="missing_exit", pauses_entries=False)
    answer = alice.post(reverse("break_resolve", args=[row.pk]), {"how": "leave"}, follow=True)
    assert "ends by itself" in answer.content.decode()
    assert Break.objects.get().state == "open"


def test_more_breaks_cost_no_more_queries(alice: Client, hers: Chain) -> None:
    counts = []
    for count in (1, 10):
        for number in range(count):
            account = BrokerAccountFactory(login=hers.login)
            BreakFactory(account=account, symbol=f"S{number}")
        with CaptureQueriesContext(connection) as asked:
            alice.get(PATH)
        counts.append(len(asked))
    assert counts[0] == counts[1]
