"""The settings forms in a real browser: rows that come and go, and a preview that follows what is typed."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from brokers.sandbox.testing import RunningSandbox
from justtrades.testing import Cast
from recorders.models import Recorder
from tests.factories import BrokerAccountFactory, BrokerLoginFactory, Chain
from tests.pages.test_browser import OpenScreen
from tests.ready import sign_in_of
from tests.stored import template
from traders.models import Trader

pytestmark = pytest.mark.browser

SIZES = [(1440, 900), (390, 844)]


def legs(page: Page, row: int) -> list[str]:
    """The contracts of a leg for sizes 1 to 10."""
    return page.locator("#leg-preview tbody tr").nth(row).locator("td").all_inner_texts()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_targets_are_added_and_removed_and_the_preview_follows(
    width: int, height: int, screen_of: OpenScreen, cast: Cast, hers: Chain
) -> None:
    screen = screen_of(cast.alice, width=width, height=height)
    page = screen.open(reverse("recorder_edit", args=[hers.recorder.pk]))
    preview, rows = page.locator("#leg-preview"), page.locator("#rows_targets [data-row]")
    expect(preview).to_contain_text("25,010.00")
    expect(rows).to_have_count(1)
    rows.first.get_by_label("Closes").fill("50")
    expect(preview).to_contain_text("Rides")
    page.get_by_role("button", name="Add a target").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1).get_by_label("Distance")).to_be_focused()
    page.keyboard.type("80")
    expect(preview).to_contain_text("25,020.00")
    expect(preview).not_to_contain_text("Rides")
    assert legs(page, 0) == list("1122334455")
    assert legs(page, 1) == ["·", *"112233445"]
    page.get_by_label("Ticker", exact=True).fill("MES1!")
    page.get_by_label("Side", exact=True).select_option("sell")
    page.get_by_label("Filled at").fill("6000")
    expect(preview).to_contain_text("5,980.00")
    expect(preview).to_contain_text("6,005.00")
    rows.first.get_by_role("button", name="Remove this target").click()
    expect(rows).to_have_count(1)
    expect(preview).not_to_contain_text("5,990.00")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It counts from the next alert.")).to_be_visible()
    targets = Recorder.objects.get(pk=hers.recorder.pk).settings.targets
    assert [(target.distance, target.trim) for target in targets] == [(80, None)]
    assert screen.alarms == []


def test_the_preview_waits_for_what_cannot_be_taken(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open(reverse("recorder_edit", args=[hers.recorder.pk]))
    expect(page.locator("#leg-preview table")).to_be_visible()
    page.get_by_label("Stop", exact=True).fill("far")
    expect(page.locator("#leg-preview")).to_contain_text("Waits for Stop")
    page.get_by_label("Stop", exact=True).fill("4")
    expect(page.locator("#leg-preview")).to_contain_text("24,999.00")


def test_enter_in_the_preview_saves_nothing(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open(reverse("recorder_edit", args=[hers.recorder.pk]))
    path = page.url
    page.get_by_label("Filled at").fill("100")
    page.keyboard.press("Enter")
    expect(page.locator("#leg-preview")).to_contain_text("filled at 100.00")
    assert page.url == path


def test_there_are_no_more_rows_than_can_be_saved(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open(reverse("recorder_edit", args=[hers.recorder.pk]))
    page.get_by_text("Hours, directions").click()
    button = page.get_by_role("button", name="Add a window")
    for _ in range(5):
        button.click()
    expect(button).to_be_hidden()
    page.get_by_role("button", name="Remove this window").first.click()
    expect(button).to_be_visible()


def test_a_mistake_that_is_folded_away_is_found_from_the_top(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open(reverse("recorder_edit", args=[hers.recorder.pk]))
    page.get_by_text("Market or limit").click()
    page.get_by_label("Delay, seconds").fill("99")
    page.get_by_role("button", name="Save").click()
    page.locator("details.more", has_text="How it gets in").evaluate("element => (element.open = false)")
    page.get_by_role("link", name="Delay, seconds").click()
    expect(page.get_by_label("Delay, seconds")).to_be_focused()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_trader_overrides_and_goes_back(
    width: int, height: int, screen_of: OpenScreen, cast: Cast, hers: Chain
) -> None:
    hers.recorder.template = template(stop_distance=12)
    hers.recorder.save()
    screen = screen_of(cast.alice, width=width, height=height)
    page = screen.open(reverse("trader_edit", args=[hers.trader.pk]))
    stop, back = page.get_by_label("Stop", exact=True), page.get_by_role("button", name="inherit Stop", exact=True)
    preview = page.locator("#leg-preview")
    expect(stop).to_have_attribute("placeholder", "inherits 12 ticks")
    expect(preview).to_contain_text("24,997.00")
    expect(back).to_be_hidden()
    stop.fill("20")
    expect(preview).to_contain_text("24,995.00")
    back.click()
    expect(stop).to_be_focused()
    expect(preview).to_contain_text("24,997.00")
    page.get_by_label("Own targets").check()
    page.get_by_role("button", name="Add a target").click()
    page.keyboard.type("60")
    expect(preview).to_contain_text("25,015.00")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It counts from the next signal.")).to_be_visible()
    hers.trader.refresh_from_db()
    assert list(hers.trader.overrides) == ["targets"]
    assert screen.alarms == []


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_trader_takes_another_account(
    width: int, height: int, screen_of: OpenScreen, cast: Cast, hers: Chain, broker_sandbox: RunningSandbox
) -> None:
    login = BrokerLoginFactory(owner=cast.alice, **sign_in_of(broker_sandbox.accounts[0]))
    account = BrokerAccountFactory(login=login, name="SIM-2", broker_id=str(broker_sandbox.accounts[0].id))
    screen = screen_of(cast.alice, width=width, height=height)
    page = screen.open(reverse("trader_edit", args=[hers.trader.pk]))
    route = page.locator(f"#route-{account.pk}")
    expect(route.get_by_label("Multiplier")).to_be_hidden()
    route.get_by_label("SIM-2").check()
    route.get_by_label("Multiplier").fill("2")
    expect(route.get_by_role("checkbox", name="Convert the size")).to_be_hidden()
    route.get_by_label("Trades instead").fill("MNQ1!")
    expect(route).to_contain_text("1 NQ is 10 MNQ")
    route.get_by_role("checkbox", name="Convert the size").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It counts from the next signal.")).to_be_visible()
    made = Trader.objects.get(account=account)
    assert (made.multiplier, made.custom_ticker, made.convert_size) == (2, "MNQ1!", True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert screen.alarms == []
