"""The webhook's answer beside a bare callable and a bare insert, all behind the same server on the same machine."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import requests

from bench.door import Database
from bench.processes import addresses, run_json, same_server
from bench.stats import ratio, summary
from execution.selftest.product import Product

CONCURRENT = 20
PAUSE_MS = 10
"""Between paced requests: long enough for an alert to be planned before the next one comes."""
MODES = ("paced", "sequential", "concurrent")
SUBJECTS = ("bare", "insert", "door", "webhook")
_TIMEOUT_S = 10
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effort:
    """How many passes over all subjects, and how many requests per pass."""

    passes: int
    paced: int
    sequential: int
    concurrent: int


FULL = Effort(passes=3, paced=120, sequential=300, concurrent=1500)
QUICK = Effort(passes=1, paced=20, sequential=50, concurrent=200)


@dataclass(slots=True)
class Samples:
    """Milliseconds per request in each of the three modes, and requests per second of each concurrent pass."""

    paced: list[float] = field(default_factory=list)
    sequential: list[float] = field(default_factory=list)
    concurrent: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


class AckBench:
    """Two recorders without followers: `webhook` is planned like any other, `door` is switched off, so stored alone.

    What a fan-out costs is the other benchmark's business; here it would only make two cores the limit.
    """

    def __init__(self, product: Product, database: Database, effort: Effort) -> None:
        self._product = product
        self._database = database
        self._effort = effort
        self._samples = {subject: Samples() for subject in SUBJECTS}
        self._prices = itertools.count(100_000, 10_000)

    def run(self) -> Figures:
        """Passes over all subjects in turn, so that a slow moment of the machine hits all of them."""
        with ExitStack() as stack:
            urls = self._start(stack)
            for url in urls.values():
                self._drive(url, self._effort.sequential, CONCURRENT)
            for _ in range(self._effort.passes):
                for subject, url in urls.items():
                    self._measure(subject, url)
        return figures_of(self._samples)

    def _start(self, stack: ExitStack) -> dict[str, str]:
        demo = self._product.demo()
        owner = self._database.row("SELECT owner_id FROM recorders_recorder WHERE id = %s", demo["recorder_id"])[0]
        webhook, recorder_id = self._new_recorder("Bench")
        door, door_id = self._new_recorder("Bench, switched off")
        self._api("patch", f"recorders/{door_id}/", {"is_enabled": False})
        env = {
            "DATABASE_URL": addresses(self._product)["DATABASE_URL"],
            "BENCH_OWNER": str(owner),
            "BENCH_RECORDER": recorder_id,
        }
        floors = {name: stack.enter_context(same_server(f"bench.floors:{name}", env)) for name in ("bare", "insert")}
        return {**floors, "door": door, "webhook": webhook}

    def _measure(self, subject: str, url: str) -> None:
        samples = self._samples[subject]
        self._database.until_quiet()
        samples.paced += self._drive(url, self._effort.paced, 1, PAUSE_MS)["milliseconds"]
        samples.sequential += self._drive(url, self._effort.sequential, 1)["milliseconds"]
        self._database.until_quiet()
        load = self._drive(url, self._effort.concurrent, CONCURRENT)
        samples.concurrent += load["milliseconds"]
        samples.rates.append(len(load["milliseconds"]) / load["seconds"])

    def _drive(self, url: str, count: int, concurrency: int, pause_ms: int = 0) -> dict[str, Any]:
        words = ["--count", str(count), "--concurrency", str(concurrency), "--start", str(next(self._prices))]
        words += ["--pause-ms", str(pause_ms)]
        load: dict[str, Any] = run_json("bench.load", url, *words)
        if load["refused"] > 0:
            raise RuntimeError(f"{load['refused']} of {count} requests were refused, one with {load['a_refusal']!r}")
        return load

    def _new_recorder(self, name: str) -> tuple[str, str]:
        made = self._api("post", "recorders/", {"name": name})
        return str(made["webhook_url"]), str(made["id"])

    def _api(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        demo = self._product.demo()
        url = f"{demo['dashboard_url'].rstrip('/')}/api/{path}"
        headers = {"Authorization": f"Token {demo['api_token']}"}
        answer = requests.request(method, url, json=body, headers=headers, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def figures_of(samples: dict[str, Samples]) -> Figures:
    """Milliseconds and rates of every subject, and ours as multiples of the insert."""
    found: Figures = {}
    for subject, taken in samples.items():
        found[subject] = {
            **{f"{mode}_ms": summary(getattr(taken, mode)) for mode in MODES},
            "per_second": round(sorted(taken.rates)[len(taken.rates) // 2]),
        }
    for subject in ("door", "webhook"):
        for mode in MODES:
            floor = found["insert"][f"{mode}_ms"]
            found[subject][f"{mode}_to_insert"] = {
                name: ratio(value, floor[name]) for name, value in found[subject][f"{mode}_ms"].items()
            }
    return found
