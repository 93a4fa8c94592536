"""`var/demo.json`: how to reach and watch the running demo. It holds a password and tokens, so only we may read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from justtrades.supervisor.files import write_private

# `manage.py demo` lists the venue's accounts; their place in the file is the sandbox's part.
_DEMO_FIELDS = ("email", "password", "webhook_url", "recorder_id", "api_token", "every_venue")

SECOND_RECORDERS = "every-"
"""How the usernames of the demo's second recorder begin."""


class DemoFile:
    """Read, changed and replaced as a whole each time: `manage.py demo` writes its part of it, too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return content

    def record_addresses(self, dashboard_url: str, announced: dict[str, dict[str, Any]]) -> None:
        """`announced` is what the sandboxes said of themselves, by venue; empty when there are none."""
        self._update({"dashboard_url": dashboard_url} | ({"sandbox": _public_part(announced)} if announced else {}))

    def record_demo(self, made: dict[str, Any]) -> None:
        self._update({name: made[name] for name in _DEMO_FIELDS})

    def record_pids(self, pids: dict[str, int | list[int] | None]) -> None:
        if self.read().get("pids") != pids:
            self._update({"pids": pids})

    def _update(self, changes: dict[str, Any]) -> None:
        write_private(self._path, json.dumps({**self.read(), **changes}, indent=2) + "\n")


def _public_part(announced: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`control_url` is the first venue's; each venue's own is beside its addresses."""
    venues = {}
    for venue, content in announced.items():
        addresses = {name: content[venue][name] for name in ("rest_url", "ws_url", "md_url")}
        # The demo makes sign-ins for its second recorder itself: they are nobody else's to take.
        free = [row for row in content[venue]["accounts"] if not row["username"].startswith(SECOND_RECORDERS)]
        venues[venue] = {"control_url": content["control_url"], **addresses, "accounts": free}
    return {"control_url": next(iter(venues.values()))["control_url"], **venues}
