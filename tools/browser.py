"""See to it that there is a Chromium for the browser tests; without one they are skipped, with this very hint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """The path of an installed Chromium, None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    if find_browser():
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("no Chromium here: the browser tests are skipped. On Debian: sudo apt-get install chromium")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *words], check=False, env=environment)  # noqa: S607 - the system's own
        if done.returncode != 0:
            print("Chromium could not be installed: the browser tests are skipped")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
