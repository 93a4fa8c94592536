"""What the owner of the recorder can see, over the product's own API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

ANSWER_TIMEOUT_S = 5
PAGE = 200
LIVE_INTENTS = ("new", "cleared", "dispatched", "unknown")
PATIENCE_S = 30.0
_RETRY_S = 0.3

Row = dict[str, Any]


class Owner:
    """The API as its owner uses it. What cannot be reached is asked again for `PATIENCE_S`, then raises."""

    def __init__(self, base_url: str, token: str, recorder_id: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Token {token}"}
        self._recorder_id = recorder_id

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self._base_url}/ready", timeout=ANSWER_TIMEOUT_S).ok
        except requests.RequestException:
            return False

    def signals(self, since: datetime) -> dict[str, Row]:
        rows = self._list("signals", {"recorder": self._recorder_id, "since": since.isoformat()})
        return {row["id"]: row for row in rows}

    def intents(self, since: datetime) -> list[Row]:
        """Oldest first."""
        rows = self._list("intents", {"recorder": self._recorder_id, "since": since.isoformat()})
        return sorted(rows, key=lambda row: (row["created_at"], row["id"]))

    def accounts(self) -> dict[str, str]:
        """The broker's account id by ours."""
        return {row["id"]: str(row["broker_id"]) for row in self._list("accounts", {})}

    def unfinished(self) -> dict[str, int]:
        """How much is still under way; empty when the product is quiet."""
        counts = {
            "signals waiting": self._count("signals", {"recorder": self._recorder_id, "status": "received"}),
            "intents under way": self._count("intents", {"recorder": self._recorder_id, "status": LIVE_INTENTS}),
            "orders unknown": self._count("orders", {"recorder": self._recorder_id, "status": "unknown"}),
        }
        return {name: count for name, count in counts.items() if count > 0}

    def _count(self, path: str, query: Mapping[str, Any]) -> int:
        return int(self._get(path, {**query, "limit": 1})["count"])

    def _list(self, path: str, query: Mapping[str, Any]) -> list[Row]:
        rows: list[Row] = []
        while True:
            page = self._get(path, {**query, "limit": PAGE, "offset": len(rows)})
            rows += page["results"]
            if not page["results"] or len(rows) >= page["count"]:
                return rows

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = requests.get(
                    f"{self._base_url}/api/{path}/", params=query, headers=self._headers, timeout=ANSWER_TIMEOUT_S
                )
                answer.raise_for_status()
                return answer.json()
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)
