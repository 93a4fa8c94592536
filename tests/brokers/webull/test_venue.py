"""What the product asks of a venue before it trades: accounts, pre-flight, capabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from brokers.access import Priority
from brokers.base import AccountRef, BracketLeg, ConnectionState, Side, SubmitOrder
from brokers.errors import AuthFailed, Refused
from brokers.sandbox.testing import RunningSandbox
from brokers.venue import Check
from brokers.webull import limits, poll, venue
from brokers.webull.venue import VENUE, preflight, preview, sign_in_check
from tests.brokers.scripted import until
from tests.brokers.tradovate.stores import MemoryStore
from tests.brokers.webull.scripted_venue import FUTURES_ROW, CountingBudget, ScriptedVenue, ok
from tests.brokers.webull.trader import AAPL, MNQ, Trader, access_to, entry_id

ACCOUNT = AccountRef("F1", "Futures …0001")
CONTRACTS, PREVIEW = "/trading/instruments/futures/contracts/list", "/trading/orders/preview"


@pytest.fixture
def scripted() -> Iterator[ScriptedVenue]:
    made = ScriptedVenue()
    made.answers |= {
        "/trading/accounts/list": ok([FUTURES_ROW]),
        CONTRACTS: ok([{"symbol": MNQ, "size": "2.0", "min_tick": "0.25"}]),
        PREVIEW: ok({"estimated_cost": "1", "estimated_transaction_fee": "0", "currency": "USD"}),
    }
    yield made
    made.close()


def _verdicts(checks: tuple[Check, ...]) -> dict[str, bool]:
    return {check.code: check.is_ok for check in checks}


def test_every_class_of_account_is_listed(sandbox: RunningSandbox) -> None:
    listed = sign_in_check(access_to(sandbox, sandbox.accounts[0]))
    assert {account.kind for account in listed} == {"FUTURES", "INDIVIDUAL_MARGIN"}
    assert all(account.is_simulated and account.can_trade for account in listed)


def test_the_preflight_passes_for_the_right_account(trader: Trader) -> None:
    assert _verdicts(preflight(trader.access, trader.futures, MNQ)) == {
        "SIGN_IN": True,
        "ACCOUNT": True,
        "CONTRACT": True,
        "PERMISSION": True,
        "BUDGET": True,
    }
    assert all(_verdicts(preflight(trader.access, trader.stocks, AAPL)).values())


@pytest.mark.parametrize("symbol", ["MNQZ9", "NOSUCH9"])
def test_the_preflight_knows_no_such_contract(trader: Trader, symbol: str) -> None:
    """E5"""
    assert _verdicts(preflight(trader.access, trader.futures, symbol))["CONTRACT"] is False


def test_the_preflight_tells_the_wrong_account(trader: Trader) -> None:
    stranger = AccountRef("NOBODY", "nobody")
    assert _verdicts(preflight(trader.access, trader.stocks, MNQ)) == {"SIGN_IN": True, "ACCOUNT": False}
    assert _verdicts(preflight(trader.access, stranger, MNQ)) == {"SIGN_IN": True, "ACCOUNT": False}


def test_the_preflight_tells_a_refused_login(trader: Trader) -> None:
    """H4"""
    secrets = {"password": "0" * 32}
    access = replace(trader.access, credentials=replace(trader.access.credentials, secrets=secrets))
    assert _verdicts(preflight(access, trader.futures, MNQ)) == {"SIGN_IN": False}


def test_a_contract_of_another_size_is_refused(scripted: ScriptedVenue) -> None:
    """E5: the name is the same and the money is not."""
    scripted.answers[CONTRACTS] = ok([{"symbol": MNQ, "size": "20.0", "min_tick": "0.25"}])
    checks = preflight(scripted.access(), ACCOUNT, MNQ)
    assert _verdicts(checks)["CONTRACT"] is False
    assert "CONTRACT_MISMATCH" in checks[-1].text
    assert scripted.asked(PREVIEW) == 0


def test_a_refused_preview_is_a_missing_permission(scripted: ScriptedVenue) -> None:
    scripted.answers[PREVIEW] = (417, b'{"error_code":"OPENAPI_TRADE_ORDER_NO_PERMISSION","message":"no futures"}')
    checks = preflight(scripted.access(), ACCOUNT, MNQ)
    assert _verdicts(checks)["PERMISSION"] is False
    assert any("NO_PERMISSION" in check.text for check in checks)


def test_an_empty_budget_is_told(scripted: ScriptedVenue) -> None:
    """K1: an entry would find nothing left."""
    for endpoint in (limits.ACCOUNTS, limits.PREVIEW, limits.PLACE):
        budget = CountingBudget({endpoint: Priority.EXIT})
        assert _verdicts(preflight(scripted.access(budget=budget), ACCOUNT, MNQ))["BUDGET"] is False
    assert scripted.asked("/trading/orders/place") == 0


def test_a_preview_places_nothing(trader: Trader) -> None:
    """Also of a bracket, whose exits need a price of now."""
    order = SubmitOrder(entry_id(), trader.stocks, AAPL, Side.BUY, 1, bracket=(BracketLeg(1, None, Decimal(5)),))
    preview(trader.access, trader.stocks, order)
    with pytest.raises(Refused):
        preview(trader.access, trader.stocks, replace(order, qty=0, bracket=()))
    assert trader.entries(trader.stocks) == []


def test_orders_outrank_looks(new_trader: Callable[..., Trader]) -> None:
    """K1 K2: each request is spent for under its own rank; a login whose looks are used up still trades."""
    budget = CountingBudget()
    trader = new_trader(budget).live()
    budget.empty = dict.fromkeys((limits.OPEN, limits.POSITIONS, limits.DETAIL), Priority.POLL)
    trader.submit()
    until(lambda: trader.net() == 1)
    trader.protect(Side.SELL, 1, "24900")
    until(lambda: len(trader.working()) == 1)
    trader.flatten()
    until(lambda: (trader.net(), trader.working()) == (0, []))
    placed = [priority for priority, endpoint in budget.spent if endpoint == limits.PLACE]
    assert placed == [Priority.ENTRY, Priority.STOP, Priority.FLATTEN]
    assert (Priority.FLATTEN, limits.CANCEL) in budget.spent


def test_a_connection_that_waits_for_its_owner_goes_live_by_itself(
    sandbox: RunningSandbox, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H4: failed and saying why, until the approval in the app."""
    monkeypatch.setattr(poll, "PENDING_SECONDS", 0.05)
    monkeypatch.setattr("brokers.webull.auth.PENDING_CHECK_SECONDS", 0.0)
    trader = Trader(sandbox, sandbox.add_accounts(1)[0])
    sandbox.switches(token_check=True)
    trader.connection.start()
    trader.wait_state(ConnectionState.FAILED)
    sandbox.switches(auto_approve=True)
    trader.wait_state(ConnectionState.LIVE)
    assert isinstance(trader.access.store, MemoryStore)
    assert trader.access.store.token is not None
    trader.close()


def test_a_token_that_expires_is_renewed_under_orders(sandbox: RunningSandbox, quick: None) -> None:
    """H1 H2: what cannot be renewed without the owner fails the login, with nothing placed twice."""
    sandbox.switches(token_check=True, auto_approve=True)
    trader = Trader(sandbox, sandbox.add_accounts(1)[0]).live()
    trader.sandbox.fault(trader.login.username, "token_expiry")
    names = [trader.submit() for _ in range(5)]
    outcomes = [trader.outcome(name) for name in names]
    assert len(trader.entries()) == len(set(trader.entries())) == 5
    assert len(outcomes) == 5
    trader.close()


def test_what_the_venue_does_by_itself_depends_on_the_market() -> None:
    assert VENUE.capabilities.native_brackets is False
    assert {name: (c.native_brackets, c.native_oco) for name, c in VENUE.by_market.items()} == {
        "stocks": (True, False),
        "options": (True, False),
    }
    assert VENUE.endpoints("live", {}) is not None
    assert VENUE.endpoints("sandbox", {}) is None
    assert "password" in {field.name for field in VENUE.fields if field.is_secret}


def test_two_factor_is_told_by_the_sign_in_check(sandbox: RunningSandbox) -> None:
    """H4"""
    login = sandbox.add_accounts(1)[0]
    sandbox.switches(token_check=True)
    access = access_to(sandbox, login)
    with pytest.raises(AuthFailed, match="TWO_FACTOR_PENDING"):
        sign_in_check(access)
    sandbox.switches(auto_approve=True)
    assert len(sign_in_check(access)) == 2


def test_contracts_are_compared_once_for_all_logins(scripted: ScriptedVenue) -> None:
    for _ in range(3):
        preflight(scripted.access(), ACCOUNT, MNQ)
    assert scripted.asked(CONTRACTS) == 1
    assert venue._books[scripted.url] is not None
