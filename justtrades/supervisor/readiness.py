"""Waiting for the product to say that it is ready, as an outsider would."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request

_POLL_S = 0.2
_ANSWER_TIMEOUT_S = 2.0


async def until_ready(base_url: str, timeout_s: float) -> str | None:
    """None as soon as GET /ready answers 200; after `timeout_s` what stood in the way."""
    deadline = time.monotonic() + timeout_s
    while (obstacle := await asyncio.to_thread(_obstacle, base_url)) is not None:
        if time.monotonic() > deadline:
            return obstacle
        await asyncio.sleep(_POLL_S)
    return None


def _obstacle(base_url: str) -> str | None:
    try:
        with urllib.request.urlopen(f"{base_url}/ready", timeout=_ANSWER_TIMEOUT_S):  # noqa: S310 - our own http://
            return None
    except urllib.error.HTTPError as error:
        return _unready_parts(error.read())
    except OSError as error:
        return str(error)


def _unready_parts(body: bytes) -> str:
    try:
        parts = json.loads(body)["parts"]
    except (ValueError, KeyError, TypeError):
        return "GET /ready did not answer 200"
    return "not ready: " + ", ".join(name for name, part in parts.items() if not part["ok"])
