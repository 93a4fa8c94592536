"""Streams through the real door: what is sent again changes nothing, and all end where the strategy does."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from execution.planner import plan_recorder
from justtrades import clock
from recorders.models import Recorder, Signal
from tests.execution.desk import fill_all, net, recorder_with
from tests.factories import WebhookTokenFactory
from traders.models import Trader

pytestmark = pytest.mark.django_db
FOLLOW = {"initial_position_size": 0, "add_position_size": 0}


def side_of(position: int) -> str:
    return "flat" if position == 0 else "long" if position > 0 else "short"


def stream(rng: random.Random, length: int) -> list[tuple[int, bytes]]:
    """A strategy's alerts, several in some seconds, each with where it then stands."""
    position, at, alerts = 0, clock.now() - timedelta(seconds=length), []
    for _ in range(length):
        after = rng.choice([number for number in range(-4, 5) if number != position])
        at += timedelta(seconds=rng.choice([0, 1]))
        alert: dict[str, Any] = {
            "ticker": "MNQ1!",
            "action": "buy" if after > position else "sell",
            "contracts": str(abs(after - position)),
            "position": side_of(after),
            "position_size": str(abs(after)),
            "prev_position": side_of(position),
            "prev_position_size": str(abs(position)),
            "fired_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order_id": str(len(alerts)),
        }
        alerts.append((after, json.dumps(alert).encode()))
        position = after
    return alerts


def followed(multipliers: list[str]) -> tuple[Recorder, list[Trader], str]:
    recorder, traders = recorder_with(len(multipliers), settings=FOLLOW)
    for trader, multiplier in zip(traders, multipliers, strict=True):
        Trader.objects.filter(pk=trader.pk).update(multiplier=Decimal(multiplier), max_contracts=7)
    token = WebhookTokenFactory(recorder=recorder, token="t" * 43)
    assert token.recorder == recorder
    return recorder, traders, f"/webhook/{'t' * 43}/"


def post(address: str, body: bytes) -> dict[str, Any]:
    reply = Client().post(address, body, content_type="application/json")
    assert reply.status_code == 200, reply.content
    answer: dict[str, Any] = reply.json()
    return answer


@pytest.mark.parametrize("seed", range(3))
def test_a_prefix_sent_again_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    multipliers = ["1", "0.5", "2.5"]
    recorder, traders, address = followed(multipliers)
    alerts = stream(rng, 14)
    for number, (after, body) in enumerate(alerts):
        assert "resend" not in post(address, body)
        if rng.random() < 0.4:
            for _, again in alerts[: rng.randint(1, number + 1)]:
                assert post(address, again)["resend"] is True
        plan_recorder(recorder.pk)
        fill_all()
        for trader, multiplier in zip(traders, multipliers, strict=True):
            size = min(7, int(abs(after) * Decimal(multiplier)))
            assert net(trader) == (size if after > 0 else -size), (seed, number, multiplier)
    assert Signal.objects.count() == len(alerts)


@pytest.mark.parametrize("seed", range(3))
def test_alerts_of_one_second_may_come_in_any_order(seed: int) -> None:
    rng = random.Random(seed)
    recorder, (trader,), address = followed(["1"])
    alerts = stream(rng, 12)
    seconds: dict[str, list[tuple[int, bytes]]] = {}
    for after, body in alerts:
        seconds.setdefault(json.loads(body)["fired_at"], []).append((after, body))
    for group in seconds.values():
        last = group[-1][0]
        for _, body in rng.sample(group, len(group)):
            post(address, body)
            plan_recorder(recorder.pk)
            fill_all()
        assert net(trader) == last, seed
