"""A sandbox that is stopped and started again goes on where it was."""

import json

from brokers.sandbox.testing import running_sandbox
from tests.brokers.sandbox.webull.client import NEW_TOKEN, VenueClient, future, new_id, stock, until


def bracket():
    return [
        stock("AAPL", "BUY", "LIMIT", combo_type="MASTER", limit_price="290"),
        stock("AAPL", "SELL", "LIMIT", combo_type="STOP_PROFIT", limit_price="310"),
        stock("AAPL", "SELL", "STOP_LOSS", combo_type="STOP_LOSS", stop_price="280"),
    ]


def settled(sandbox):
    """All accounts, as far as the seeded walk does not move them."""
    return [{name: value for name, value in row.items() if name != "openPnL"} for row in sandbox.state()]


def test_books_orders_combos_and_tokens_outlive_the_process(tmp_path):
    file = tmp_path / "webull.json"
    with running_sandbox(accounts=1, venue="webull", state_file=file) as first:
        first.switches(rate_limits=False, token_check=True, auto_approve=True)
        first.price("MES", 6_900)
        first.price("AAPL", 300)
        account = first.accounts[0]
        client = VenueClient(first, account, NEW_TOKEN)
        token, listed = client.token, first.description["account_ids"]
        client.becomes(client.placed(future(client.front("MES"), qty=2)), "FILLED")
        first.fault(account.username, "partial_fill", parts=[1, 2], leg="stop")
        trailing = future(client.front("MES"), "SELL", "TRAILING_STOP_LOSS", 3, trailing_type="AMOUNT")
        stop = client.placed(trailing | {"trailing_stop_step": "5"})
        client.becomes(stop, "SUBMITTED")
        combo = bracket()
        client.placed(*combo, client_combo_order_id=new_id())
        client.becomes(combo[0]["client_order_id"], "SUBMITTED", client.margin)
        before = settled(first)
    assert file.stat().st_mode & 0o777 == 0o600

    with running_sandbox(accounts=2, venue="webull", state_file=file) as second:
        assert settled(second)[:2] == before
        assert len(second.accounts) == 2
        assert second.description["account_ids"].items() >= listed.items()
        second.switches(rate_limits=False, token_check=True)
        client = VenueClient(second, account, token)
        again = combo[0] | {"combo_type": "NORMAL"}
        assert client.place(again).json()["error_code"] == "OPENAPI_TRADE_PLACE_ORDER_REPEAT"
        second.price("AAPL", 290)
        names = [order["client_order_id"] for order in combo]
        until(
            lambda: [client.status(name, client.margin) for name in names] == ["FILLED", "SUBMITTED", "SUBMITTED"],
            "the exits at work",
        )
        second.price("AAPL", 310)
        client.becomes(names[1], "FILLED", client.margin)
        client.becomes(names[2], "CANCELLED", client.margin)
        second.price("MES", 6_890)
        assert client.becomes(stop, "FILLED")["filled_price"] == "6890"
        assert client.net_position() == -1


def test_options_that_are_listed_no_more_are_left_out(tmp_path):
    file = tmp_path / "webull.json"
    with running_sandbox(accounts=1, venue="webull", state_file=file) as first:
        first.manual("INDIVIDUAL_MARGIN-1", "AAPL", "Buy", 1)
        (gone,) = [position["symbol"] for position in first.state()[1]["positions"]]
    stock_id = next(iter(json.loads(file.read_text())["prices"]), None)
    saved = file.read_text().replace(f'"{gone}"', '"AAPL250117C00100000"')
    file.write_text(saved.replace(f'"{stock_id}":', '"1":'))
    with running_sandbox(accounts=1, venue="webull", state_file=file) as second:
        row = second.state()[1]
        assert (row["positions"], row["orders"], row["fills"]) == ([], 0, 1)
