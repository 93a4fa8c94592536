"""The door takes whatever comes: every body gets its answer, nothing fails inside, and the planner survives it, too."""

from __future__ import annotations

import http.client
import itertools
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.streams.cases import CASES
from tests.streams.mutations import corpus_of, mutated

if TYPE_CHECKING:
    from tests.e2e.plant import Plant

SEED = 20261125
SENDERS = 4
PLANNING_PATIENCE_S = 240.0
CONTENT_TYPES = ("application/json", "text/plain", "text/plain; charset=utf-16", "multipart/form-data; boundary=x",
                 "application/x-www-form-urlencoded", "nonsense")  # fmt: skip
FOUND, NOT_FOUND = 200, 404
ALARMS = ("Traceback", '"level": "error"', '"level": "critical"', "Internal Server Error")
pytestmark = pytest.mark.timeout(900)


class Sender:
    """One keep-alive connection. `surprises` are the bodies whose answers are not what the contract says."""

    def __init__(self, web_url: str, token: str, seed: int) -> None:
        where = urlsplit(web_url)
        self._connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
        self._token = token
        self._chance = random.Random(seed)
        self._bodies = mutated(seed, corpus_of(CASES))
        self.statuses: Counter[int] = Counter()
        self.reconnects = 0
        self.surprises: list[tuple[int, bytes]] = []

    def send(self, count: int) -> Sender:
        for body in itertools.islice(self._bodies, count):
            is_wrong = self._chance.random() < 0.01
            path = f"/webhook/{self._token[:-1]}{'?' if is_wrong else self._token[-1]}{self._chance.choice(('', '/'))}"
            status = self._post(path, body)
            self.statuses[status] += 1
            if status != (NOT_FOUND if is_wrong else FOUND):
                self.surprises.append((status, body))
        return self

    def _post(self, path: str, body: bytes) -> int:
        is_new = self._connection.sock is None
        self._connection.request("POST", path, body, {"Content-Type": self._chance.choice(CONTENT_TYPES)})
        response = self._connection.getresponse()
        response.read()
        self.reconnects += is_new
        return response.status


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.streams)])
def test_every_body_gets_its_answer(plant: Plant, count: int) -> None:
    from accounts.models import User
    from recorders.models import Signal, SignalStatus
    from recorders.services import create_recorder

    owner = User.objects.create(email=f"fuzz{count}@example.com", is_approved=True)
    tokens = [create_recorder(owner=owner, name=f"Fuzz {number}")[1] for number in range(SENDERS)]
    senders = [Sender(plant.web_url, token, SEED + number) for number, token in enumerate(tokens)]
    log = plant.directory / "web.log"
    before = log.stat().st_size
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda sender: sender.send(count // SENDERS), senders))
    assert [surprise for sender in senders for surprise in sender.surprises][:5] == []
    assert sum(sender.statuses.total() for sender in senders) == count
    assert [sender.reconnects for sender in senders] == [1] * SENDERS, "one connection each, kept alive"
    said = log.read_bytes()[before:].decode(errors="replace")
    assert [line for line in said.splitlines() if any(alarm in line for alarm in ALARMS)][:5] == []

    mine = Signal.objects.filter(owner=owner)
    _wait_until_planned(plant, mine.filter(status=SignalStatus.RECEIVED).exists)
    assert list(mine.filter(reason_code="PLANNING_FAILED").values_list("body", "reason_text")[:5]) == []
    kept = Counter(mine.values_list("status", flat=True))
    assert min(kept[SignalStatus.REFUSED], kept[SignalStatus.IGNORED]) > count // 20, (
        "neither all nonsense nor all sense"
    )


def _wait_until_planned(plant: Plant, has_waiting: object) -> None:
    deadline = time.monotonic() + PLANNING_PATIENCE_S
    while callable(has_waiting) and has_waiting():
        assert time.monotonic() < deadline, "the planner did not come to an end"
        time.sleep(0.2)
    assert plant.is_running("lane")
