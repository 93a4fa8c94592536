"""The firms on ProjectX and their hosts. The software is the same everywhere; keys are each firm's own.

Firms come and go, so an address of one's own overrides any of them (ProjectX wire facts, hosts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from brokers.access import Endpoints

DEFAULT_FIRM = "topstepx"
TOPSTEPX = Endpoints(
    "https://api.topstepx.com", "wss://rtc.topstepx.com/hubs/user", "wss://rtc.topstepx.com/hubs/market"
)
STAGING = Endpoints(
    "https://gateway-api-demo.s2f.projectx.com",
    "wss://gateway-rtc-demo.s2f.projectx.com/hubs/user",
    "wss://gateway-rtc-demo.s2f.projectx.com/hubs/market",
)

# The part of the host that is a firm's own, and what it is called.
_SUBDOMAINS = {
    "alphaticks": "Alpha Futures",
    "aquafutures": "Aqua Futures",
    "blueguardianfutures": "Blue Guardian Futures",
    "blusky": "BluSky",
    "bulenox": "Bulenox",
    "daytraders": "DayTraders",
    "e8": "E8 Futures",
    "fundingfutures": "Funding Futures",
    "futureselite": "Futures Elite",
    "fxifyfutures": "FXIFY Futures",
    "goatfundedfutures": "Goat Funded Futures",
    "holaprime": "Hola Prime",
    "lucidtrading": "Lucid Trading",
    "nexgen": "NexGen",
    "thefuturesdesk": "The Futures Desk",
    "tickticktrader": "TickTickTrader",
    "toponefutures": "Top One Futures",
    "tradeify": "Tradeify",
    "tx3funding": "TX3 Funding",
}
FIRMS: tuple[tuple[str, str], ...] = ((DEFAULT_FIRM, "Topstep (TopstepX)"), *_SUBDOMAINS.items())
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def endpoints(environment: str, settings: Mapping[str, str]) -> Endpoints | None:
    """The addresses of `settings["firm"]`, or those that `rest_url`, `ws_url` and `md_url` name instead.

    None for an unknown firm or environment, for half a pair, since one firm's token is nobody else's business, and for
    an address that would send it in the clear.
    """
    rest_url, ws_url, md_url = (settings.get(name, "").strip().rstrip("/") for name in ("rest_url", "ws_url", "md_url"))
    found = _preset(environment, settings.get("firm") or DEFAULT_FIRM)
    if rest_url or ws_url:
        market_hub = ws_url.removesuffix("/user") + "/market"
        found = Endpoints(rest_url.removesuffix("/api"), ws_url, market_hub)
    if found is None:
        return None
    found = replace(found, md_url=md_url or found.md_url)
    hubs = (found.ws_url, found.md_url)
    is_private = _is_private(found.rest_url, "https", "http") and all(_is_private(url, "wss", "ws") for url in hubs)
    return found if is_private else None


def _preset(environment: str, firm: str) -> Endpoints | None:
    if environment == "demo":
        return STAGING
    if environment != "live":
        return None
    if firm == DEFAULT_FIRM:
        return TOPSTEPX
    if firm not in _SUBDOMAINS:
        return None
    hubs = f"wss://rtc.{firm}.projectx.com/hubs"
    return Endpoints(f"https://api.{firm}.projectx.com", f"{hubs}/user", f"{hubs}/market")


def _is_private(url: str, encrypted: str, plain: str) -> bool:
    address = urlsplit(url)
    return bool(address.hostname) and (
        address.scheme == encrypted or (address.scheme == plain and address.hostname in _LOOPBACK)
    )
