"""NinjaTrader as `brokers.registry` names it.

Its brokerage accounts live on Tradovate's hosts and speak its protocol (Tradovate wire facts, hosts), so the adapter is
Tradovate's. What differs is what a person sees: the name, the sign-in page, the rules.
"""

from __future__ import annotations

from dataclasses import replace

from brokers.tradovate import venue as tradovate
from brokers.tradovate.oauth import TradovateOAuth
from brokers.venue import CredentialField

PAGES = {"demo": "https://web.ninjatrader.com/oauth?env=demo", "live": "https://web.ninjatrader.com/oauth"}
FIELDS = (
    CredentialField(
        "username",
        "NinjaTrader username",
        help_text="Of a NinjaTrader Brokerage account. A NinjaTrader 8 desktop on another feed cannot be reached.",
    ),
    CredentialField("password", "NinjaTrader password", is_secret=True),
    CredentialField(
        "app_secret",
        "API key",
        is_secret=True,
        is_required=False,
        help_text="Only with an API key of your own: its cid and secret with a colon between them.",
    ),
)
AUTOMATION_POLICY = (
    "NinjaTrader Brokerage takes automated orders over its API, and each order of ours says that it is one. A "
    "proprietary firm's account follows that firm's own rules on top: some forbid automation, or one strategy on "
    "several accounts."
)
VENUE = replace(
    tradovate.VENUE,
    backend="tradovate",
    label="NinjaTrader",
    fields=FIELDS,
    automation_policy=AUTOMATION_POLICY,
    oauth=TradovateOAuth(PAGES),
)
