"""Unprotected time over the API: the owner's own, and nothing to write."""

from __future__ import annotations

from datetime import timedelta

from rest_framework.test import APIClient

from execution.models import Position, UnprotectedSpan
from justtrades import clock
from tests.factories import Chain

ADDRESS = "/api/protection/"


def test_owner_sees_her_figures_and_charlie_none(alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    began = clock.now() - timedelta(minutes=1)
    UnprotectedSpan.objects.create(
        owner=hers.trader.owner, account=hers.account, trader=hers.trader, venue="tradovate", symbol="MESZ6",
        began_at=began, ended_at=began + timedelta(seconds=2.5), ended_by="protected", was_acted_on=True,
    )  # fmt: skip
    Position.objects.filter(pk=hers.position.pk).update(unprotected_since=clock.now())
    shown = alice.get(ADDRESS).json()
    (now,) = shown["unprotected_now"]
    assert (now["position"], now["account"], now["net_qty"], now["bound_s"], now["done"]) == (
        str(hers.position.pk), hers.account.name, 1, 5, "",
    )  # fmt: skip
    (venue,) = shown["venues"]
    assert (venue["venue"], venue["entries_24h"], venue["protected_at_once_24h"]) == ("tradovate", 0, 0)
    assert venue["windows"][0] == {
        "window": "24h", "count": 1, "p50_s": 2.5, "p95_s": 2.5, "max_s": 2.5, "acted_on": 1, "closed": 0,
    }  # fmt: skip
    assert [row["count"] for row in venue["windows"]] == [1, 1, 1]
    assert charlie.get(ADDRESS).json() == {"unprotected_now": [], "venues": []}


def test_nobody_gets_in_unknown_and_nothing_can_be_written(alice: APIClient, hers: Chain) -> None:
    assert APIClient().get(ADDRESS).status_code == 401
    assert {method(ADDRESS, {}).status_code for method in (alice.post, alice.put, alice.patch, alice.delete)} == {405}
