"""A trader's session written against the official Python library, unchanged; run as a process of its own.

Takes one JSON object on the command line, works in the current directory (the library writes logs and tokens there),
and prints what it was told as one JSON line on stdout's last line.
"""

import json
import sys
import threading
import time
import uuid

from webull.core.client import ApiClient
from webull.core.exception.exceptions import ServerException
from webull.data.data_client import DataClient
from webull.data.data_streaming_client import DataStreamingClient
from webull.trade.trade_client import TradeClient
from webull.trade.trade_events_client import TradeEventsClient

PATIENCE_SECONDS = 8.0


def until(happened):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def order(symbol, order_type, **fields):
    return {
        "client_order_id": uuid.uuid4().hex,
        "combo_type": "NORMAL",
        "symbol": symbol,
        "instrument_type": "FUTURES",
        "market": "US",
        "side": "BUY",
        "order_type": order_type,
        "quantity": "1",
        "entrust_type": "QTY",
        "time_in_force": "DAY",
        **fields,
    }


def watch_events(given, account, told):
    host, port = given["events"].split(":")
    client = TradeEventsClient(given["key"], given["secret"], host=host, port=int(port), tls_enable=False)
    client.on_connect = lambda *_: told["connected"].append(True)
    client.on_events_message = lambda kind, _subscription, payload, _raw: told["events"].append([kind, payload])
    threading.Thread(target=client.do_subscribe, args=([account],), daemon=True).start()
    until(lambda: told["connected"])


def trade(trader, account, symbol, told):
    book = trader.order_v3
    entry, resting = order(symbol, "MARKET"), order(symbol, "LIMIT", limit_price="6800")
    seen = {"preview": book.preview_order(account, [entry]).json()}
    seen["placed"] = book.place_order(account, [entry]).json()
    name = entry["client_order_id"]
    until(lambda: book.get_order_detail(account, name).json()["orders"][0]["status"] == "FILLED")
    seen["detail"] = book.get_order_detail(account, name).json()
    seen["positions"] = trader.account_v2.get_account_position(account).json()
    seen["balance"] = trader.account_v2.get_account_balance(account).json()
    book.place_order(account, [resting])
    changed = {"client_order_id": resting["client_order_id"], "limit_price": "6810"}
    seen["replaced"] = book.replace_order(account, [changed]).json()
    until(lambda: len(told["events"]) == 2)
    seen["open"] = book.list_order_open(account).json()
    seen["open_v2"] = book.get_order_open(account).json()
    seen["canceled"] = book.cancel_order(account, resting["client_order_id"]).json()
    until(lambda: len(told["events"]) == 3)
    seen["history"] = book.list_order_history(account).json()
    try:
        book.place_order(account, [entry])
    except ServerException as refused:
        seen["repeated"] = [refused.http_status, refused.error_code]
    return seen


def watch_market(given, told):
    host, port = given["market"].split(":")
    client = DataStreamingClient(
        given["key"],
        given["secret"],
        "us",
        uuid.uuid4().hex,
        http_host=given["rest"],
        mqtt_host=host,
        mqtt_port=int(port),
        tls_enable=False,
    )
    client.on_connect_success = lambda streaming, *_: streaming.subscribe(
        ["AAPL"], "US_STOCK", ["SNAPSHOT", "QUOTE", "TICK"]
    )
    client.on_quotes_message = lambda _client, topic, payload: told.setdefault(topic, str(payload))
    client.connect_and_loop_async(thread_daemon=True)
    until(lambda: {"snapshot", "quote", "tick"} <= told.keys())
    client.unsubscribe(unsubscribe_all=True)


def main():
    given = json.loads(sys.argv[1])
    api = ApiClient(given["key"], given["secret"], "us")
    api.add_endpoint("us", given["rest"])
    trader = TradeClient(api)
    accounts = trader.account_v2.get_account_list().json()
    account = next(row["account_id"] for row in accounts if row["account_class"] == "FUTURES")
    told = {"connected": [], "events": []}
    watch_events(given, account, told)
    market = {}
    watch_market(given, market)
    data = DataClient(api)
    result = {
        "token": api.get_token(),
        "accounts": accounts,
        "instruments": data.instrument.get_futures_instrument([given["symbol"]], "US_FUTURES").json(),
        "snapshot": data.futures_market_data.get_futures_snapshot([given["symbol"]], "US_FUTURES").json(),
        "bars": data.market_data.get_batch_history_bar(["AAPL"], "US_STOCK", "M1", count="3").json(),
        "market": market,
        **trade(trader, account, given["symbol"], told),
        "events": told["events"],
    }
    print("\n" + json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main()
