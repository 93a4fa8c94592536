"""What NinjaTrader shows of its own: the name, the page, the fields, the rules. The wire is Tradovate's."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import parse_qs, urlsplit

import pytest

from brokers.access import Access, Credentials, Endpoints, OAuthClient
from brokers.ninjatrader.venue import VENUE
from brokers.tradovate.venue import VENUE as TRADOVATE


@pytest.mark.parametrize(("environment", "environment_asked"), [("demo", ["demo"]), ("live", None)])
def test_the_sign_in_page_is_ninjatraders(environment: str, environment_asked: list[str] | None) -> None:
    credentials = Credentials("ninjatrader", environment, "", "d", {})
    endpoints = Endpoints("https://demo.tradovateapi.com/v1", "")
    access = Access(credentials, endpoints, oauth=OAuthClient("nt-7"))
    assert VENUE.oauth is not None
    address = urlsplit(VENUE.oauth.authorize_url(access, "s", "https://app.test/back", "c"))
    asked = parse_qs(address.query)
    assert address.netloc + address.path == "web.ninjatrader.com/oauth"
    assert (asked.get("env"), asked["client_id"]) == (environment_asked, ["nt-7"])


def test_only_what_a_person_sees_is_its_own() -> None:
    own = {field.name for field in fields(VENUE) if getattr(VENUE, field.name) != getattr(TRADOVATE, field.name)}
    assert own == {"label", "fields", "automation_policy", "oauth", "backend"}
    assert VENUE.label == "NinjaTrader"
    assert "NinjaTrader" in VENUE.automation_policy
    assert [field.name for field in VENUE.fields] == [field.name for field in TRADOVATE.fields]
