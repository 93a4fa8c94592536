"""A client that we did not write, `tradovate` from PyPI, against the sandbox: its routes, its spellings, its parsing.

Its addresses are a table that a test may fill in; its token cache is a Redis client, here a dictionary. It needs some
help: its sign-in has its address built in, its POST helper names a keyword that `requests` does not have, and the
fields that it leaves empty are left out, as the venue's own samples do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import tradovate
from tradovate import auth, client, session

from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from tests.brokers.sandbox.test_trading import poll

MNQ = "MNQZ6"
DEMO = "https://demo.tradovateapi.com/v1"


class Cache(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value


class Published:
    """The client's parts for one account of the sandbox."""

    def __init__(self, account: SandboxAccount) -> None:
        self.account = account
        parts = (tradovate.Accounting, tradovate.Contract_Library, tradovate.Orders, tradovate.Positions)
        self.accounting, self.contracts, self.orders, self.positions = (part(account.id) for part in parts)
        for part in (self.accounting, self.contracts, self.orders, self.positions):
            part.session.request = _with_json(part.session.request)


def _with_json(send: Any) -> Any:
    def request(method: str, url: str, *, payload: Any = None, **options: Any) -> requests.Response:
        stated = payload and {name: value for name, value in payload.items() if value is not None}
        response: requests.Response = send(method, url, json=stated, timeout=5, **options)
        return response

    return request


@pytest.fixture
def published(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    account = sandbox.add_accounts(1)[0]

    def post(url: str, data: dict[str, str]) -> requests.Response:
        return requests.post(url.replace(DEMO, sandbox.rest_url), data=data, timeout=5)

    monkeypatch.setitem(client.URLs, "DEMO", sandbox.rest_url)
    monkeypatch.setattr(session, "redis_client", Cache())
    monkeypatch.setattr(auth, "requests", SimpleNamespace(post=post))
    settings = {"ENV": "DEMO", "NAME": account.username, "PASSWORD": account.password, "APPID": "x", "CID": "8"}
    for name, value in {**settings, "SEC": "s"}.items():
        monkeypatch.setenv(f"TO_{name}", value)
    yield Published(account)
    assert session.redis_client[f"TO_TOKEN_{account.id}"] != ""


def test_it_signs_in_and_reads_the_account(published: Published) -> None:
    (account,) = published.accounting.account_list()
    assert (account["id"], account["name"]) == (published.account.id, published.account.name)
    (cash,) = published.accounting.cash_balance_dependents(account["id"])
    assert published.accounting.cash_balance_snapshot(account["id"])["totalCashValue"] == cash["amount"]
    assert published.contracts.conteract_find(MNQ)["name"] == MNQ


def test_it_places_an_order_and_reads_what_became_of_it(published: Published) -> None:
    """A1, G2"""
    order_id = place(published, order_type="Market")
    poll(lambda: published.orders.order_item(order_id)["ordStatus"] == "Filled")
    (fill,) = published.orders.fill_dependents(order_id)
    assert (fill["action"], fill["qty"]) == ("Buy", 2)
    (position,) = published.positions.position_list()
    assert (position["netPos"], position["netPrice"]) == (2, fill["price"])
    command = published.orders.command_dependents(order_id)[0]
    assert (command["commandType"], command["clOrdId"], command["isAutomated"]) == ("New", "published-1", True)


def test_it_cancels_and_liquidates(published: Published) -> None:
    """B2, A3"""
    resting = place(published, order_type="Limit", price=24_000.0)
    poll(lambda: published.orders.order_item(resting)["ordStatus"] == "Working")
    published.orders.cancel_order(resting, is_automated=True)
    poll(lambda: published.orders.order_item(resting)["ordStatus"] == "Canceled")
    filled = place(published, order_type="Market")
    poll(lambda: published.orders.order_item(filled)["ordStatus"] == "Filled")
    contract_id = published.contracts.conteract_find(MNQ)["id"]
    assert "orderId" in published.orders.liquidate_position(published.account.id, contract_id, admin=False)
    poll(lambda: published.positions.position_list()[0]["netPos"] == 0)


def test_it_starts_a_strategy_whose_links_it_can_follow(published: Published) -> None:
    """D1"""
    bracket = {"qty": 1, "profitTarget": 10, "stopLoss": -10, "trailingStop": False}
    params = {"entryVersion": {"orderQty": 1, "orderType": "Market"}, "brackets": [bracket]}
    answer = published.orders.start_order_strategy(
        MNQ, 2, "Buy", published.account.id, published.account.name, json.dumps(params), "published-strategy"
    )
    strategy_id = answer["orderStrategy"]["id"]
    poll(lambda: len(links_of(published, strategy_id)) == 3)
    assert sorted(link["label"] for link in links_of(published, strategy_id)) == ["0", "0", "256"]


def links_of(published: Published, strategy_id: int) -> list[dict[str, Any]]:
    return [link for link in published.orders.order_strategy_link_list() if link["orderStrategyId"] == strategy_id]


def place(published: Published, **terms: Any) -> int:
    account = published.account
    answer = published.orders.place_order(
        "Buy",
        MNQ,
        2,
        account_spec=account.name,
        account_id=account.id,
        cl_ord_id="published-1",
        is_automated=True,
        **terms,
    )
    order_id: int = answer["orderId"]
    return order_id
