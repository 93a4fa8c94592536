"""Which addresses there are: generation 3, and those of generation 2 that mean the same (wire facts, 1)."""

from __future__ import annotations

from dataclasses import dataclass

from brokers.sandbox.webull import instruments, marketdata, money, queries, streaming, trading
from brokers.sandbox.webull.calls import Handler

CONFIG = "openapi/config"
CREATE_TOKEN, CHECK_TOKEN, REFRESH_TOKEN = "auth/tokens/create", "auth/tokens/check", "openapi/auth/token/refresh"
WITHOUT_TOKEN = frozenset({CONFIG, CREATE_TOKEN, CHECK_TOKEN, REFRESH_TOKEN})
ENTRIES = frozenset({"trading/orders/place", "trading/orders/batch-place"})
COMMANDS = ENTRIES | {"trading/orders/replace", "trading/orders/cancel"}
LISTS = frozenset(
    {"trading/orders/open-orders/list", "trading/orders/historical-orders/list", "trading/assets/positions/list"}
)
GET_HANDLERS: dict[str, Handler] = {
    "trading/accounts/list": queries.accounts,
    "trading/assets/balances/get": money.balance,
    "trading/assets/positions/list": money.positions,
    "trading/activities/cash-activities/list": queries.cash_activities,
    "trading/orders/get": queries.detail,
    "trading/orders/open-orders/list": queries.open_orders,
    "trading/orders/historical-orders/list": queries.history,
    "trading/instruments/stocks/profiles/list": instruments.stocks,
    "trading/instruments/options/contracts/list": instruments.options,
    "trading/instruments/futures/contracts/list": instruments.futures,
    "trading/instruments/futures/product-codes/list": instruments.futures_products,
    "trading/instruments/futures/product-classes/list": instruments.futures_classes,
    **{f"market-data/{kind}/snapshots/list": marketdata.snapshots for kind in ("stocks", "options", "futures")},
    **{f"market-data/{kind}/ticks/list": marketdata.ticks for kind in ("stocks", "options", "futures")},
    **{f"market-data/{kind}/depths/list": marketdata.depths for kind in ("stocks", "futures")},
    **{f"market-data/{kind}/bars/list": marketdata.bars for kind in ("options", "futures")},
}
POST_HANDLERS: dict[str, Handler] = {
    "trading/orders/preview": trading.preview,
    "trading/orders/place": trading.place,
    "trading/orders/batch-place": trading.batch_place,
    "trading/orders/replace": trading.replace,
    "trading/orders/cancel": trading.cancel,
    "market-data/stocks/bars/list": marketdata.bars,
    "market-data/streaming/subscribe": streaming.subscribe,
    "market-data/streaming/unsubscribe": streaming.unsubscribe,
}
_ORDER_VERBS = ("preview", "place", "replace", "cancel")
ALIASES: dict[str, str] = {
    "openapi/auth/token/create": CREATE_TOKEN,
    "openapi/auth/token/check": CHECK_TOKEN,
    "openapi/account/list": "trading/accounts/list",
    "openapi/assets/balance": "trading/assets/balances/get",
    "openapi/assets/positions": "trading/assets/positions/list",
    "openapi/trade/activities/cash": "trading/activities/cash-activities/list",
    "openapi/trade/order/batch-place": "trading/orders/batch-place",
    "openapi/trade/order/detail": "trading/orders/get",
    "openapi/trade/order/open": "trading/orders/open-orders/list",
    "openapi/trade/order/history": "trading/orders/historical-orders/list",
    "openapi/instrument/stock/list": "trading/instruments/stocks/profiles/list",
    "openapi/instrument/option/contracts": "trading/instruments/options/contracts/list",
    "openapi/instrument/futures/list": "trading/instruments/futures/contracts/list",
    "openapi/instrument/futures/by-code": "trading/instruments/futures/contracts/list",
    "openapi/instrument/futures/products": "trading/instruments/futures/product-codes/list",
    "openapi/instrument/futures/product-classes": "trading/instruments/futures/product-classes/list",
    "openapi/market-data/stock/quotes": "market-data/stocks/depths/list",
    "openapi/market-data/stock/batch-bars": "market-data/stocks/bars/list",
    "openapi/market-data/futures/depth": "market-data/futures/depths/list",
    "openapi/market-data/streaming/subscribe": "market-data/streaming/subscribe",
    "openapi/market-data/streaming/unsubscribe": "market-data/streaming/unsubscribe",
    **{
        f"openapi/trade/{kind}order/{verb}": f"trading/orders/{verb}"
        for kind in ("", "stock/", "option/")
        for verb in _ORDER_VERBS
    },
    **{
        f"openapi/market-data/{kind}/{what}": f"market-data/{kind.removesuffix('s')}s/{what}s/list"
        for kind in ("stock", "option", "futures")
        for what in ("snapshot", "tick")
    },
    "openapi/market-data/option/bars": "market-data/options/bars/list",
    "openapi/market-data/futures/bars": "market-data/futures/bars/list",
}
_METHODS: dict[str, str] = {
    **dict.fromkeys(GET_HANDLERS, "GET"),
    **dict.fromkeys(POST_HANDLERS, "POST"),
    CONFIG: "GET",
    **dict.fromkeys((CREATE_TOKEN, CHECK_TOKEN, REFRESH_TOKEN), "POST"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """``endpoint`` is the generation-3 path; ``version`` what its generation answers when no header says."""

    endpoint: str
    version: str


def find_route(method: str, path: str) -> Route | None:
    """None when the gateway knows no such address."""
    given = path.removeprefix("/")
    endpoint = ALIASES.get(given, given)
    if _METHODS.get(endpoint) != method:
        return None
    return Route(endpoint, "v2" if given in ALIASES else "v3")
