"""Market data over HTTP: snapshots, depth, ticks and bars (wire facts, 9). Numbers are texts, newest comes first."""

from __future__ import annotations

from brokers.sandbox.market.catalog import Contract
from brokers.sandbox.webull import figures
from brokers.sandbox.webull.calls import Call, Reply
from brokers.sandbox.webull.desk import Desk
from brokers.sandbox.webull.listings import US_ETF, US_FUTURES, US_OPTION, US_STOCK, StockOption, category
from brokers.sandbox.webull.wire import Row, count, figure, iso_offset, money, now_ms, parameter_error, refusal

MOST_STOCKS, MOST_OTHERS = 100, 20
MOST_BARS, DEFAULT_BARS = 1200, 200
MOST_TICKS, DEFAULT_TICKS = 1000, 30
MOST_LEVELS = 50
TICK_SPACING_MS = 250
_CATEGORIES = {"stocks": (US_STOCK, US_ETF), "options": (US_OPTION,), "futures": (US_FUTURES,)}


def snapshots(desk: Desk, call: Call) -> Reply:
    most = MOST_STOCKS if _kind(call) == "stocks" else MOST_OTHERS
    return Reply(200, [_snapshot(desk, symbol, contract) for symbol, contract in _contracts(desk, call, most)])


def depths(desk: Desk, call: Call) -> Reply:
    symbol, contract = _contract(desk, call)
    asks, bids = figures.depth(desk, contract, count(call.params, "depth", 1, MOST_LEVELS))
    return Reply(
        200,
        {
            "symbol": symbol,
            "asks": [{"price": price, "size": size} for price, size in asks],
            "bids": [{"price": price, "size": size} for price, size in bids],
            "instrument_id": str(contract.id),
            "quote_time": now_ms(),
        },
    )


def ticks(desk: Desk, call: Call) -> Reply:
    symbol, contract = _contract(desk, call)
    wanted, now = count(call.params, "count", DEFAULT_TICKS, MOST_TICKS), now_ms()
    trades = [
        {
            "time": str(now - nth * TICK_SPACING_MS),
            "price": figure(day.last),
            "volume": str(day.volume),
            "side": "BSN"[nth % 3],
            "trading_session": "RTH",
        }
        for nth, (_, day) in enumerate(figures.bars(desk, contract, "M1", wanted))
    ]
    return Reply(200, {"symbol": symbol, "instrument_id": str(contract.id), "result": trades})


def bars(desk: Desk, call: Call) -> Reply:
    """Stocks come in an envelope, futures and options as a bare array."""
    timespan = str(call.params.get("timespan", "")).upper()
    if timespan not in figures.TIMESPANS:
        raise refusal("UNSUPPORTED_PERIOD", f"timespan is not supported: {timespan}")
    wanted = count(call.params, "count", DEFAULT_BARS, MOST_BARS)
    is_stocks = _kind(call) == "stocks"
    result = [
        {
            "symbol": symbol,
            "instrument_id": str(contract.id),
            "result": [_bar(begin, day) for begin, day in figures.bars(desk, contract, timespan, wanted)],
        }
        for symbol, contract in _contracts(desk, call, MOST_STOCKS if is_stocks else MOST_OTHERS)
    ]
    return Reply(200, {"result": result} if is_stocks else result)


def _kind(call: Call) -> str:
    return call.endpoint.split("/")[1]


def _contracts(desk: Desk, call: Call, most: int) -> list[tuple[str, Contract]]:
    """Each symbol with its contract; an unknown one refuses the request."""
    given = call.params.get("symbols")
    symbols = [str(symbol) for symbol in given] if isinstance(given, list) else str(given or "").split(",")
    if len(symbols) > most:
        raise parameter_error(f"more than {most} symbols")
    return [(symbol, _find(desk, call, symbol)) for symbol in symbols]


def _contract(desk: Desk, call: Call) -> tuple[str, Contract]:
    symbol = str(call.params.get("symbol") or "")
    return symbol, _find(desk, call, symbol)


def _find(desk: Desk, call: Call, symbol: str) -> Contract:
    allowed, wanted = _CATEGORIES[_kind(call)], call.params.get("category")
    if wanted not in allowed:
        raise refusal("UNSUPPORTED_CATEGORY", f"category is not supported: {wanted}")
    contract = desk.listings.quotable(symbol)
    if contract is None or category(contract) not in allowed:
        raise refusal("INVALID_PARAMETER", f"symbol not found: {symbol}")
    desk.active.add(contract.id)
    return contract


def _snapshot(desk: Desk, symbol: str, contract: Contract) -> Row:
    quote, day, now = desk.board.quote(contract), figures.of_day(desk, contract), now_ms()
    ask_size, bid_size = figures.sizes(contract, 0)
    row: Row = {
        "symbol": symbol,
        "price": figure(quote.last),
        "open": figure(day.open),
        "high": figure(day.high),
        "low": figure(day.low),
        "volume": str(day.volume),
        "change": figure(day.change),
        "change_ratio": figures.ratio(day.change_ratio),
        "pre_close": figure(day.previous_close),
        "last_trade_time": now,
        "quote_time": now,
        "ask": figure(quote.ask),
        "ask_size": ask_size,
        "bid": figure(quote.bid),
        "bid_size": bid_size,
        "instrument_id": str(contract.id),
    }
    return row | _extras(contract, day, now)


def _extras(contract: Contract, day: figures.Day, now: int) -> Row:
    kind = category(contract)
    if kind == US_FUTURES:
        settled = {"settle_date": iso_offset(now), "settle_price": figure(day.previous_close)}
        return {"open_interest": str(day.volume * 3), **settled}
    if isinstance(contract, StockOption):
        greeks = dict.fromkeys(("imp_vol", "delta", "gamma", "theta", "vega", "rho"), "0.25")
        amounts = {"open_interest": str(day.volume), "deal_amount": money(day.last * day.volume)}
        return {"strike_price": money(contract.strike), **greeks, **amounts}
    return {"close": figure(day.previous_close)}


def _bar(begin: int, day: figures.Day) -> Row:
    return {
        "time": iso_offset(begin),
        "open": figure(day.open),
        "close": figure(day.last),
        "high": figure(day.high),
        "low": figure(day.low),
        "volume": str(day.volume),
        "trading_session": "",
    }
