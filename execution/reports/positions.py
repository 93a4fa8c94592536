"""What the venue says that an account holds.

A position that it reports is there. One that a sync lacks, or calls flat, although no fill of ours or of anybody else
explains that, is not gone yet: it is when a second look at least two seconds later agrees. It never is by looks that
say nothing at all, however many: those of one outage agree with each other. Nor by one whose own executions say that it
is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from brokers.base import OrderStatus
from brokers.reports import Event, PositionReport
from execution.models import BrokerPosition
from execution.models.order import WORKING
from execution.reports.ledger import Ledger
from execution.reports.looks import Key, Look, expected_at_venue, held_by_us, note_overtaken

AGAIN_AFTER = timedelta(seconds=2)
AT_VENUE = sorted(WORKING | {OrderStatus.SUSPENDED, OrderStatus.PENDING_CANCEL})
"""The states of an order that the venue itself has told."""


def store_positions(ledger: Ledger, events: Sequence[tuple[UUID, Event]], looks: Mapping[UUID, Look]) -> None:
    """`events` are the batch as it came; the fills that it brought are stored already."""
    told: dict[Key, PositionReport] = {}
    for login_id, event in events:
        if not isinstance(event, PositionReport):
            continue
        account = ledger.accounts.get((login_id, event.account.broker_id))
        if account is not None:
            told[account.id, event.symbol] = event
            ledger.owners.add(account.owner_id)
    rows = {key: _row(ledger, key, event) for key, event in told.items()}
    if looks:
        rows |= _seen(ledger, looks, told)
    BrokerPosition.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["account", "symbol"],
        update_fields=["net_qty", "avg_price", "reported_at", "gone_at"],
    )


def _row(ledger: Ledger, key: Key, report: PositionReport | None) -> BrokerPosition:
    """`report` None: the venue lists no such position."""
    net, average = (0, None) if report is None else (report.net_qty, report.avg_price)
    return BrokerPosition(
        account_id=key[0], symbol=key[1], net_qty=net, avg_price=average, reported_at=ledger.now, gone_at=None
    )


def _seen(ledger: Ledger, looks: Mapping[UUID, Look], told: Mapping[Key, PositionReport]) -> dict[Key, BrokerPosition]:
    known = {(row.account_id, row.symbol): row for row in BrokerPosition.objects.filter(account_id__in=looks)}
    ours = held_by_us(looks)
    note_overtaken(looks)
    spoken_of = {(account_id, symbol) for account_id, look in looks.items() for symbol in look.positions}
    held_before = {key for key, row in known.items() if row.net_qty != 0 or row.gone_at is not None}
    rows: dict[Key, BrokerPosition] = {}
    for key in spoken_of | held_before | ours.keys():
        look, row = looks[key[0]], known.get(key)
        if (
            key[1] in look.late
            or (key in told and told[key].at > look.at)
            or (row is not None and row.reported_at > look.at)
        ):
            continue
        report = look.positions.get(key[1])
        if (report is not None and report.net_qty != 0) or _is_flat(look, key, row, ours[key]):
            rows[key] = _row(ledger, key, report)
            if row is None or (row.net_qty, row.avg_price) != (rows[key].net_qty, rows[key].avg_price):
                ledger.owners.add(look.account.owner_id)
        elif look.is_bare:
            look.missed.add(key[1])
        else:
            rows[key] = _doubted(look, key, row, ours[key])
    return rows


def _is_flat(look: Look, key: Key, row: BrokerPosition | None, ours: int) -> bool:
    """Whether the look is believed that shows nothing of a contract."""
    if ours == 0 or expected_at_venue(key, row) == 0:
        return True
    is_second = row is not None and row.gone_at is not None and look.at - row.gone_at >= AGAIN_AFTER
    return is_second and look.net_filled(key[1]) * ours <= 0 and not look.is_bare


def _doubted(look: Look, key: Key, row: BrokerPosition | None, ours: int) -> BrokerPosition:
    """What was held stays, and the moment is noted. The venue never spoke of it: then what we hold stands there."""
    if row is None:
        row = BrokerPosition(account_id=key[0], symbol=key[1], net_qty=ours, reported_at=look.at)
    if row.gone_at is None:
        row.gone_at = look.at
    return row
