"""The venue's cash snapshot: the only place that tells open profit (Tradovate wire facts, account and cash)."""

from __future__ import annotations

from decimal import Decimal

import orjson

from brokers.base import AccountRef
from brokers.errors import OutcomeUnknown, Refused
from brokers.tradovate.client import Client
from brokers.tradovate.parse import decimal_of

SNAPSHOT = "cashBalance/getcashbalancesnapshot"


def day_pnl(client: Client, account: AccountRef) -> Decimal | None:
    """Dollars realised in the venue's session, before fees, and open now. Raises a `BrokerError`."""
    answer = client.ask(SNAPSHOT, orjson.dumps({"accountId": int(account.broker_id)}))
    if not isinstance(answer, dict):
        raise OutcomeUnknown(f"{SNAPSHOT}: the answer could not be read")
    if answer.get("errorText"):
        raise Refused("SNAPSHOT_REFUSED", str(answer["errorText"]))
    realized, opened = decimal_of(answer.get("realizedPnL")), decimal_of(answer.get("openPnL"))
    return None if realized is None or opened is None else realized + opened
