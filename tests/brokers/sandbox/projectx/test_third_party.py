"""A published client, as its users have it, through a whole trade: PyPI topstep-client-py on top of signalrcore."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from topstep import TopstepClient
from topstep.models import Bracket, OrderSide, OrderStatus, OrderType, PlaceOrderRequest, PositionType
from topstep.realtime.user_hub import UserHub


async def eventually(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


async def trade(client: TopstepClient, sandbox: Any, account: Any) -> dict[str, Any]:
    """Everything that its users do in a day; what came back by name."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    result: dict[str, Any] = {"accounts": await client.accounts.search()}
    found = await client.contracts.search("MNQ")
    contract = next(c for c in found if c.symbol_id == "F.US.MNQ" and c.active_contract)
    hub, seen = await listen(client, sandbox, account)
    order_id = result["order_id"] = await client.orders.place(bracketed(account.id, contract.id))
    await eventually(lambda: seen["trades"] and seen["positions"] and seen["accounts"] and len(seen["orders"]) >= 6)
    result["open"] = await client.orders.search_open(account.id)
    result["positions"] = await client.positions.search_open(account.id)
    result["trades"] = await client.trades.search(account.id, long_ago)
    await client.refresh_token()
    await client.positions.close(account.id, contract.id)
    await eventually(lambda: len(seen["trades"]) == 2)
    for leg in result["open"]:
        await client.orders.cancel(account.id, leg.id)
    result["left"] = await client.orders.search_open(account.id)
    result["bars"] = await client.history.retrieve_bars(contract.id, long_ago, datetime.now(UTC), limit=5)
    await hub.stop()
    result["statuses"] = [event["data"]["status"] for event in seen["orders"] if event["data"]["id"] == order_id]
    return result | {"seen": seen}


async def listen(client: TopstepClient, sandbox: Any, account: Any) -> tuple[UserHub, dict[str, list[dict[str, Any]]]]:
    """A user hub that gets everything of the account, and what it got."""
    started, opened = time.time(), asyncio.Event()
    hub = UserHub(client.token, hub_url=sandbox.ws_url.replace("ws://", "http://"))
    seen: dict[str, list[dict[str, Any]]] = {"orders": [], "trades": [], "positions": [], "accounts": []}
    hub.on_order(lambda arguments: seen["orders"].append(arguments[0]))
    hub.on_trade(lambda arguments: seen["trades"].append(arguments[0]))
    hub.on_position(lambda arguments: seen["positions"].append(arguments[0]))
    hub.on_account(lambda arguments: seen["accounts"].append(arguments[0]))
    hub.on_open(opened.set)
    await hub.connect()
    await opened.wait()
    await hub.subscribe_all(account.id)
    await eventually(lambda: sum("/subscribe" in arrival["endpoint"] for arrival in sandbox.arrivals(started)) == 4)
    return hub, seen


def bracketed(account_id: int, contract_id: str) -> PlaceOrderRequest:
    return PlaceOrderRequest(
        accountId=account_id,
        contractId=contract_id,
        type=OrderType.MARKET,
        side=OrderSide.BUY,
        size=2,
        customTag="third-party-1",
        stopLossBracket=Bracket(ticks=-40, type=OrderType.STOP),
        takeProfitBracket=Bracket(ticks=80, type=OrderType.LIMIT),
    )


async def session(sandbox: Any, account: Any) -> dict[str, Any]:
    async with await TopstepClient.create(account.username, account.password, base_url=sandbox.rest_url) as client:
        return await trade(client, sandbox, account)


def test_a_published_client_brackets_a_trade_and_hears_of_everything(sandbox):
    account = sandbox.add_accounts(1)[0]
    # The client's reader only sees that it was stopped when something arrives.
    sandbox.switches(ping_seconds=0.05)
    with ThreadPoolExecutor(1) as beside:
        # A browser of another test may have left its own loop running in this thread.
        result = beside.submit(lambda: asyncio.run(session(sandbox, account))).result()
    assert [(found.id, found.name, found.can_trade) for found in result["accounts"]] == [
        (account.id, account.name, True)
    ]
    stop, target = sorted(result["open"], key=lambda order: order.id)
    assert (stop.id, target.id) == (result["order_id"] + 1, result["order_id"] + 2)
    assert (stop.type, stop.stop_price, stop.custom_tag) == (OrderType.STOP, 24_990.0, "third-party-1-SL")
    assert (target.type, target.limit_price, target.custom_tag) == (OrderType.LIMIT, 25_020.0, "third-party-1-TP")
    assert stop.status is target.status is OrderStatus.OPEN
    [position] = result["positions"]
    assert (position.type, position.size, position.average_price) == (PositionType.LONG, 2, 25_000.0)
    [opened] = result["trades"]
    assert (opened.order_id, opened.size, opened.profit_and_loss, opened.fees) == (result["order_id"], 2, None, 0.74)
    assert result["left"] == []
    assert len(result["bars"]) == 5
    assert result["statuses"] == [6, 2]
    assert result["seen"]["positions"][-1]["action"] == 2
