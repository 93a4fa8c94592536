"""Alice and Bob have data of their own, Charlie has none; browsers and sockets speak to a real live process.

Django is imported inside the fixtures: this file is read before its settings stand when only this folder is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from brokers.sandbox.testing import RunningSandbox, running_sandbox
from justtrades.supervisor.ports import any_free_port

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User
    from justtrades.testing import Cast
    from tests.factories import Chain

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def until(check: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first truthy answer of `check`; fails when none has come in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(0.02)
    pytest.fail(f"nothing came within {seconds} s")


@pytest.fixture
def cast(db: None) -> Cast:
    from justtrades.testing import make_cast

    return make_cast()


@pytest.fixture
def hers(cast: Cast) -> Chain:
    """Alice's rows."""
    from tests.factories import make_chain

    return make_chain(cast.alice)


@pytest.fixture
def his(cast: Cast) -> Chain:
    """Bob's rows."""
    from tests.factories import make_chain

    return make_chain(cast.bob)


@pytest.fixture
def alice(cast: Cast) -> Client:
    from justtrades.testing import browser_of

    return browser_of(cast.alice)


@pytest.fixture
def charlie(cast: Cast) -> Client:
    from justtrades.testing import browser_of

    return browser_of(cast.charlie)


@pytest.fixture
def ready_broker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, str]]:
    """Every account may trade; what the broker was asked, as account and symbol."""
    from tests.ready import let_every_account_trade

    return let_every_account_trade(monkeypatch, settings)


@pytest.fixture(autouse=True)
def no_quotes(db: None) -> None:
    """Quotes outlive a test's rows; each test says which there are."""
    from brokers.quotes import cache

    for key in cache.client().scan_iter(f"{cache._KEY}:*"):
        cache.client().delete(key)


@dataclass(frozen=True, slots=True)
class LiveServer:
    """The live process, which also serves the pages, on a port of its own."""

    url: str
    pid: int

    @property
    def ws_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/ws/live/"


@pytest.fixture(scope="session")
def broker_sandbox() -> Iterator[RunningSandbox]:
    """A broker to connect to, with five logins of one account each."""
    with running_sandbox(accounts=5) as running:
        yield running


@pytest.fixture
def sandbox(broker_sandbox: RunningSandbox, settings: Any) -> RunningSandbox:
    """The broker, where this process looks for it."""
    urls = (broker_sandbox.rest_url, broker_sandbox.ws_url, broker_sandbox.md_url)
    settings.BROKER_ENDPOINTS = {**settings.BROKER_ENDPOINTS, ("tradovate", "sandbox"): urls}
    return broker_sandbox


@pytest.fixture(scope="session")
def live_process(django_db_setup: None, broker_sandbox: RunningSandbox) -> Iterator[LiveServer]:
    port = any_free_port()
    command = [sys.executable, "-m", "uvicorn", "justtrades.asgi:application", "--port", str(port)]
    command += ["--log-level=error", "--lifespan=off", "--timeout-graceful-shutdown=1"]
    environment = {
        **os.environ,
        "DATABASE_URL": _test_database_url(),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_TRADOVATE_REST_URL": broker_sandbox.rest_url,
        "SANDBOX_TRADOVATE_WS_URL": broker_sandbox.ws_url,
        "SANDBOX_TRADOVATE_MD_URL": broker_sandbox.md_url,
    }
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        server = LiveServer(f"http://127.0.0.1:{port}", process.pid)
        try:
            until(lambda: _answers(server), 30)
            yield server
        finally:
            process.terminate()


@pytest.fixture
def live(live_process: LiveServer, transactional_db: None) -> LiveServer:
    return live_process


def _answers(server: LiveServer) -> bool:
    try:
        return requests.get(f"{server.url}/accounts/login/", timeout=5).ok
    except requests.ConnectionError:
        return False


def _test_database_url() -> str:
    from django.db import connection

    given = connection.settings_dict
    place = f"{quote(given['USER'])}:{quote(given['PASSWORD'])}@{given['HOST']}:{given['PORT']}"
    return f"postgresql://{place}/{given['NAME']}"


def session_cookie(user: User) -> str:
    """The value of the session cookie of a browser in which the user is signed in."""
    from django.conf import settings

    from justtrades.testing import browser_of

    return browser_of(user).cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    # Playwright runs an event loop in this thread, and Django would refuse to query beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


class Screen:
    """A signed-in browser window that notes every dialog, script error and refusal of the content security policy."""

    def __init__(self, context: BrowserContext, server: LiveServer) -> None:
        self.context = context
        self.server = server
        self.alarms: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("dialog", self._note_dialog)
        self.page.on("pageerror", lambda error: self.alarms.append(f"script error: {error}"))
        self.page.on("console", lambda said: self._note_console(said.text))

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.server.url}{path}")
        return self.page

    def _note_dialog(self, dialog: Any) -> None:
        self.alarms.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note_console(self, text: str) -> None:
        if "Content Security Policy" in text or "violates" in text:
            self.alarms.append(text)


@pytest.fixture
def screen_of(chromium: Browser, live: LiveServer) -> Iterator[Callable[..., Screen]]:
    opened: list[BrowserContext] = []

    def open_screen(user: User | None, width: int = 1440, height: int = 900) -> Screen:
        context = chromium.new_context(viewport={"width": width, "height": height})
        opened.append(context)
        if user is not None:
            host = urlsplit(live.url).hostname
            cookie = {"name": "sessionid", "value": session_cookie(user), "domain": host, "path": "/"}
            context.add_cookies([cookie])
        return Screen(context, live)

    yield open_screen
    for context in opened:
        context.close()
