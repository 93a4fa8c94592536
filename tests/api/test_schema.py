from __future__ import annotations

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from tests.factories import Chain


def test_the_schema_is_made_without_a_warning_and_is_valid() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    GENERATOR_STATS.emit_summary()
    assert not GENERATOR_STATS, GENERATOR_STATS._warn_cache | GENERATOR_STATS._error_cache
    validate_schema(schema)
    assert "/api/recorders/{id}/test-alert/" in schema["paths"]


def test_the_schema_names_no_secret() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    named = {field for part in schema["components"]["schemas"].values() for field in part.get("properties", {})}
    assert {"reason_code", "webhook_url"} <= named
    assert named & {"app_secret", "token_hash", "device_id", "idempotency_key"} == set()
    parts = schema["components"]["schemas"].items()
    asking = {name: part["properties"]["password"] for name, part in parts if "password" in part.get("properties", {})}
    assert sorted(asking) == [
        "NewAssignment", "PatchedLimitChanges", "SettableLimits", "SignIn", "StepUp",
    ]  # fmt: skip
    assert all(field["writeOnly"] for field in asking.values()), "it is sent, and never answered"


@pytest.mark.django_db
def test_the_docs_page_needs_nobody_elses_server() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "https://" not in text
    assert "//cdn" not in text
    assert "swagger-ui-bundle.js" in text


def test_answers_have_exactly_the_fields_of_the_schema(alice: APIClient, hers: Chain) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for name in ("recorders", "signals", "traders", "intents", "orders", "fills", "positions", "accounts", "logins"):
        address = f"/api/{name}/{{id}}/"
        answer = schema["paths"][address]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        part = schema["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
        row = getattr(hers, name.removesuffix("s"))
        assert set(alice.get(f"/api/{name}/{row.pk}/").json()) == set(part["properties"]), name
