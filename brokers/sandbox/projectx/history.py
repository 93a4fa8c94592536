"""History/retrieveBars: made-up bars that are the same whenever they are asked for, ending at the current price."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.projectx import timeline
from brokers.sandbox.projectx.books import Login
from brokers.sandbox.projectx.calls import Call, RefusedError, Reply, done
from brokers.sandbox.projectx.codes import Bars
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.rows import Row, wire

MOST_BARS = 20_000
# Seconds of each unit: second, minute, hour, day, week, month (of thirty days).
UNIT_SECONDS = {1: 1, 2: 60, 3: 3600, 4: 86_400, 5: 604_800, 6: 2_592_000}
_WAVE_SECONDS, _WAVE_TICKS = 5400.0, 40


def retrieve_bars(desk: Desk, call: Call, _login: Login) -> Reply:
    """Newest first; of more than ``limit`` the most recent are kept."""
    fields = call.fields
    contract = desk.listing.find(fields.text("contractId") or "")
    if contract is None or fields.flag("live"):
        raise RefusedError(Bars.CONTRACT_NOT_FOUND, bars=None)
    unit, number, limit = fields.integer("unit"), fields.integer("unitNumber"), fields.integer("limit")
    if unit not in UNIT_SECONDS:
        raise RefusedError(Bars.UNIT_INVALID, bars=None)
    if number <= 0:
        raise RefusedError(Bars.UNIT_NUMBER_INVALID, bars=None)
    if not 0 < limit <= MOST_BARS:
        raise RefusedError(Bars.LIMIT_INVALID, bars=None)
    now = datetime.now(UTC)
    end = min(fields.required_moment("endTime"), now)
    start, step = fields.required_moment("startTime"), UNIT_SECONDS[unit] * number
    newest = int(end.timestamp()) // step * step
    if newest + step > now.timestamp() and not fields.flag("includePartialBar"):
        newest -= step
    opens = range(newest, max(int(start.timestamp()), 0) - 1, -step)[:limit]
    return done(bars=[_bar(desk, contract, opened, step, now) for opened in opens])


def _bar(desk: Desk, contract: Contract, opened: int, step: int, now: datetime) -> Row:
    first = _price(desk, contract, opened)
    last = _price(desk, contract, opened + step)
    if opened + step > now.timestamp():
        last = desk.quote(contract).last
    spread = Random(f"{desk.seed}:{contract.name}:{opened}").randint(0, 4) * contract.tick  # noqa: S311
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=opened)
    return {
        "t": timeline.stamp(moment),
        "o": wire(first),
        "h": wire(max(first, last) + spread),
        "l": wire(min(first, last) - spread),
        "c": wire(last),
        "v": 100 + opened // step % 400,
    }


def _price(desk: Desk, contract: Contract, moment: int) -> Decimal:
    """A gentle wave about the product's usual price, on the tick grid."""
    phase = Random(f"{desk.seed}:{contract.name}").random() * math.tau  # noqa: S311
    ticks = round(math.sin(moment / _WAVE_SECONDS + phase) * _WAVE_TICKS)
    return contract.product.base_price + ticks * contract.tick
