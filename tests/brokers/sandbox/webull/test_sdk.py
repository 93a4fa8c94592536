"""The official Python library, unchanged, signs in, trades and listens at the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brokers.sandbox.testing import RunningSandbox
from tests.brokers.sandbox.webull.client import VenueClient

SESSION = Path(__file__).with_name("sdk_session.py")


@pytest.fixture
def session(sandbox: RunningSandbox, client: VenueClient, symbol: str, tmp_path: Path) -> dict[str, Any]:
    sandbox.switches(token_check=True, auto_approve=True)
    given = {
        "key": client.account.username,
        "secret": client.account.password,
        "rest": sandbox.rest_url,
        "events": sandbox.ws_url,
        "market": sandbox.md_url,
        "symbol": symbol,
    }
    command = [sys.executable, str(SESSION), json.dumps(given)]
    ran = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=50)
    assert ran.returncode == 0, ran.stderr[-3000:]
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def test_the_official_library_trades_and_listens(session, client, symbol):
    assert session["token"]
    assert {row["account_class"] for row in session["accounts"]} == {"FUTURES", "INDIVIDUAL_MARGIN"}
    assert [row["symbol"] for row in session["instruments"]] == [symbol]
    assert session["snapshot"][0]["price"] == "6900"
    assert len(session["bars"]["result"][0]["result"]) == 3
    assert "price:300" in session["market"]["snapshot"]
    assert "symbol:AAPL" in session["market"]["quote"]

    assert session["preview"]["estimated_cost"] == "34500"
    filled = session["detail"]["orders"][0]
    assert (filled["order_id"], filled["filled_price"]) == (session["placed"]["order_id"], "6900")
    assert [(row["symbol"], row["quantity"]) for row in session["positions"]] == [(symbol, "1")]
    assert session["balance"]["total_day_profit_loss"] == "-0.46"
    assert [group["orders"][0]["limit_price"] for group in session["open"]["data"]] == ["6810"]
    assert session["open_v2"] == session["open"]["data"]
    assert [group["orders"][0]["status"] for group in session["history"]["data"]] == ["CANCELLED", "FILLED"]
    assert session["repeated"] == [417, "OPENAPI_TRADE_PLACE_ORDER_REPEAT"]

    assert {kind for kind, _ in session["events"]} == {1024}
    scenes = [(event["scene_type"], event["order_status"]) for _, event in session["events"]]
    assert scenes == [("FINAL_FILLED", "FILLED"), ("MODIFY_SUCCESS", "SUBMITTED"), ("CANCEL_SUCCESS", "CANCELLED")]
    assert {event["account_id"] for _, event in session["events"]} == {client.futures}
