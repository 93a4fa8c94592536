"""What single traders have won: for their monitor, and by the same figures for a look before an entry.

The look is two statements, however many traders; asked where a trader's own settings limit its day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from brokers.sessions import DEFAULT_ROLL, EXCHANGE_ZONE, session_of
from risk.restrictions import array_of
from risk.terms import OF_A_TRADER

ZERO = Decimal(0)

_STANDINGS = """
    SELECT t.id, t.account_id, r.fee_per_contract, r.roll_at, r.roll_zone, d.starts_at, d.checked_at, EXISTS (
        SELECT 1 FROM risk_riskaction l
        WHERE l.account_id = t.account_id AND l.limit_key = %(setting)s || t.id::text
          AND l.unlocked_at IS NOT NULL AND l.locks_until > %(now)s)
    FROM traders_trader t
    LEFT JOIN risk_accountrules r ON r.account_id = t.account_id
    LEFT JOIN LATERAL (
        SELECT starts_at, checked_at FROM risk_accountday
        WHERE account_id = t.account_id AND session >= %(since)s AND starts_at <= %(now)s AND ends_at > %(now)s
        ORDER BY session DESC LIMIT 1) d ON true
    WHERE t.id = ANY(%(traders)s::uuid[])
"""

# A trader's fills are looked for among its account's newest: that is what there is an index for. Those that closed a
# whole account are nobody's order, and say in `shares` what of them was whose.
_WON = """
    WITH whose AS (
        SELECT * FROM unnest(%(traders)s::uuid[], %(since)s::timestamptz[]) AS w (trader_id, since)),
    newest AS MATERIALIZED (
        SELECT order_id, realized_pnl, qty, shares, filled_at FROM execution_fill
        WHERE account_id = ANY(%(accounts)s::uuid[]) AND filled_at >= %(earliest)s)
    SELECT trader_id, coalesce(sum(won), 0), sum(contracts) FROM (
        SELECT w.trader_id, f.realized_pnl AS won, f.qty AS contracts
        FROM newest f
        JOIN execution_order o ON o.id = f.order_id
        JOIN whose w ON w.trader_id = o.trader_id AND f.filled_at >= w.since
        UNION ALL
        SELECT w.trader_id, (share->>2)::numeric, (share->>1)::integer
        FROM newest f
        CROSS JOIN LATERAL jsonb_array_elements(f.shares) AS share
        JOIN whose w ON w.trader_id::text = share->>0 AND f.filled_at >= w.since
        WHERE f.shares IS NOT NULL) AS parts
    GROUP BY trader_id
"""


class Standing(NamedTuple):
    """How a trader's day is counted: from `since`, with `fee` dollars per contract and side.

    `is_lifted`: somebody unlocked its own loss limit, which acts no more in this session. `checked_at` is when a
    monitor last counted the account, None for never in this session.
    """

    account_id: UUID
    fee: Decimal
    since: datetime
    checked_at: datetime | None
    is_lifted: bool


def read_standings(traders: Collection[UUID], now: datetime) -> dict[UUID, Standing]:
    """By trader. The session is the one that a monitor has begun, else the one that the account's rules make of now."""
    known: dict[str, Any] = {
        "traders": array_of(traders),
        "now": now,
        "since": (now - timedelta(days=1)).date(),
        "setting": OF_A_TRADER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, known)
        return {
            trader_id: Standing(
                account_id,
                ZERO if fee is None else fee,
                starts_at or _start(now, roll_at, roll_zone),
                checked_at,
                lifted,
            )
            for trader_id, account_id, fee, roll_at, roll_zone, starts_at, checked_at, lifted in cursor.fetchall()
        }


def won_since(standings: Mapping[UUID, Standing]) -> dict[UUID, Decimal]:
    """What each has realised since its session began, in dollars after fees."""
    rows = won_by_fills({trader_id: (one.account_id, one.since) for trader_id, one in standings.items()})
    found = {trader_id: won - standings[trader_id].fee * contracts for trader_id, won, contracts in rows}
    return dict.fromkeys(standings, ZERO) | found


def won_by_fills(whose: Mapping[UUID, tuple[UUID, datetime]]) -> list[tuple[UUID, Decimal, int]]:
    """By trader what its fills realised before fees, in dollars, and their contracts; `whose` is each one's account and
    the moment from which its fills count. Who had none is not among them.
    """
    if not whose:
        return []
    known: dict[str, Any] = {
        "traders": list(whose),
        "accounts": [account_id for account_id, _ in whose.values()],
        "since": [since for _, since in whose.values()],
        "earliest": min(since for _, since in whose.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WON, known)
        return [(trader_id, won, int(contracts)) for trader_id, won, contracts in cursor.fetchall()]


def _start(now: datetime, roll_at: time | None, roll_zone: str | None) -> datetime:
    return session_of(now, DEFAULT_ROLL if roll_at is None else roll_at, roll_zone or EXCHANGE_ZONE).start
