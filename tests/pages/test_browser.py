"""The pages in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from brokers.quotes.cache import Quote, store
from execution.feed import announce, sequence_key
from execution.models import IntentStatus
from justtrades import clock
from justtrades.testing import PASSWORD, Cast
from recorders.models import SignalStatus
from tests.factories import Chain, PositionFactory, SignalFactory, TraderFactory
from tests.pages.conftest import Screen

pytestmark = pytest.mark.browser

OpenScreen = Callable[..., Screen]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>bold</b>{{7*7}}"
PATHS = (
    "/", "/signals/", "/positions/", "/orders/", "/risk/", "/risk/protection/", "/breaks/", "/recorders/",
    "/recorders/new/", "/traders/",
    "/traders/new/", "/brokers/", "/brokers/connect/", "/settings/", "/accounts/2fa/", "/accounts/password/change/",
    "/nowhere/",
)  # fmt: skip


def paths_of(hers: Chain) -> list[str]:
    """Every page that Alice can open, those of her rows included."""
    rows = (("signal", hers.signal), ("recorder", hers.recorder), ("recorder_edit", hers.recorder))
    return [
        *PATHS,
        *(reverse(name, args=[row.pk]) for name, row in rows),
        reverse("trader_edit", args=[hers.trader.pk]),
    ]


def wait_until_live(page: Page) -> None:
    expect(page.locator("[data-live-state]").first).to_have_attribute("data-live-state", "live")


def test_somebody_new_signs_up_waits_for_approval_and_signs_in_again(screen_of: OpenScreen) -> None:
    screen = screen_of(None)
    page = screen.open("/accounts/signup/")
    page.get_by_label("Email").fill("dora@example.com")
    for label in ("Password", "Password (again)"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()
    screen.open("/settings/").get_by_role("button", name="Sign out").click()
    screen.open("/accounts/login/").get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Positions")).to_be_visible()
    wait_until_live(page)
    assert screen.alarms == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_scrolls_sideways_on_a_phone(theme: str, screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    screen = screen_of(cast.alice, width=390, height=844)
    screen.page.add_init_script(f"localStorage.setItem('jt-theme', '{theme}')")
    for path in paths_of(hers):
        page = screen.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert screen.alarms == []


def test_hostile_text_stays_text_everywhere(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    hers.recorder.name = hers.account.name = hers.login.username = HOSTILE[:64]
    hers.login.state, hers.login.state_detail = "down", HOSTILE
    hers.signal.ticker, hers.signal.action = HOSTILE[:64], "<b>x</b>"
    hers.signal.status, hers.signal.reason_code = SignalStatus.REFUSED, "<i>CODE</i>"
    hers.signal.reason_text, hers.signal.body = HOSTILE, HOSTILE.encode()
    hers.intent.status, hers.intent.reason_text = IntentStatus.DENIED, HOSTILE
    hers.order.reject_text, hers.order.status = HOSTILE, "rejected"
    for row in (hers.recorder, hers.account, hers.login, hers.signal, hers.intent, hers.order):
        row.save()
    screen = screen_of(cast.alice)
    for path in paths_of(hers):
        page = screen.open(path)
        assert page.locator("main b, main i, main img").count() == 0, path
    page = screen.open("/")
    wait_until_live(page)
    announce(cast.alice.pk, "signals", "orders", "positions", "connections")
    page.locator(".signals .row-link").first.click()
    expect(page.locator("#drawer #alert-body")).to_have_text(HOSTILE)
    assert screen.alarms == []


def test_news_put_a_new_signal_on_the_page(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open("/")
    wait_until_live(page)
    made = SignalFactory(recorder=hers.recorder, action="sell", ticker="MNQ1!")
    announce(cast.alice.pk, "signals")
    expect(page.locator(f"#signal-{made.pk}")).to_contain_text("Sell MNQ1!")


def test_a_gap_in_the_numbers_brings_a_snapshot(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open("/")
    wait_until_live(page)
    trader = TraderFactory(recorder=hers.recorder, owner=cast.alice)
    made = PositionFactory(trader=trader)
    # As if the message that said so had been dropped on its way: only the count went up.
    with redis.Redis.from_url(settings.CHANNELS_URL) as counters:
        counters.incr(sequence_key(cast.alice.pk))
    expect(page.locator(f"#position-{made.pk}")).to_be_visible()


def test_open_pnl_moves_without_a_reload(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open("/")
    wait_until_live(page)
    row = page.locator(f"#position-{hers.position.pk}")
    for price, text in (("6031.25", "+$50.00"), ("6011.25", "\N{MINUS SIGN}$50.00")):
        store([Quote("MESZ6", Decimal(price), None, None, clock.now())])
        expect(row.locator("[data-cell=open]")).to_have_text(text)
        expect(page.locator("[data-total]")).to_have_text(text)


def test_a_number_that_no_longer_moves_looks_old(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    store([Quote("MESZ6", Decimal("6031.25"), None, None, clock.now().replace(year=2020))])
    page = screen_of(cast.alice).open("/")
    cell = page.locator(f"#position-{hers.position.pk} [data-cell=open]")
    expect(cell).to_have_class("pnl up is-stale")
    expect(cell).to_have_attribute("title", re.compile("Last update .* ago"))


def test_a_lost_socket_is_said_and_heals(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    screen = screen_of(cast.alice)
    sockets: list[Any] = []

    def relay(ws: Any) -> None:
        sockets.append(ws)
        ws.connect_to_server()

    screen.page.route_web_socket("**/ws/live/", relay)
    page = screen.open("/")
    wait_until_live(page)
    sockets[0].close()
    expect(page.locator("[data-live-state]").first).not_to_have_attribute("data-live-state", "live")
    made = SignalFactory(recorder=hers.recorder, ticker="MGC1!")
    expect(page.locator(f"#signal-{made.pk}")).to_be_visible(timeout=15_000)
    wait_until_live(page)


def test_the_keyboard_goes_places(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open("/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/traders/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search traders")).to_be_focused()


def test_the_theme_is_chosen_once(screen_of: OpenScreen, cast: Cast) -> None:
    page = screen_of(cast.alice).open("/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Theme").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_focus_and_typing_survive_a_refresh(screen_of: OpenScreen, cast: Cast, hers: Chain) -> None:
    page = screen_of(cast.alice).open("/")
    wait_until_live(page)
    link = page.locator(f"#signal-{hers.signal.pk} .row-link")
    link.focus()
    made = SignalFactory(recorder=hers.recorder)
    announce(cast.alice.pk, "signals")
    expect(page.locator(f"#signal-{made.pk}")).to_be_visible()
    expect(link).to_be_focused()
