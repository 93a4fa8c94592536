"""Alice sees her rows; for Charlie they do not exist; nobody else gets in. Every address with an id is swept."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter
from rest_framework.test import APIClient

from justtrades.testing import Cast, browser_of
from tests.factories import Chain

LISTS = ("recorders", "signals", "traders", "intents", "orders", "fills", "positions", "accounts", "logins", "chains")
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
OURS = ("accounts", "brokers", "recorders", "traders", "risk", "billing", "execution")


def row_of(hers: Chain, name: str) -> Any:
    return getattr(hers, name.removesuffix("s"))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of the product, to see that nothing changed."""
    models = [model for name in OURS for model in apps.get_app_config(name).get_models()]
    return {
        model._meta.label: [
            {key: bytes(value) if isinstance(value, memoryview) else value for key, value in row.items()}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in models
    }


def addresses_with_id(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the product that takes an id, with `{row}` for a UUID and `{number}` for a number."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from addresses_with_id(entry, route)
        elif isinstance(entry, URLPattern) and any(
            isinstance(converter, UUIDConverter | IntConverter) for converter in entry.pattern.converters.values()
        ):
            yield "/" + re.sub(r"<int:\w+>", "{number}", re.sub(r"<uuid:\w+>", "{row}", route))


@pytest.mark.parametrize("name", LISTS)
def test_owner_sees_hers_and_charlie_sees_none(name: str, alice: APIClient, charlie: APIClient, hers: Chain) -> None:
    pk = row_of(hers, name).pk
    pk = str(pk) if isinstance(pk, uuid.UUID) else pk
    assert [row["id"] for row in alice.get(f"/api/{name}/").json()["results"]] == [pk]
    assert alice.get(f"/api/{name}/{pk}/").json()["id"] == pk
    assert charlie.get(f"/api/{name}/").json() == {"count": 0, "next": None, "previous": None, "results": []}
    answer = charlie.get(f"/api/{name}/{pk}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", [*LISTS, "me"])
def test_anonymous_gets_401(name: str, hers: Chain) -> None:
    answer = APIClient().get(f"/api/{name}/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_the_sweep_finds_the_addresses() -> None:
    found = set(addresses_with_id())
    assert {"/api/recorders/{row}/rotate-token/", "/api/recorders/{row}/clone/", "/api/traders/{row}/routes/"} <= found
    assert {"/recorders/{row}/edit/", "/api/chains/{number}/converge/"} <= found
    assert all("<" not in address for address in found)


@pytest.mark.parametrize("address", sorted(set(addresses_with_id())))
def test_charlie_gets_nowhere(address: str, charlie: APIClient, cast: Cast, hers: Chain) -> None:
    browser = browser_of(cast.charlie)
    before = everything()
    for row in hers.rows:
        if not isinstance(row.pk, uuid.UUID):
            continue
        for method in METHODS:
            asked = address.format(row=row.pk, number=hers.chain.pk)
            client: Client = charlie if address.startswith("/api/") else browser
            answer = client.generic(method.upper(), asked, b"{}", content_type="application/json")
            assert answer.status_code in {404, 405} or method == "options", (method, asked, answer.status_code)
    assert everything() == before


def test_charlie_cannot_follow_or_use_what_is_alices(charlie: APIClient, hers: Chain) -> None:
    before = everything()
    answer = charlie.post(
        "/api/traders/", {"recorder": str(hers.recorder.pk), "account": str(hers.account.pk)}, format="json"
    )
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"recorder", "account"}
    assert everything() == before


@pytest.mark.parametrize("name", LISTS)
def test_charlies_filters_find_nothing_of_alices(name: str, charlie: APIClient, hers: Chain) -> None:
    for parameter in ("recorder", "trader", "account", "signal", "intent", "order", "login"):
        query = {parameter: str(row_of(hers, parameter).pk)}
        assert charlie.get(f"/api/{name}/", query).json()["count"] == 0
