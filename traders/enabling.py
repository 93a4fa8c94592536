"""Switching on by a person: the broker is asked first, and a trader whose account cannot trade stays off."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from brokers.instruments import TickerKind, UnknownTicker, instrument_of, resolve
from brokers.models import BrokerAccount
from brokers.services import first_failure, run_preflight
from justtrades import clock
from recorders.models import Recorder, Signal
from traders.models import Trader
from traders.services import switch_on


def enable_trader(*, trader: Trader) -> Trader:
    """Ask the broker whether the account can trade what the trader trades, then switch it on.

    Talks to the broker, so it may not be called inside a transaction. Raises `ValidationError` naming the check that
    failed; the trader is as it was.
    """
    check_ready(trader.recorder, [(trader.account, trader.custom_ticker)])
    return switch_on(trader=trader)


def check_ready(recorder: Recorder, routes: Iterable[tuple[BrokerAccount, str]]) -> None:
    """Ask for each account, with the ticker that it trades instead of the signal's, until one cannot trade.

    Talks to the broker, so it may not be called inside a transaction. Raises `ValidationError` on `account`.
    """
    for account, custom_ticker in routes:
        failed = first_failure(run_preflight(account=account, symbol=_symbol(recorder, custom_ticker)))
        if failed is not None:
            reason = f"{account.name} stays off. Its pre-flight failed at {failed.code}: {failed.text}"
            raise ValidationError({"account": reason})


def _symbol(recorder: Recorder, custom_ticker: str) -> str | None:
    """What the trader would trade today, as far as that is known: its own ticker, or that of the newest signal."""
    signals = Signal.objects.filter(owner_id=recorder.owner_id, recorder=recorder).exclude(ticker="")
    ticker = custom_ticker or signals.order_by("-received_at").values_list("ticker", flat=True).first()
    if ticker is None:
        return None
    try:
        named = instrument_of(ticker)
        return resolve(ticker, clock.now().date()).symbol if named.kind is TickerKind.FUTURE else named.symbol
    except UnknownTicker:
        return None
