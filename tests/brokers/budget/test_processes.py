"""Real processes that share one login, or one address: together they spend what the rule allows, and no more."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from uuid import UUID

from tests.brokers.budget.hands import HOURLY, SYNCS

ROOT = Path(__file__).resolve().parents[3]


def start(url: str, login_id: UUID, venue: str, how: str, priority: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.brokers.budget.spender", url, str(login_id), venue, how, priority]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def spent_by(processes: list[subprocess.Popen[str]]) -> list[int]:
    """All start spending together, once all are ready."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [int(process.communicate()[0]) for process in processes]


def test_a_lane_and_its_guests_together_spend_exactly_the_rule(redis_url: str, login_id: UUID, venue: str) -> None:
    lane, *guests = spent_by([
        start(redis_url, login_id, venue, "owned", "FLATTEN"),
        start(redis_url, login_id, venue, "shared", "POLL"),
        start(redis_url, login_id, venue, "shared", "POLL"),
    ])  # fmt: skip
    assert sum(guests) == 250
    assert lane + sum(guests) == HOURLY.requests


def test_lanes_behind_one_address_together_spend_exactly_its_rule(redis_url: str, venue: str) -> None:
    spent = spent_by([start(redis_url, uuid.uuid4(), venue, "syncs", "STOP") for _ in range(2)])
    assert sum(spent) == SYNCS.requests
