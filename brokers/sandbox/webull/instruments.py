"""Reference data: what is listed, and its terms (wire facts, 9)."""

from __future__ import annotations

from collections.abc import Iterable

from brokers.sandbox.market.catalog import CONTRACT_GROUPS, EXCHANGES, Contract, Product
from brokers.sandbox.webull.calls import Call, Reply
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import US_FUTURES, Stock, StockOption, category
from brokers.sandbox.webull.wire import Row, count, figure, money, parameter_error, refusal

PAGE = 1000
MOST_EXPIRIES = 8
_EXCHANGE_CODES = {"CME": "XCME", "CBOT": "XCBT", "NYMEX": "XNYM", "COMEX": "XCEC"}
_EXCHANGES = {number: _EXCHANGE_CODES[name] for name, number in EXCHANGES.items()}
_CLASSES = {number: name for name, number in CONTRACT_GROUPS.items()}


def stocks(desk: Desk, call: Call) -> Reply:
    names, wanted = _texts(call, "symbols"), call.params.get("category")
    found = [s for s in desk.listings.stocks.values() if s.name in names or not names]
    return Reply(200, {"data": [_stock_row(stock) for stock in found if wanted in (None, category(stock))]})


def options(desk: Desk, call: Call) -> Reply:
    names, roots = _texts(call, "option_symbols"), _texts(call, "underlying_symbols")
    found = [option for option in desk.listings.options.values() if not desk.listings.expired(option)]
    found = [o for o in found if (not names or o.name in names) and (not roots or o.underlying.name in roots)]
    return Reply(200, _page(call, found))


def futures(desk: Desk, call: Call) -> Reply:
    """By ``symbols``, or all live expiries of a ``code``: a bare array."""
    _check_futures(call)
    names, code = _texts(call, "symbols"), call.params.get("code")
    if not names and code is None:
        raise parameter_error("symbols or code is required")
    if names:
        found = [contract for name in names if (contract := desk.listings.tradable(name)) is not None]
    else:
        found = [c for c in desk.listings.by_name.values() if c.product.root == code and not desk.listings.expired(c)]
    listed = [c for c in found if category(c) == US_FUTURES]
    return Reply(200, [_future_row(contract) for contract in (listed if names else listed[:MOST_EXPIRIES])])


def futures_products(desk: Desk, call: Call) -> Reply:
    _check_futures(call)
    wanted = call.params.get("product_class_id")
    products = [p for p in desk.listings.products.values() if wanted in (None, str(p.group_id))]
    return Reply(200, [_product_row(product) for product in products])


def futures_classes(_desk: Desk, call: Call) -> Reply:
    _check_futures(call)
    return Reply(200, [{"id": str(number), "name": name} for number, name in _CLASSES.items()])


def _check_futures(call: Call) -> None:
    if call.params.get("category") != US_FUTURES:
        raise refusal("UNSUPPORTED_CATEGORY", f"category is not supported: {call.params.get('category')}")


def _texts(call: Call, name: str) -> list[str]:
    return [text for text in str(call.params.get(name) or "").split(",") if text]


def _page(call: Call, found: Iterable[StockOption]) -> Row:
    listed = list(found)
    start = count(call.params, "pagination_key", 1, len(listed) + 1) - 1
    following = start + PAGE
    body: Row = {"data": [_option_row(option) for option in listed[start:following]]}
    if following < len(listed):
        body["pagination_key"] = str(following + 1)
    return body


def _stock_row(stock: Stock) -> Row:
    return {
        "symbol": stock.name,
        "name": stock.product.description,
        "category": category(stock),
        "status": "OC",
        "instrument_id": str(stock.id),
        "exchange_code": stock.exchange,
        "shortable": True,
        "easy_to_borrow": True,
        "marginable": True,
        "fractionable": False,
        "overnight_trading_supported": True,
        "margin_requirement_long": "0.5",
        "margin_requirement_short": "0.5",
        "lot_size": "1",
    }


def _option_row(option: StockOption) -> Row:
    return {
        "symbol": option.name,
        "expiration_date": option.expires.isoformat(),
        "strike_price": money(option.strike),
        "option_type": option.right,
        "multiplier": "100",
        "root_symbol": option.underlying.name,
        "underlying_symbol": option.underlying.name,
        "tradable_status": "OC",
        "instrument_id": str(option.id),
    }


def _future_row(contract: Contract) -> Row:
    product = contract.product
    return {
        "symbol": contract.name,
        "code": product.root,
        "name": product.description,
        "category": US_FUTURES,
        "size": f"{product.point_value:.1f}",
        "min_tick": figure(product.tick),
        "contract_month": f"{contract.year}-{contract.month:02d}",
        "last_trading_date": contract.last_trade.isoformat(),
        "settlement": "CASH",
        "status": "OC",
        "unit": 1,
        "instrument_id": str(contract.id),
        **_class_of(product),
    }


def _product_row(product: Product) -> Row:
    return {"code": product.root, "name": product.description, "category": US_FUTURES, **_class_of(product)}


def _class_of(product: Product) -> Row:
    return {
        "exchange_code": _EXCHANGES[product.exchange_id],
        "product_class_id": str(product.group_id),
        "product_class_name": _CLASSES[product.group_id],
    }
