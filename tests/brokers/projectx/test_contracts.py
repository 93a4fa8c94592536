"""Which contract a symbol is, which host a firm is on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from brokers.access import Endpoints
from brokers.errors import Refused
from brokers.instruments import products
from brokers.projectx import contracts, firms
from brokers.projectx.contracts import CONTRACT_CODES, ROOTS, ContractBook, check
from brokers.projectx.parse import contract_of
from tests.brokers.projectx import frames


def _contract(name: str, root: str, tick: str, value: str, month: str = "Z26") -> dict[str, Any]:
    symbol_id = f"F.US.{root}"
    prices = {"tickSize": float(tick), "tickValue": float(value)}
    return frames.contract(id=f"CON.{symbol_id}.{month}", name=name, symbolId=symbol_id, **prices)


@pytest.mark.parametrize(
    ("name", "root", "tick", "value"),
    [
        ("MNQZ6", "MNQ", "0.25", "0.5"),
        ("NQZ6", "ENQ", "0.25", "5"),
        ("ESZ6", "EP", "0.25", "12.5"),
        ("MCLZ6", "MCLE", "0.01", "1"),
        ("6JZ6", "JY6", "0.0000005", "6.25"),
        ("ZNZ6", "TYA", "0.015625", "15.625"),
        ("MNGZ6", "MNG", "0.001", "1"),
        ("MNGZ6", "MNGE", "0.001", "1"),
        ("RTYZ6", "RTY", "0.1", "5"),
    ],
)
def test_a_contract_whose_name_root_and_money_agree_is_taken(name: str, root: str, tick: str, value: str) -> None:
    check(contract_of(_contract(name, root, tick, value)))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(_contract("ESZ6", "JY6", "0.25", "12.5"), id="another product's root"),
        pytest.param(_contract("ESZ6", "ES", "0.25", "12.5"), id="the exchange's root where the platform has its own"),
        pytest.param(_contract("RTYZ6", "EP", "0.1", "5"), id="a root that is another product's"),
        pytest.param(_contract("MNQZ6", "ENQ", "0.25", "0.5"), id="the big sister's root"),
        pytest.param(_contract("MNQZ6", "MNQ", "0.25", "5"), id="a tick worth ten times as much"),
        pytest.param(_contract("MNQZ6", "MNQ", "2.5", "0.5"), id="a tick ten times as wide"),
        pytest.param(_contract("MNQZ6", "MNQ", "0.25", "0.5", month="H26"), id="an id of another month"),
        pytest.param(_contract("MNQZ6", "MNQ", "0.25", "0.5", month="Z27"), id="an id of another year"),
        pytest.param(_contract("MNQ spread", "MNQ", "0.25", "0.5"), id="no month at all"),
    ],
)
def test_a_contract_that_is_not_what_its_name_says_is_refused(row: dict[str, Any]) -> None:
    """E5 a micro is never taken for its big sister."""
    with pytest.raises(Refused) as caught:
        check(contract_of(row))
    assert caught.value.code == contracts.MISMATCH


def test_every_platform_root_belongs_to_one_product_that_we_know() -> None:
    assert ROOTS.keys() <= products().keys()
    platforms = [platform for found in ROOTS.values() for platform in found]
    assert len(platforms) == len(set(platforms))
    unchanged = products().keys() - ROOTS.keys()
    assert not unchanged & set(platforms)
    assert {contracts.MISMATCH, contracts.UNKNOWN} == CONTRACT_CODES


def test_the_book_knows_both_ways_and_the_newest_id_of_a_name() -> None:
    book = ContractBook()
    decade, now = contract_of(frames.contract(id="CON.F.US.MNQ.Z16")), contract_of(frames.MNQ_ROW)
    book.learn([decade, now])
    assert book.named("MNQZ6") == now
    assert [book.symbol_of(c.id) for c in (decade, now)] == ["MNQZ6", "MNQZ6"]
    assert (book.named("MNQH7"), book.symbol_of("CON.F.US.MNQ.H27")) == (None, None)


@pytest.mark.parametrize("name", [key for key, _ in firms.FIRMS])
def test_every_firm_has_its_hosts(name: str) -> None:
    found = firms.endpoints("live", {"firm": name})
    assert found is not None
    assert found.rest_url.startswith("https://api.")
    assert found.ws_url == found.rest_url.replace("https://api.", "wss://rtc.") + "/hubs/user"
    assert found.md_url == found.ws_url.replace("/user", "/market")


def test_topstep_is_the_firm_that_is_meant_when_none_is_named() -> None:
    assert firms.endpoints("live", {}) == firms.TOPSTEPX
    assert firms.endpoints("demo", {"firm": "e8"}) == firms.STAGING


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ("live", {"firm": "nobody"}),
        ("sandbox", {}),
        ("live", {"rest_url": "http://api.example.com", "ws_url": "wss://rtc.example.com/hubs/user"}),
        ("live", {"rest_url": "https://api.example.com", "ws_url": "ws://rtc.example.com/hubs/user"}),
        ("live", {"rest_url": "https://api.example.com"}),
        ("live", {"ws_url": "wss://rtc.example.com/hubs/user"}),
        ("live", {"md_url": "ws://rtc.example.com/hubs/market"}),
        ("live", {"rest_url": "api.example.com"}),
        ("sandbox", {"rest_url": "http://127.0.0.1:1"}),
    ],
)
def test_what_names_no_host_that_keeps_the_key_private_is_none(environment: str, settings: dict[str, str]) -> None:
    """L2 a key is never sent in the clear."""
    assert firms.endpoints(environment, settings) is None


def test_an_address_of_ones_own_replaces_the_firms() -> None:
    own = {"firm": "e8", "rest_url": "https://api.new.example/api/ ", "ws_url": "wss://rtc.new.example/hubs/user"}
    hubs = "wss://rtc.new.example/hubs"
    assert firms.endpoints("live", own) == Endpoints("https://api.new.example", f"{hubs}/user", f"{hubs}/market")
    quotes = {**own, "md_url": "wss://quotes.new.example/hubs/market"}
    assert firms.endpoints("live", quotes) == Endpoints("https://api.new.example", f"{hubs}/user", quotes["md_url"])
    local = {"rest_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9/hubs/user"}
    assert firms.endpoints("sandbox", local) is not None


def test_a_ticks_worth_is_compared_as_a_number() -> None:
    row = frames.contract(tickSize=0.25, tickValue=0.50)
    assert contract_of(row).tick_value == Decimal("0.5")
