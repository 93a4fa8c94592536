"""A canary in every secret's place: connected, refused, asked, dumped and logged, it is nowhere in clear."""

from __future__ import annotations

import base64
import html
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import redis
from celery import signals
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from brokers.access import OAuthClient, Token
from brokers.errors import BrokerError
from brokers.forms import ConnectForm
from brokers.models import BrokerAccount, BrokerLogin
from brokers.registry import VENUES
from brokers.sandbox.testing import RunningSandbox
from brokers.services import access_of, connect_login, credentials_of, run_preflight
from brokers.tokens import HeldToken
from justtrades import clock
from justtrades.bell import ring
from justtrades.testing import Cast, browser_of

PASSWORD = 'Canary/Kitty+9&?=<"é>'
WRONG = "Canary/Wrong+8&?=<é>"
KEY = "Canary/Key+7&?=é"
CLIENT_SECRET = "Canary/Client+6&?=é"
CONNECT = reverse("broker_connect_venue", args=["tradovate"])


def spellings(secret: str) -> set[str]:
    """The secret as it is, and as it would look in an address, a page, a document or an encoded header."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    raw = secret.encode()
    found |= {raw.hex(), str(raw)[2:-1]}
    for shift in range(3):
        # Wherever it stands in what was encoded: the letters that do not depend on its neighbors.
        encoded = base64.b64encode(b"\0" * shift + raw + b"\0\0").decode()
        middle = encoded[4 : len(encoded) - 4 - len(encoded) % 4]
        found |= {middle[:20], middle[:20].replace("+", "-").replace("/", "_")}
    return found


class Ears:
    """All that was said, by where."""

    def __init__(self) -> None:
        self.heard: dict[str, list[str]] = {}
        self.secrets = {PASSWORD, WRONG, KEY, CLIENT_SECRET}

    def hear(self, where: str, *what: object) -> None:
        self.heard.setdefault(where, []).extend(str(text) for text in what)

    def hear_answer(self, where: str, answer: Any) -> None:
        self.hear(where, answer.content.decode(), answer.headers, answer.cookies)

    def leaks(self) -> list[tuple[str, str]]:
        wanted = {spelling for secret in self.secrets for spelling in spellings(secret)}
        return [
            (where, spelling)
            for where, texts in self.heard.items()
            for spelling in wanted
            if any(spelling in text for text in texts)
        ]


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture) -> Iterator[Ears]:
    """Listens to every log line from DEBUG up, SQL included, and to every message to a worker."""
    caplog.set_level(logging.DEBUG)
    found = Ears()

    def publishing(sender: object = None, body: object = None, headers: object = None, **rest: object) -> None:
        found.hear("messages", sender, body, headers, rest)

    signals.before_task_publish.connect(publishing)
    was, connection.force_debug_cursor = connection.force_debug_cursor, True
    yield found
    connection.force_debug_cursor = was
    signals.before_task_publish.disconnect(publishing)


@pytest.fixture
def account(sandbox: RunningSandbox) -> str:
    """A username at the sandbox whose password is the canary."""
    name = f"canary-{len(sandbox.state())}"
    sandbox.post("/accounts", logins=[{"username": name, "password": PASSWORD, "accounts": [f"C{name}"]}])
    return name


@contextmanager
def failing(ears: Ears, where: str, *kinds: type[Exception]) -> Iterator[None]:
    with pytest.raises(kinds) as failed:
        yield
    ears.hear(where, failed.value, repr(failed.value), *traceback.format_exception(failed.value))


def typed(username: str, password: str, **more: str) -> dict[str, str]:
    return {"environment": "sandbox", "username": username, "password": password, "agree": "on", **more}


def test_the_ears_hear_every_spelling() -> None:
    for spelling in (
        PASSWORD, quote(PASSWORD, safe=""), html.escape(PASSWORD), json.dumps({"p": PASSWORD}),
        base64.b64encode(f"user:{PASSWORD}:more".encode()).decode(),
        base64.b64encode(f"u:{PASSWORD}".encode()).decode(),
    ):  # fmt: skip
        ears = Ears()
        ears.hear("somewhere", f"before {spelling} after")
        assert ears.leaks(), spelling


def test_pages_and_api_say_nothing(
    ears: Ears, cast: Cast, account: str, alice: APIClient, caplog: pytest.LogCaptureFixture, sandbox: RunningSandbox
) -> None:
    browser = browser_of(cast.alice)
    for name, form in {
        "refused": typed(account, WRONG, app_secret=f"8:{KEY}"),
        "misspelt": typed(account, PASSWORD, app_secret=KEY),
        "elsewhere": typed(account, PASSWORD, environment="moon"),
        "connected": typed(account, PASSWORD, app_secret=f"8:{KEY}"),
    }.items():
        ears.hear_answer(f"page {name}", browser.post(CONNECT, form, follow=True))
    for name, fields in {
        "refused": {"username": account, "password": WRONG},
        "unknown field": {"username": account, "password": PASSWORD, "passwort": KEY},
        "wrong shape": {"username": account, "password": {PASSWORD: KEY}},
        "connected": {"username": account, "password": PASSWORD, "app_secret": f"8:{KEY}"},
    }.items():
        asked = {"venue": "tradovate", "environment": "sandbox", "fields": fields}
        ears.hear_answer(f"api {name}", alice.post("/api/brokers/connect/", asked, format="json"))
    login = BrokerLogin.objects.get()
    ears.secrets |= {json.loads(login.token)["access"]}
    for path in ("/api/logins/", f"/api/logins/{login.pk}/", "/api/accounts/"):
        ears.hear_answer("api", alice.get(path))
    for verb in ("preflight", "reconnect", "disable", "enable"):
        ears.hear_answer("api", alice.post(f"/api/brokers/logins/{login.pk}/{verb}/"))
    for name in ("broker_preflight", "broker_reconnect"):
        ears.hear_answer("pages", browser.post(reverse(name, args=[login.pk]), follow=True))
    for path in (reverse("brokers"), f"{CONNECT}?login={login.pk}", reverse("broker_delete", args=[login.pk])):
        ears.hear_answer("pages", browser.get(path))
    ears.hear("logs", caplog.text, *(repr(record.__dict__) for record in caplog.records))
    assert caplog.records
    assert ears.leaks() == []


def test_a_way_through_the_brokers_page_says_nothing(
    ears: Ears, cast: Cast, account: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.OAUTH_CLIENTS = {"tradovate": ("client", CLIENT_SECRET, "", "")}
    browser = browser_of(cast.alice)
    start, back = (reverse(name, args=["tradovate"]) for name in ("broker_oauth", "broker_oauth_callback"))
    for environment in ("sandbox", "demo"):
        answer = browser.post(start, {"environment": environment, "agree": "on", "password": PASSWORD})
        ears.hear_answer("start", answer)
    state = next(iter(browser.session["broker_oauth"]))
    ears.hear_answer("back", browser.get(back, {"state": state, "code": KEY}))
    ears.hear("sessions", *(session.get_decoded() for session in Session.objects.all()))
    ears.hear("logs", caplog.text)
    assert ears.leaks() == []


def test_failures_say_nothing(
    ears: Ears, cast: Cast, account: str, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    connected = connect_login(
        owner=cast.alice, venue="tradovate", environment="sandbox", username=account, password=PASSWORD
    )
    login = BrokerLogin.objects.get(pk=connected.pk)
    ears.hear("repr", repr(login), str(login), repr(credentials_of(login)), repr(access_of(login)))
    login.secrets, login.token = {"password": WRONG, "app_secret": f"8:{KEY}"}, ""
    login.save()
    venue = VENUES["tradovate"]
    with failing(ears, "sign-in", BrokerError):
        venue.sign_in_check(access_of(login, HeldToken()))
    ears.hear("pre-flight", *run_preflight(account=BrokerAccount.objects.select_related("login").get()))
    with failing(ears, "connect", ValidationError):
        connect_login(owner=cast.alice, venue="tradovate", environment="sandbox", username=account, password=WRONG)
    settings.BROKER_ENDPOINTS = {("tradovate", "sandbox"): ("http://127.0.0.1:9/v1", "ws://127.0.0.1:9", "")}
    with failing(ears, "out of reach", BrokerError):
        venue.sign_in_check(access_of(login, HeldToken()))
    ears.hear("logs", caplog.text, *(repr(record.__dict__) for record in caplog.records))
    assert ears.leaks() == []


def test_what_holds_a_secret_does_not_show_it(ears: Ears) -> None:
    token = Token(KEY, clock.now(), market_data=PASSWORD, refresh=WRONG)
    held = HeldToken()
    held.save(token)
    form = ConnectForm(typed("ann", PASSWORD, app_secret=KEY), venue="tradovate", asks_agreement=False)
    form.is_valid()
    shown = (token, held, OAuthClient("id", CLIENT_SECRET), form, form.errors, form["password"], form.who)
    ears.hear("repr", *(repr(one) for one in shown), *(str(field) for field in form))
    login = BrokerLogin(secrets={"password": PASSWORD}, token=KEY, username="ann", venue="tradovate")
    ears.hear("repr", repr(login), str(login))
    assert ears.leaks() == []


def test_stores_and_dumps_hold_ciphertext(ears: Ears, cast: Cast, account: str) -> None:
    connect_login(
        owner=cast.alice, venue="tradovate", environment="sandbox", username=account, password=PASSWORD,
        app_secret=f"8:{KEY}",
    )  # fmt: skip
    login = BrokerLogin.objects.get()
    ears.secrets |= {json.loads(login.token)["access"]}
    dumped = StringIO()
    call_command("dumpdata", "brokers", stdout=dumped)
    ears.hear("dumpdata", dumped.getvalue())
    with connection.cursor() as cursor:
        for model in apps.get_app_config("brokers").get_models():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{model._meta.db_table}" t')  # noqa: S608 - our tables
            ears.hear("tables", *(row[0] for row in cursor.fetchall()))
    assert ears.leaks() == []
    wanted = (login.secrets, login.token)
    rows = [row for row in json.loads(dumped.getvalue()) if row["model"] == "brokers.brokerlogin"]
    (restored,) = serializers.deserialize("json", json.dumps(rows))
    assert (restored.object.secrets, restored.object.token) == wanted


def test_staff_see_nothing(ears: Ears, cast: Cast, account: str, client: Client) -> None:
    connect_login(owner=cast.alice, venue="tradovate", environment="sandbox", username=account, password=PASSWORD)
    ears.secrets |= {json.loads(BrokerLogin.objects.get().token)["access"]}
    staff = browser_of(cast.bob)
    for model in apps.get_app_config("brokers").get_models():
        assert model in admin.site._registry
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        ears.hear_answer("admin", staff.get(reverse(f"{name}_changelist")))
        for row in model._default_manager.all():
            ears.hear_answer("admin", staff.get(reverse(f"{name}_change", args=[row.pk])))
    assert len(ears.heard["admin"]) > 10
    assert ears.leaks() == []


def test_messages_and_redis_hold_nothing(ears: Ears, cast: Cast, account: str, alice: APIClient) -> None:
    asked = {"username": account, "password": PASSWORD, "app_secret": f"8:{KEY}"}
    for secret in (WRONG, PASSWORD):
        fields = asked | {"password": secret}
        alice.post(
            "/api/brokers/connect/",
            {"venue": "tradovate", "environment": "sandbox", "fields": fields},
            format="json",
        )
    login = BrokerLogin.objects.get()
    ring("brokers.nothing", "chores", login.pk)
    for number in range(4):
        with redis.Redis.from_url(f"{django_settings.REDIS_URL}/{number}") as store:
            for key in store.scan_iter("*"):
                ears.hear("redis", key, store.dump(key))
    assert ears.leaks() == []
