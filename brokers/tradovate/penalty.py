"""Penalty tickets: the venue puts a request off with HTTP 200, and takes it once the ticket's time has passed.

A ticket is bound to this address and to its endpoint; the identical request with the ticket is then handled. One that
asks for a captcha is for a person: a program stops for an hour (Tradovate wire facts, rate limits).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from brokers.errors import RateLimited

CAPTCHA_HOLD = timedelta(hours=1)
_ASSUMED_SECONDS = 60
_LARGEST_SECONDS = 86_400


class PenaltyTicket(RateLimited):
    """The request was not executed; `ticket` lets it pass from `until` on, unless a captcha is asked for."""

    def __init__(self, until: datetime, text: str, ticket: str, *, needs_captcha: bool) -> None:
        super().__init__(until, text)
        self.ticket = ticket
        self.needs_captcha = needs_captcha

    def waiting_until(self, until: datetime) -> PenaltyTicket:
        """The same ticket, to be waited for until then."""
        return PenaltyTicket(until, str(self), self.ticket, needs_captcha=self.needs_captcha)


def check_penalty(payload: Any) -> None:
    """Raise `PenaltyTicket` when the answer is one: the request was not executed."""
    if not isinstance(payload, dict) or "p-ticket" not in payload:
        return
    seconds = payload.get("p-time")
    wait = timedelta(seconds=min(seconds, _LARGEST_SECONDS) if isinstance(seconds, int | float) else _ASSUMED_SECONDS)
    text = str(payload.get("p-message") or "penalty ticket")
    needs_captcha = bool(payload.get("p-captcha"))
    if needs_captcha:
        wait = max(wait, CAPTCHA_HOLD)
        text = f"{text}; the venue asks for a captcha, which only a person can answer: nothing is asked for an hour"
    raise PenaltyTicket(datetime.now(UTC) + wait, text, str(payload["p-ticket"]), needs_captcha=needs_captcha)
