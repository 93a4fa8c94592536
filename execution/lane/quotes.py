"""Keeps quotes flowing for the contracts that somebody of the lane holds. A screen's number, never an order's."""

from __future__ import annotations

from typing import Any

from execution.lane.runtime import Lane


class QuoteKeeper:
    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._feed: Any = None

    def refresh(self) -> None:
        """Subscribe to what is held now."""

    def stop(self) -> None:
        if self._feed is not None:
            self._feed.stop()
