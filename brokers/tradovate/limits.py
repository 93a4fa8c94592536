"""What Tradovate allows, as its partner documents state it (rate limits page, read in 2026).

A login's requests of any kind, over REST and socket alike, count together; some endpoints count by address on top.
Sign-ins and `auth/me` count only when they are refused: the adapter spends nothing before them but one after a refusal.
"""

from __future__ import annotations

from brokers.access import Limit

SIGN_IN = "auth/accesstokenrequest"
RENEW = "auth/renewaccesstoken"
OAUTH_TOKEN = "auth/oauthtoken"  # noqa: S105 - an endpoint
ME = "auth/me"
SYNC = "user/syncrequest"
DRY_RUN = "order/dryrun"

HOUR = 3600.0

LIMITS = (
    Limit("login", 5_000, HOUR),
    Limit("ip", 5, HOUR, frozenset({SIGN_IN}), reserve=0.0),
    Limit("ip", 15, HOUR, frozenset({RENEW}), reserve=0.0),
    Limit("ip", 10, HOUR, frozenset({ME}), reserve=0.0),
    Limit("ip", 300, HOUR, frozenset({SYNC}), reserve=0.0),
    Limit("ip", 500, HOUR, frozenset({DRY_RUN}), reserve=0.0),
)
