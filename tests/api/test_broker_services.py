"""Connecting against the sandbox over the wire; the broken ways against ports where nobody is."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from brokers import vault
from brokers.access import Token
from brokers.base import ConnectionState
from brokers.errors import Refused
from brokers.models import BrokerAccount, BrokerLogin
from brokers.sandbox.testing import running_sandbox
from brokers.services import connect_login, credentials_of, endpoints_of, lane_slot_of
from brokers.tokens import DatabaseTokenStore
from justtrades.testing import Cast
from tests.factories import BrokerLoginFactory


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Any]:
    with running_sandbox(accounts=2) as running:
        yield running


@pytest.fixture
def given(cast: Cast, sandbox: Any, settings: Any) -> dict[str, Any]:
    """What Alice types in for the sandbox's first account."""
    settings.BROKER_ENDPOINTS = {("tradovate", "sandbox"): (sandbox.rest_url, sandbox.ws_url, "")}
    account = sandbox.accounts[0]
    return {
        "owner": cast.alice,
        "venue": "tradovate",
        "environment": "sandbox",
        "username": account.username,
        "password": account.password,
    }


def test_connecting_stores_the_login_and_its_accounts(given: dict[str, Any], sandbox: Any, cast: Cast) -> None:
    login = BrokerLogin.objects.get(pk=connect_login(**given).pk)
    assert (login.owner, login.is_enabled, login.state) == (cast.alice, True, ConnectionState.DOWN)
    assert login.lane_slot == lane_slot_of(login.pk) < 2**31
    assert len(login.device_id) == 32
    account = BrokerAccount.objects.get()
    assert (account.owner, account.login) == (cast.alice, login)
    assert (account.broker_id, account.name) == (str(sandbox.accounts[0].id), sandbox.accounts[0].name)


def test_connecting_again_keeps_the_row_and_takes_the_new_secret(given: dict[str, Any]) -> None:
    first = connect_login(**given)
    old = {"secrets": {"password": "changed"}, "token": "old"}
    BrokerLogin.objects.update(
        is_enabled=False, state=ConnectionState.FAILED.value, token=old["token"], secrets=old["secrets"]
    )
    second = connect_login(**given)
    stored = BrokerLogin.objects.get()
    assert (stored.pk, stored.device_id, stored.lane_slot) == (first.pk, first.device_id, first.lane_slot)
    assert (stored.secrets, stored.is_enabled) == ({"password": given["password"]}, True)
    assert stored.state == ConnectionState.DOWN
    assert BrokerAccount.objects.get().login == second


def test_secrets_are_ciphertext_in_the_database_and_in_no_repr(given: dict[str, Any]) -> None:
    login = connect_login(**given, app_secret="8:a-key-of-hers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM brokers_brokerlogin t")
        dumped = cursor.fetchone()[0]
    credentials = credentials_of(BrokerLogin.objects.get())
    assert credentials.secrets == {"password": given["password"], "cid": "8", "sec": "a-key-of-hers"}
    for shown in (dumped, repr(credentials), repr(login), str(login)):
        assert given["password"] not in shown
        assert "a-key-of-hers" not in shown


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"password": "not-her-password"}, "password"),
        ({"password": ""}, "password"),
        ({"username": "nobody"}, "password"),
        ({"username": ""}, "username"),
        ({"username": "x" * 129}, "username"),
        ({"venue": "bucketshop"}, "venue"),
        ({"environment": "moon"}, "environment"),
        ({"environment": "paper"}, "environment"),
        ({"app_secret": "no-separator"}, "app_secret"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    wrong: dict[str, str], field: str, given: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValidationError) as refused:
        connect_login(**{**given, **wrong})
    assert list(refused.value.message_dict) == [field]
    assert BrokerLogin.objects.count() == 0
    for secret in {given["password"], wrong.get("password"), wrong.get("app_secret")} - {None, ""}:
        assert secret not in str(refused.value) + caplog.text


def test_a_venue_out_of_reach_is_not_a_wrong_password(given: dict[str, Any], settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.BROKER_ENDPOINTS = {("tradovate", "sandbox"): (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", "")}
    with pytest.raises(ValidationError) as refused:
        connect_login(**given)
    assert list(refused.value.message_dict) == ["venue"]
    assert BrokerLogin.objects.count() == 0


def test_it_refuses_to_ask_the_venue_inside_a_transaction(transactional_db: None, given: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        connect_login(**given)
    assert BrokerLogin.objects.count() == 0


@pytest.mark.parametrize("addresses", [{}, {("tradovate", "sandbox"): ("", "", "")}])
def test_a_missing_address_is_said(addresses: dict[Any, Any], db: None, settings: Any) -> None:
    settings.BROKER_ENDPOINTS = addresses
    with pytest.raises(Refused) as refused:
        endpoints_of(BrokerLoginFactory.build())
    assert refused.value.code == "MISSING_ENDPOINT"


def test_the_token_store_keeps_everything_and_only_ciphertext(transactional_db: None) -> None:
    login = BrokerLoginFactory()
    store = DatabaseTokenStore(login.pk)
    assert store.load() is None
    token = Token(
        access="an-access-token",
        expires_at=datetime(2026, 11, 23, 20, 0, 0, 123456, tzinfo=UTC),
        market_data="a-market-data-token",
        refresh="",
        user_id="42",
    )
    store.save(token)
    assert DatabaseTokenStore(login.pk).load() == token
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM brokers_brokerlogin")
        assert "access" not in cursor.fetchone()[0]


def test_a_token_of_a_lost_key_is_an_error_and_not_an_absence(transactional_db: None, settings: Any) -> None:
    login = BrokerLoginFactory(token=json.dumps({"access": "x"}))
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(vault.WrongKey):
        DatabaseTokenStore(login.pk).load()


def test_lane_slots_are_the_same_on_every_machine_and_spread() -> None:
    assert lane_slot_of(uuid.UUID(int=1)) == lane_slot_of(uuid.UUID(int=1))
    slots = {lane_slot_of(uuid.UUID(int=number)) % 4 for number in range(100)}
    assert slots == {0, 1, 2, 3}
