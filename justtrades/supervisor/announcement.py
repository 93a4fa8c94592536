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


def sandbox_settings(content: dict[str, Any]) -> dict[str, str]:
    """The announcement as settings of the other processes."""
    venue = content["tradovate"]
    return {
        "SANDBOX_CONTROL_URL": content["control_url"],
        "SANDBOX_TRADOVATE_REST_URL": venue["rest_url"],
        "SANDBOX_TRADOVATE_WS_URL": venue["ws_url"],
        "SANDBOX_TRADOVATE_MD_URL": venue["md_url"],
    }
