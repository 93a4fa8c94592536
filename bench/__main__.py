"""`python -m bench`: start a product of its own with durable servers, measure it, print a table, write `bench.json`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench import ack, budget, fanout, mixed, planning, reconciling, reversal, risk
from bench.door import Database, until
from bench.processes import addresses
from bench.report import lines_of, table_of
from execution.selftest.owner import Owner
from execution.selftest.product import Product, own_product
from justtrades.environment import state_dir

PARTS = ("planning", "budget", "ack", "fanout", "mixed", "reversal", "risk", "reconciling")
_WITHOUT_PRODUCT = {"planning", "budget"}
_READY_TIMEOUT_S = 60.0


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test: few requests, few accounts, no goals")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--out", type=Path, default=state_dir() / "bench.json", help="where the figures go")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    figures = _measure(set(options.only or PARTS), is_quick=options.quick)
    lines = lines_of(figures)
    print(table_of(lines))
    figures["seconds"] = round(time.monotonic() - started)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**figures, "lines": [line.as_dict() for line in lines]}, indent=2) + "\n")
    print(f"\nwrote {options.out} after {figures['seconds']} s")


def _measure(parts: set[str], *, is_quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": _machine()}
    if "planning" in parts:
        figures["planning"] = planning.measure()
    if "budget" in parts:
        figures["budget"] = budget.measure()
    if parts <= _WITHOUT_PRODUCT:
        return figures
    with own_product(accounts=1, keep=False) as product:
        _until_ready(product)
        database = Database(addresses(product)["DATABASE_URL"])
        _with_product(parts, product, database, figures, is_quick=is_quick)
        database.close()
    return figures


def _with_product(
    parts: set[str], product: Product, database: Database, figures: dict[str, Any], *, is_quick: bool
) -> None:
    if "ack" in parts:
        figures["ack"] = ack.AckBench(product, database, ack.QUICK if is_quick else ack.FULL).run()
    if "fanout" in parts:
        bench = fanout.FanoutBench(product, database, fanout.QUICK if is_quick else fanout.FULL)
        figures["fanout"] = bench.run()
        figures["lane_memory_mb"] = bench.lane_memory_mb()
    if "mixed" in parts:
        figures["mixed"] = mixed.MixedBench(product, database, mixed.QUICK if is_quick else mixed.FULL).run()
    if "reversal" in parts:
        effort = reversal.QUICK if is_quick else reversal.FULL
        figures["reversal"] = reversal.ReversalBench(product, database, effort).run()
    if "risk" in parts:
        figures["risk"] = risk.RiskBench(product, database, risk.QUICK if is_quick else risk.FULL).run()
    if "reconciling" in parts:
        compared = reconciling.QUICK if is_quick else reconciling.FULL
        figures["reconciling"] = reconciling.ReconcilingBench(product, database, compared).run()


def _machine() -> dict[str, Any]:
    return {"cores": psutil.cpu_count(), "load_before": psutil.getloadavg()[0], "python": sys.version.split()[0]}


def _until_ready(product: Product) -> None:
    demo = product.demo()
    owner = Owner(demo["dashboard_url"], demo["api_token"], demo["recorder_id"])
    until(owner.is_ready, "the product did not become ready", _READY_TIMEOUT_S)


if __name__ == "__main__":
    main(sys.argv[1:])
