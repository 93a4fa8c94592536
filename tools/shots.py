"""Photograph every page of the running demo into docs/screenshots: desktop and phone, dark and light.

Reads var/demo.json, which `make run` writes: the address and the sign-in of the demo.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "var" / "demo.json"
TARGET = ROOT / "docs" / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}, "device_scale_factor": 1},
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
PAGES = {
    "dashboard": "/",
    "positions": "/positions/",
    "signals": "/signals/",
    "orders": "/orders/",
    "risk": "/risk/",
    "risk-limit": "/risk/limits/new/",
    "risk-switches": "/risk/switches/",
    "risk-alarms": "/risk/alarms/",
    "risk-history": "/risk/history/",
    "recorders": "/recorders/",
    "traders": "/traders/",
    "brokers": "/brokers/",
    "broker-picker": "/brokers/connect/",
    "broker-connect": "/brokers/connect/projectx/",
    "recorder": "/recorders/{recorder_id}/",
    "recorder-settings": "/recorders/{recorder_id}/edit/",
    "trader-new": "/traders/new/?recorder={recorder_id}",
}
SETTLE_MS = 1200
TRACED = 2
"""Which signal's trace, counted from the newest: for the pictures of the README, an add."""


def main() -> int:
    if not DEMO.exists():
        print("no demo is running here: `make run` in another terminal first")
        return 1
    demo = json.loads(DEMO.read_text())
    TARGET.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        for shot in photograph(browser, demo):
            print(shot.relative_to(ROOT))
        browser.close()
    return 0


def photograph(browser: Browser, demo: dict[str, Any]) -> Iterator[Path]:
    root = demo["dashboard_url"].rstrip("/")
    for size, options in SIZES.items():
        for theme in ("dark", "light"):
            context = browser.new_context(**options)
            context.add_init_script(f"localStorage.setItem('jt-theme', '{theme}')")
            page = sign_in(context, root, demo)
            for name, path in PAGES.items():
                page.goto(f"{root}{path.format(**demo)}")
                yield keep(page, f"{name}-{size}-{theme}")
            page.goto(f"{root}/signals/")
            if page.locator(".signals .row-link").count() > 0:
                page.locator(".signals .row-link").first.click()
                yield keep(page, f"signal-{size}-{theme}")
                page.goto(f"{root}/signals/")
                page.locator("a[href*='/traders/']", has_text="trace").nth(TRACED).click()
                page.locator("td a[href*='/traders/']").first.click()
                page.wait_for_url("**/signals/*/traders/*/")
                yield keep(page, f"trace-{size}-{theme}")
            context.close()


def sign_in(context: BrowserContext, root: str, demo: dict[str, Any]) -> Page:
    page = context.new_page()
    page.goto(f"{root}/accounts/login/")
    page.get_by_label("Email").fill(demo["email"])
    page.get_by_label("Password").fill(demo["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{root}/")
    return page


def keep(page: Page, name: str) -> Path:
    page.wait_for_timeout(SETTLE_MS)
    path = TARGET / f"{name}.png"
    page.screenshot(path=path)
    return path


if __name__ == "__main__":
    sys.exit(main())
