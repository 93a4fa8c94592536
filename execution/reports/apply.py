"""One batch of a lane's events, applied in one transaction and in the brokers' order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from brokers.base import ConnectionState
from brokers.models import BrokerAccount, BrokerLogin
from brokers.reports import (
    Accepted,
    BalanceReport,
    ConnectionReport,
    Event,
    FillReport,
    NotSent,
    OrderReport,
    PositionReport,
    Rejected,
    Sent,
    SyncReport,
    Unknown,
)
from brokers.selectors import secrets_of
from execution import feed
from execution.bulk import update_rows
from execution.reconcile.books import Before
from execution.reconcile.looking import compare_looks
from execution.reports import absence
from execution.reports.fills import apply_fills, store_fills
from execution.reports.ledger import Ledger
from execution.reports.looks import looks_of
from execution.reports.orders import apply_order
from execution.reports.outcomes import apply_outcome, apply_sent
from execution.reports.positions import store_positions
from execution.reports.settle import settle
from justtrades import clock
from justtrades.killpoints import killpoint

LoginEvent = tuple[UUID, Event]
OUTCOMES = (Accepted, Rejected, NotSent, Unknown)


@dataclass(slots=True)
class _Batch:
    """The events, flattened: a sync is the orders, fills and positions that it names."""

    events: list[LoginEvent] = field(default_factory=list)
    syncs: list[tuple[UUID, SyncReport]] = field(default_factory=list)

    def flat(self) -> Iterator[LoginEvent]:
        for login_id, event in self.events:
            if isinstance(event, SyncReport):
                parts: tuple[Event, ...] = (*event.orders, *event.fills, *event.positions, *event.balances)
                yield from ((login_id, part) for part in parts)
            else:
                yield login_id, event


def apply_events(events: Sequence[LoginEvent]) -> None:
    """Apply and commit. Applying the same events again changes nothing; a crash in the middle applies none of them."""
    batch = _Batch(list(events), [(login, event) for login, event in events if isinstance(event, SyncReport)])
    flat = list(batch.flat())
    with transaction.atomic():
        accounts = _accounts_of({login for login, _ in flat} | {login for login, _ in batch.syncs})
        venues = {account.id: account.login.venue for account in accounts.values()}
        ledger = Ledger(clock.now(), accounts, venues)
        ledger.load(_client_ids(flat), _broker_ids(ledger, flat))
        _note_first_fills(ledger, flat)
        looks, before = looks_of(ledger, batch.syncs), Before.of(ledger)
        _apply_all(ledger, flat)
        absence.apply_looks(ledger, looks, _listening(flat))
        ledger.write()
        fills = [(_account_id(ledger, login, event), event) for login, event in flat if isinstance(event, FillReport)]
        if fills:
            killpoint("bracket.pre_arm")
        fresh = store_fills(ledger, [(account, fill) for account, fill in fills if account is not None])
        apply_fills(ledger, ledger.by_broker.keys())
        ledger.write()
        store_positions(ledger, batch.events, looks)
        settle(ledger)
        ledger.write_intents()
        compare_looks(ledger, looks, before, fresh)
        _store_balances(ledger, flat)
        _store_connections(flat)
    _announce(ledger, flat)


def _accounts_of(login_ids: set[UUID]) -> dict[tuple[UUID, str], BrokerAccount]:
    accounts = BrokerAccount.objects.filter(login_id__in=login_ids).select_related("login")
    accounts = accounts.defer(*secrets_of("login"))
    return {(account.login_id, account.broker_id): account for account in accounts}


def _account_id(ledger: Ledger, login_id: UUID, report: FillReport | OrderReport | PositionReport) -> UUID | None:
    account = ledger.accounts.get((login_id, report.account.broker_id))
    return account.id if account is not None else None


def _client_ids(flat: Sequence[LoginEvent]) -> Iterator[str]:
    for _, event in flat:
        if isinstance(event, (Sent, *OUTCOMES)):
            yield event.client_order_id
        elif isinstance(event, OrderReport):
            yield from (name for name in (event.client_order_id, event.parent_client_order_id) if name is not None)


def _broker_ids(ledger: Ledger, flat: Sequence[LoginEvent]) -> Iterator[tuple[UUID, str]]:
    by_login: dict[str, UUID] = {}
    for login_id, event in flat:
        if isinstance(event, OrderReport | FillReport):
            account_id = _account_id(ledger, login_id, event)
            if account_id is not None:
                yield account_id, event.broker_order_id
        elif isinstance(event, Accepted) and event.broker_order_id is not None:
            by_login[event.broker_order_id] = login_id
    for name, login_id in by_login.items():
        yield from ((account.id, name) for key, account in ledger.accounts.items() if key[0] == login_id)


def _note_first_fills(ledger: Ledger, flat: Sequence[LoginEvent]) -> None:
    for login_id, event in flat:
        account_id = _account_id(ledger, login_id, event) if isinstance(event, FillReport) else None
        if isinstance(event, FillReport) and account_id is not None:
            key = (account_id, event.broker_order_id)
            ledger.filled_at[key] = min(event.at, ledger.filled_at.get(key, event.at))


def _apply_all(ledger: Ledger, flat: Sequence[LoginEvent]) -> None:
    """Answers first: they say which order is whose, and no order is then taken for a close that is another one's."""
    for _, event in flat:
        if isinstance(event, Sent):
            apply_sent(ledger, event)
        elif isinstance(event, OUTCOMES):
            apply_outcome(ledger, event)
    for login_id, event in flat:
        if isinstance(event, OrderReport):
            apply_order(ledger, login_id, event)


def _store_balances(ledger: Ledger, flat: Sequence[LoginEvent]) -> None:
    newest = {
        account.id: event
        for login_id, event in flat
        if isinstance(event, BalanceReport)
        and (account := ledger.accounts.get((login_id, event.account.broker_id))) is not None
    }
    rows = [(account_id, report.cash, report.at) for account_id, report in newest.items()]
    update_rows(BrokerAccount, ("cash", "cash_at"), rows)


def _store_connections(flat: Sequence[LoginEvent]) -> None:
    newest = {login_id: event for login_id, event in flat if isinstance(event, ConnectionReport)}
    for login_id, report in newest.items():
        BrokerLogin.objects.filter(pk=login_id).update(
            state=report.state.value, state_detail=report.detail[:255], state_at=report.at
        )


def _listening(flat: Sequence[LoginEvent]) -> set[UUID]:
    """The logins whose connection has just become live."""
    return {login for login, e in flat if isinstance(e, ConnectionReport) and e.state is ConnectionState.LIVE}


def _announce(ledger: Ledger, flat: Sequence[LoginEvent]) -> None:
    for owner_id in ledger.owners:
        feed.announce(owner_id, "intents", "orders", "positions", "signals")
    changed = {login_id for login_id, event in flat if isinstance(event, ConnectionReport)}
    for owner_id in BrokerLogin.objects.filter(pk__in=changed).values_list("owner_id", flat=True).distinct():
        feed.announce(owner_id, "connections")
