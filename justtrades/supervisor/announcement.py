"""What the sandbox says about itself in one JSON line when it listens. It names passwords, so it is never shown."""

from __future__ import annotations

import asyncio
import json
from typing import Any

TIMEOUT_S = 60.0


class Announcement:
    """Catches the line from the sandbox's output; after a restart of the sandbox, the new one."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()
        self._content: dict[str, Any] = {}

    def catches(self, line: str) -> bool:
        if not line.startswith("{") or '"control_url"' not in line:
            return False
        self._content = json.loads(line)
        self._heard.set()
        return True

    async def content(self) -> dict[str, Any]:
        """Waits for the first one. Raises RuntimeError when the sandbox stays silent."""
        try:
            await asyncio.wait_for(self._heard.wait(), TIMEOUT_S)
        except TimeoutError:
            raise RuntimeError(f"the sandbox announced nothing within {TIMEOUT_S:.0f} s") from None
        return self._content


def sandbox_settings(announced: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What the sandboxes announced, by venue, as settings of the other processes."""
    found: dict[str, str] = {}
    for venue, content in announced.items():
        name = f"SANDBOX_{venue.upper()}"
        found[f"{name}_CONTROL_URL"] = content["control_url"]
        for address in ("rest_url", "ws_url", "md_url"):
            found[f"{name}_{address.upper()}"] = content[venue][address]
    if "tradovate" in announced:
        found["SANDBOX_CONTROL_URL"] = found.pop("SANDBOX_TRADOVATE_CONTROL_URL")
    return found
