"""What went wrong at a broker, as classes by what to do next. Texts are safe to show and never hold a secret."""

from __future__ import annotations

from datetime import datetime


class BrokerError(Exception):
    """Anything a venue or the way to it can do to us."""


class NotReached(BrokerError):
    """Proof that nothing was sent: connection refused, name not resolved, socket closed before the first byte."""


class OutcomeUnknown(BrokerError):
    """Sent, but no trustworthy answer came: time-out, dropped socket, garbled reply."""


class Refused(BrokerError):
    """The venue said no, with proof; asking again with the same words is pointless."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class AuthFailed(Refused):
    """The login itself was refused: stop, tell the owner, do not hammer."""


class AuthExpired(BrokerError):
    """The token is no longer good: renew once, then try what is safe to repeat."""


class RateLimited(BrokerError):
    """The venue wants silence until `until` (aware UTC); nothing was executed."""

    def __init__(self, until: datetime, text: str) -> None:
        super().__init__(text)
        self.until = until
