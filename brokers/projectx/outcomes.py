"""What a failed request proves about an order; pure."""

from __future__ import annotations

from datetime import UTC, datetime

from brokers.base import Request
from brokers.errors import AuthExpired, BrokerError, NotReached, OutcomeUnknown, RateLimited, Refused
from brokers.projectx.client import OutOfBudget
from brokers.reports import NotSent, Outcome, Rejected, Unknown

UNAUTHORIZED = "UNAUTHORIZED"
RATE_LIMITED = "RATE_LIMITED"


def outcome_of_error(request: Request, error: BrokerError) -> Outcome:
    """The outcome under the request's own id. Doubt is never turned into a refusal."""
    name, now = request.client_order_id, datetime.now(UTC)
    match error:
        case Refused():
            return Rejected(name, error.code, error.text, now)
        case OutOfBudget() | NotReached():
            return NotSent(name, str(error), now)
        case RateLimited():
            text = f"not executed, the venue wants silence until {error.until:%H:%M:%S} UTC: {error}"
            return Rejected(name, RATE_LIMITED, text, now)
        case AuthExpired():
            return Rejected(name, UNAUTHORIZED, str(error), now)
        case OutcomeUnknown():
            return Unknown(name, str(error), now)
        case _:
            return Unknown(name, type(error).__name__, now)
