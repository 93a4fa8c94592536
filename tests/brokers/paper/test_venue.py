"""The paper venue as the product connects and asks it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers import instruments
from brokers.access import Access, Credentials, Endpoints
from brokers.base import AccountRef
from brokers.errors import Refused
from brokers.paper.house import HOUSE, House
from brokers.paper.store import MemoryStore
from brokers.paper.terms import Terms, terms_of
from brokers.paper.venue import VENUE
from brokers.quotes.quote import Quote
from brokers.reports import ConnectionReport, Event, SyncReport
from brokers.streams import StreamLoop
from tests.brokers.scripted import until

FRONT = instruments.resolve("MNQ", datetime.now(UTC).date()).symbol


def access(environment: str = "demo", **settings: str) -> Access:
    credentials = Credentials("paper", environment, "My paper", "d" * 32, {}, settings)
    return Access(credentials, Endpoints("paper:", "paper:"))


@pytest.fixture
def quoted() -> Iterator[dict[str, Quote]]:
    """What anybody quotes; empty at first."""
    quotes: dict[str, Quote] = {}

    def read(_symbols: Iterable[str], source: str) -> Mapping[str, Quote]:
        assert source == "paper/demo"
        return quotes

    before = replace(HOUSE)
    HOUSE.lend(books=lambda _login_id: MemoryStore(), quotes=read, want=lambda _symbols: None)
    yield quotes
    HOUSE.lend(books=before.books, quotes=before.quotes, want=before.want)


def test_a_login_has_one_account_that_stays_the_same() -> None:
    (listed,) = VENUE.sign_in_check(access())
    assert listed.ref == AccountRef("PAPER-dddddddddddd", "My paper")
    assert listed.is_simulated
    assert VENUE.sign_in_check(access(balance="1")) == (listed,)


def test_the_owner_sets_balance_commission_and_slippage() -> None:
    wished = access(balance="150000", commission="1.29", slippage_ticks="2")
    assert terms_of(wished.credentials) == Terms(Decimal(150_000), Decimal("1.29"), 2)
    assert terms_of(access().credentials) == Terms(Decimal(50_000), Decimal("0.50"), 1)
    assert terms_of(access("sandbox").credentials).is_always_open


@pytest.mark.parametrize(
    "settings", [{"balance": "much"}, {"balance": "-1"}, {"commission": "NaN"}, {"slippage_ticks": "0.5"}]
)
def test_a_setting_that_means_nothing_is_refused_by_name(settings: dict[str, str]) -> None:
    with pytest.raises(Refused, match=next(iter(settings))):
        VENUE.sign_in_check(access(**settings))


def test_a_preflight_says_whether_the_contract_is_listed_and_quoted(quoted: dict[str, Quote]) -> None:
    (listed,) = VENUE.sign_in_check(access())

    def verdicts(symbol: str, ref: AccountRef) -> dict[str, bool]:
        return {check.code: check.is_ok for check in VENUE.preflight(access(), ref, symbol)}

    assert verdicts(FRONT, listed.ref) == {"SIGN_IN": True, "ACCOUNT": True, "CONTRACT": True, "QUOTES": False}
    quoted[FRONT] = Quote(FRONT, Decimal(25_000), None, None, datetime.now(UTC), "tradovate/live")
    assert verdicts(FRONT, listed.ref)["QUOTES"]
    quoted[FRONT] = replace(quoted[FRONT], delay_s=600)
    assert not verdicts(FRONT, listed.ref)["QUOTES"]
    assert verdicts("XXXZ6", AccountRef("PAPER-other", "")) == {
        "SIGN_IN": True, "ACCOUNT": False, "CONTRACT": False, "QUOTES": False,
    }  # fmt: skip


def test_its_connection_goes_live_and_names_the_front_month(quoted: dict[str, Quote]) -> None:
    heard: list[Event] = []
    loop = StreamLoop(name="paper-venue")
    loop.start()
    connection = VENUE.connect(uuid.uuid4(), access(), lambda _login_id, events: heard.extend(events), loop)
    connection.start()
    until(lambda: [event for event in heard if isinstance(event, SyncReport)])
    assert connection.front_month("MNQ") == FRONT
    assert connection.front_month("XXX") is None
    assert connection.quotes(lambda *_quote: None) is None
    connection.stop()
    until(lambda: [event.state for event in heard if isinstance(event, ConnectionReport)][-1] == "down")
    loop.stop()


def test_a_house_that_lends_nothing_keeps_books_in_memory() -> None:
    house = House()
    house.want(["MNQZ6"])
    assert (house.quotes(["MNQZ6"], ""), house.books(uuid.uuid4()).load()) == ({}, None)
