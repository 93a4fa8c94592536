"""The trader's list and form: what is inherited looks so, every setting can be overridden, accounts are routed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from brokers.models import BrokerAccount
from justtrades.testing import Cast
from recorders.settings import FIELDS
from recorders.wording import in_words
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain, RecorderFactory, TraderFactory
from tests.pages.test_forms import typed, words_of
from tests.pages.test_recorder_pages import ROWS, TYPED
from tests.stored import template
from traders.models import Trader


def edit(trader: Trader) -> str:
    return reverse("trader_edit", args=[trader.pk])


def saved(client: Client, trader: Trader, **form: Any) -> Trader:
    response = client.post(edit(trader), typed(client, edit(trader)) | form)
    assert response.status_code == 302, re.findall(r'role="alert">([^<]*)', response.content.decode())
    trader.refresh_from_db()
    return trader


@pytest.fixture
def second(hers: Chain) -> BrokerAccount:
    login = BrokerLoginFactory(owner=hers.recorder.owner, environment="live")
    return BrokerAccountFactory(login=login, name="50K-114")


@pytest.mark.parametrize("name", sorted(TYPED))
def test_each_setting_can_be_overridden_shows_as_own_and_goes_back(name: str, alice: Client, hers: Chain) -> None:
    text, expected = TYPED[name]
    text = "true" if text == "on" else text
    if name == "auto_flat_after_cutoff":
        hers.recorder.template = template(time_windows=[{"start": "08:30", "end": "15:00"}])
        hers.recorder.save()
    trader = saved(alice, hers.trader, **{name: text})
    assert trader.overrides == {name: str(expected) if isinstance(expected, Decimal) else expected}
    assert typed(alice, edit(trader))[name] == [text.removesuffix("0") if "." in text else text]
    assert saved(alice, trader, **{name: ""}).overrides == {}


def test_every_setting_says_what_an_empty_one_inherits(alice: Client, hers: Chain) -> None:
    page = words_of(alice.get(edit(hers.trader)))
    for name in set(FIELDS) - ROWS:
        words = in_words(name, hers.recorder.settings)
        assert f'placeholder="inherits {words}"' in page or f">inherits: {words}<" in page, name
        assert f'data-reset="id_{name}"' in page
    assert "Off: inherits 40 ticks." in page
    assert "Off: inherits always." in page
    hers.recorder.template = template(stop_distance="2.5", stop_unit="points", initial_position_size=0)
    hers.recorder.save()
    page = words_of(alice.get(edit(hers.trader))).replace("&#x27;", "'")
    assert "inherits 2.5 points" in page
    assert "inherits the alert's own" in page


def test_0_is_an_override_and_empty_is_none(alice: Client, hers: Chain) -> None:
    assert saved(alice, hers.trader, stop_distance="0", at_least_one="false").overrides == {
        "stop_distance": "0",
        "at_least_one": False,
    }
    assert typed(alice, edit(hers.trader))["stop_distance"] == ["0"]


def test_targets_are_overridden_as_a_whole(alice: Client, hers: Chain) -> None:
    rows = {"targets-distance": ["10", ""], "targets-unit": ["points", "ticks"], "targets-trim": ["50", ""]}
    assert saved(alice, hers.trader, **rows).overrides == {}
    own = saved(alice, hers.trader, own_targets="on", **rows).overrides["targets"]
    assert [(row["distance"], row["unit"], row["trim"]) for row in own] == [("10", "points", "50")]
    assert "own_targets" in typed(alice, edit(hers.trader))
    none = {"targets-distance": ["", ""], "targets-trim": ["", ""]}
    assert saved(alice, hers.trader, own_targets="on", **none).overrides == {"targets": []}
    form = typed(alice, edit(hers.trader))
    del form["own_targets"]
    alice.post(edit(hers.trader), form)
    hers.trader.refresh_from_db()
    assert hers.trader.overrides == {}


@pytest.mark.usefixtures("ready_broker")
def test_a_new_trader_is_made_with_all_its_accounts(cast: Cast, alice: Client, hers: Chain) -> None:
    recorder = RecorderFactory(owner=cast.alice)
    live = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, environment="live"))
    demo = BrokerAccountFactory(login=BrokerLoginFactory(owner=cast.alice, environment="demo"))
    path = f"{reverse('trader_new')}?recorder={recorder.pk}"
    page = words_of(alice.get(path))
    assert '<span class="tag tag-warn">Live</span>' in page
    assert '<span class="tag tag-info">Demo</span>' in page
    form = typed(alice, path) | {
        "account": str(live.pk),
        "multiplier": "1.5",
        "max_contracts": "9",
        "stop_distance": "8",
    }
    route = {"is_on": "on", "multiplier": "0.5", "max_contracts": "", "custom_ticker": "mnq1!", "convert_size": "on"}
    form |= {f"route-{demo.pk}-{name}": value for name, value in route.items()}
    # Chosen as the first account, it cannot be a further one as well.
    form |= {f"route-{live.pk}-is_on": "on"}
    assert alice.post(path, form).status_code == 302
    lead, further = Trader.objects.filter(recorder=recorder).order_by("created_at")
    assert (lead.account, lead.multiplier, lead.max_contracts) == (live, Decimal("1.5"), 9)
    assert lead.overrides == {"stop_distance": "8"}
    assert (further.account, further.route_of, further.multiplier) == (demo, lead, Decimal("0.5"))
    assert (further.max_contracts, further.custom_ticker, further.convert_size) == (None, "MNQ1!", True)


@pytest.mark.usefixtures("ready_broker")
def test_further_accounts_are_changed_switched_off_and_on(alice: Client, hers: Chain, second: BrokerAccount) -> None:
    on = {f"route-{second.pk}-is_on": "on"}
    saved(alice, hers.trader, **on, **{f"route-{second.pk}-multiplier": "3"})
    route = Trader.objects.get(account=second)
    assert (route.multiplier, route.is_enabled, route.route_of) == (3, True, hers.trader)
    form = typed(alice, edit(hers.trader))
    assert form[f"route-{second.pk}-multiplier"] == ["3"]
    del form[f"route-{second.pk}-is_on"]
    alice.post(edit(hers.trader), form)
    route.refresh_from_db()
    assert not route.is_enabled
    saved(alice, hers.trader, **on, **{f"route-{second.pk}-max_contracts": "4"})
    route.refresh_from_db()
    assert (route.is_enabled, route.multiplier, route.max_contracts) == (True, 3, 4)


def test_a_mistake_in_a_route_saves_nothing_and_stands_beside_it(
    alice: Client, hers: Chain, second: BrokerAccount
) -> None:
    place = f"route-{second.pk}"
    wrong = {f"{place}-is_on": "on", f"{place}-custom_ticker": "FOO1!", f"{place}-multiplier": "x"}
    form = typed(alice, edit(hers.trader)) | {"stop_distance": "33"} | wrong
    page = words_of(alice.post(edit(hers.trader), form))
    assert f'<a class="text-link" href="#{place}">50K-114</a>' in page
    assert "names no product" in page
    assert "Enter a number." in page
    assert 'value="33"' in page
    assert 'value="FOO1!"' in page
    hers.trader.refresh_from_db()
    assert hers.trader.overrides == {}
    assert Trader.objects.count() == 1
    # What is not chosen is not looked at.
    del form[f"{place}-is_on"]
    assert alice.post(edit(hers.trader), form).status_code == 302


def test_overrides_that_contradict_the_recorder_are_refused_in_words(alice: Client, hers: Chain) -> None:
    form = typed(alice, edit(hers.trader)) | {"auto_flat_after_cutoff": "true"}
    page = words_of(alice.post(edit(hers.trader), form))
    assert "Needs a time window" in page or "needs a time window" in page
    hers.trader.refresh_from_db()
    assert hers.trader.overrides == {}


def test_an_account_that_follows_by_itself_is_not_offered_twice(
    alice: Client, hers: Chain, second: BrokerAccount
) -> None:
    other = TraderFactory(recorder=hers.recorder, account=second)
    page = words_of(alice.get(edit(hers.trader)))
    assert f"route-{second.pk}-is_on" not in page
    assert "by itself" in page
    assert edit(other) in page


def test_nobody_elses_account_is_offered(alice: Client, hers: Chain, his: Chain) -> None:
    page = alice.get(f"{reverse('trader_new')}?recorder={hers.recorder.pk}").content.decode()
    assert str(his.account.pk) not in page
    form = {f"route-{his.account.pk}-is_on": "on"}
    saved(alice, hers.trader, **form)
    assert Trader.objects.filter(recorder=hers.recorder).count() == 1


@pytest.mark.parametrize("field", ["recorder", "account"])
def test_charlie_cannot_make_a_trader_of_alices(field: str, charlie: Client, cast: Cast, hers: Chain) -> None:
    own = RecorderFactory(owner=cast.charlie)
    given = {"recorder": str(own.pk), "account": str(BrokerAccountFactory(login__owner=cast.charlie).pk)}
    response = charlie.post(reverse("trader_new"), given | {field: str(getattr(hers, field).pk)})
    assert response.status_code == (404 if field == "recorder" else 200)
    assert Trader.objects.count() == 1
    assert charlie.get(f"{reverse('trader_new')}?recorder={hers.recorder.pk}").status_code == 404


def test_the_recorder_is_asked_for_first(cast: Cast, alice: Client, hers: Chain) -> None:
    other = RecorderFactory(owner=cast.alice)
    page = words_of(alice.get(f"{reverse('trader_new')}?account={hers.account.pk}"))
    for recorder in (hers.recorder, other):
        assert f"?recorder={recorder.pk}&amp;account={hers.account.pk}" in page
    assert f'<option value="{hers.account.pk}" selected>' in words_of(
        alice.get(f"{reverse('trader_new')}?recorder={other.pk}&account={hers.account.pk}")
    )
    for nonsense in ("x", "00000000-0000-0000-0000-000000000000"):
        assert alice.get(f"{reverse('trader_new')}?recorder={nonsense}").status_code == 404


def test_a_further_account_has_its_size_and_nothing_else(alice: Client, hers: Chain, second: BrokerAccount) -> None:
    route = TraderFactory(recorder=hers.recorder, account=second, route_of=hers.trader)
    page = words_of(alice.get(edit(route)))
    assert edit(hers.trader) in page
    assert 'name="stop_distance"' not in page
    assert alice.post(edit(route), {"multiplier": "2", "custom_ticker": "FOO"}).status_code == 200
    assert (
        alice.post(edit(route), {"multiplier": "2", "custom_ticker": "MNQ1!", "convert_size": "on"}).status_code == 302
    )
    route.refresh_from_db()
    assert (route.multiplier, route.max_contracts, route.custom_ticker, route.convert_size) == (2, None, "MNQ1!", True)


@pytest.mark.parametrize(
    ("ticker", "words"),
    [("MNQ1!", "1 NQ is 10 MNQ"), ("CME_MINI:NQ1!", "10 MNQ are 1 NQ"), ("FOO1!", "names no product"), ("", "")],
)
def test_a_conversion_is_offered_within_a_family(ticker: str, words: str, alice: Client, hers: Chain) -> None:
    said = words_of(alice.get(reverse("conversion"), {"route-x-custom_ticker": ticker}))
    assert words in said
    assert ("conversion-words" in said) == (" is " in words or " are " in words)
    hers.trader.custom_ticker = ticker
    hers.trader.save()
    page = words_of(alice.get(edit(hers.trader)))
    assert "conversion-words" in page if "conversion-words" in said else "conversion-words" not in page


def test_a_conversion_without_a_ticker_is_dropped_with_it(alice: Client, hers: Chain) -> None:
    trader = saved(alice, hers.trader, custom_ticker="MNQ1!", convert_size="on")
    assert (trader.custom_ticker, trader.convert_size) == ("MNQ1!", True)
    trader = saved(alice, trader, custom_ticker="")
    assert (trader.custom_ticker, trader.convert_size) == ("", False)


def test_the_list_is_grouped_and_further_accounts_stand_under_their_trader(
    alice: Client, hers: Chain, second: BrokerAccount
) -> None:
    hers.trader.overrides = {"stop_distance": "30"}
    hers.trader.save()
    route = TraderFactory(
        recorder=hers.recorder, account=second, route_of=hers.trader, multiplier=Decimal(2), max_contracts=5,
        custom_ticker="MNQ1!", is_enabled=False,
    )  # fmt: skip
    before = TraderFactory(recorder=hers.recorder, account__login=hers.login, account__name="A-FIRST")
    other = TraderFactory(recorder__owner=hers.recorder.owner, recorder__name="Zebra")
    response = alice.get(reverse("traders"))
    assert [row["trader"].pk for row in response.context["rows"]] == [before.pk, hers.trader.pk, route.pk, other.pk]
    page = words_of(response)
    assert page.index(f"with {hers.account.name}") > page.index('class="further"')
    row = page[page.index('class="further"') :].partition("</tr>")[0]
    for words in (
        "30 ticks",
        "MNQ1!",
        "\N{MULTIPLICATION SIGN} 2",
        ">5<",
        ">Off<",
        '<span class="sub">inherits</span>40 ticks',
    ):
        assert words in row, words
    assert "inherits</span>30 ticks" not in row


def test_settings_that_clash_are_said_in_the_list(alice: Client, hers: Chain) -> None:
    hers.trader.overrides = {"auto_flat_after_cutoff": True}
    hers.trader.save()
    assert "needs a time window" in words_of(alice.get(reverse("traders")))
    assert alice.get(edit(hers.trader)).status_code == 200


def test_more_further_accounts_cost_no_more_queries(alice: Client, hers: Chain) -> None:
    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as made:
            alice.get(path)
        return len(made)

    paths = (reverse("traders"), edit(hers.trader))
    few = [count(path) for path in paths]
    for _ in range(12):
        account = BrokerAccountFactory(login=BrokerLoginFactory(owner=hers.recorder.owner))
        TraderFactory(recorder=hers.recorder, account=account, route_of=hers.trader)
    assert [count(path) for path in paths] == few
