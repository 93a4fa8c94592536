"""A recorder's address, and posts to it through the real door."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.test import Client

from recorders.models import Recorder, Signal
from tests.factories import RecorderFactory, WebhookTokenFactory

BUY = b'{"action": "buy", "ticker": "MNQ1!", "price": "25300", "contracts": "1"}'


@dataclass(frozen=True, slots=True)
class Door:
    recorder: Recorder
    token: str

    @property
    def path(self) -> str:
        return f"/webhook/{self.token}/"

    def post(self, body: bytes = BUY, *, path: str = "", content_type: str = "application/json") -> tuple[int, Any]:
        """The answer's status and JSON; safe to call from any thread."""
        reply = Client().post(path or self.path, data=body, content_type=content_type)
        return reply.status_code, json.loads(reply.content)

    def signals(self) -> list[Signal]:
        return list(Signal.objects.filter(recorder=self.recorder).order_by("received_at"))


def make_door(**recorder: Any) -> Door:
    """A new recorder with one live token."""
    token = secrets.token_urlsafe(32)
    return Door(WebhookTokenFactory(recorder=RecorderFactory(**recorder), token=token).recorder, token)
