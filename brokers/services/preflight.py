"""Asking a venue whether an account could trade right now, and keeping the answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from django.db import transaction

from brokers.base import AccountRef
from brokers.errors import AuthExpired, AuthFailed, BrokerError, RateLimited, Refused
from brokers.instruments import resolve
from brokers.models import BrokerAccount
from brokers.registry import VENUES
from brokers.services.access import access_of
from brokers.services.budgets import PersonBudget
from brokers.services.connecting import refuse_transaction
from brokers.vault import WrongKey
from brokers.venue import Check
from justtrades import clock

NOT_REACHED = "NOT_REACHED"
USUAL_FUTURE = "MNQ"
USUAL_STOCK = "SPY"


def run_preflight(*, account: BrokerAccount, symbol: str | None = None) -> tuple[Check, ...]:
    """Each question and the venue's answer, which the account keeps. None asks about a contract that all venues have.

    A venue that gives no answer is a check that failed, `NOT_REACHED`. Talks to the venue, so it may not be called
    inside a transaction.
    """
    refuse_transaction()
    checks = _ask(account, usual_symbol(account) if symbol is None else symbol)
    account.preflight, account.preflight_at = [asdict(check) for check in checks], clock.now()
    with transaction.atomic(durable=True):
        account.save(update_fields=["preflight", "preflight_at"])
    return checks


def first_failure(checks: Iterable[Check]) -> Check | None:
    return next((check for check in checks if not check.is_ok), None)


def is_ready(checks: Iterable[Check]) -> bool:
    return first_failure(checks) is None


def usual_symbol(account: BrokerAccount) -> str:
    """A future of this quarter, or a stock where the account is for those."""
    venue = VENUES.get(account.login.venue)
    has_futures = venue is None or "futures" in venue.markets
    if has_futures and (account.kind == "" or "FUTURES" in account.kind.upper()):
        return resolve(USUAL_FUTURE, clock.now().date()).symbol
    return USUAL_STOCK


def _ask(account: BrokerAccount, symbol: str) -> tuple[Check, ...]:
    login = account.login
    venue = VENUES.get(login.venue)
    if venue is None:
        return (Check("VENUE", is_ok=False, text=f"{login.venue} cannot be connected"),)
    try:
        access = access_of(login, budget=PersonBudget(login))
        return venue.preflight(access, AccountRef(account.broker_id, account.name), symbol)
    except WrongKey as error:
        return (Check("CREDENTIALS", is_ok=False, text=str(error)),)
    except BrokerError as error:
        return (_failure(error),)


def _failure(error: BrokerError) -> Check:
    if isinstance(error, AuthFailed | AuthExpired):
        return Check("SIGN_IN", is_ok=False, text=str(error))
    if isinstance(error, Refused):
        return Check(error.code, is_ok=False, text=error.text)
    if isinstance(error, RateLimited):
        return Check(NOT_REACHED, is_ok=False, text=f"the broker wants silence until {error.until:%H:%M:%S} UTC")
    return Check(NOT_REACHED, is_ok=False, text=f"the broker could not be asked: {error}")
