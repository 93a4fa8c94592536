from __future__ import annotations

import signal

from brokers.sandbox.testing import running_sandbox, start_sandbox
from tests.brokers.sandbox.projectx.client import BUY, FILLED, LIMIT, SELL, STOP, SUSPENDED, TRAILING_STOP, Client

LEGS = {"stopLossBracket": {"ticks": -40, "type": STOP}, "takeProfitBracket": {"ticks": 80, "type": LIMIT}}


def test_a_second_start_goes_on_where_the_first_ended(tmp_path):
    state_file = tmp_path / "state.json"
    with running_sandbox(accounts=2, venue="projectx", state_file=state_file) as sandbox:
        sandbox.price("MNQ", 25_000.0)
        client = Client(sandbox, sandbox.accounts[0])
        client.placed(BUY, 3, customTag="a", **LEGS)
        client.placed(SELL, 1, TRAILING_STOP, trailPrice=24_800.0)
        resting = client.placed(BUY, 1, LIMIT, limitPrice=24_995.0, customTag="b", **LEGS)
        sandbox.fault(client.account.id, "partial_fill", parts=[1])
        partial = client.placed(BUY, 2, LIMIT, limitPrice=25_000.0)
        before, orders, trades = sandbox.state(), client.orders(), client.trades()
        client.close()
    assert state_file.stat().st_mode & 0o077 == 0
    with running_sandbox(accounts=2, venue="projectx", state_file=state_file) as sandbox:
        assert sandbox.state() == before
        again = Client(sandbox, sandbox.accounts[0])
        again.http.headers["Authorization"] = f"Bearer {client.token}"
        assert (again.orders(), again.trades()) == (orders, trades)
        assert again.place(BUY, customTag="a")["errorMessage"] == "custom tag already in use"
        assert again.order(resting + 1)["status"] == SUSPENDED
        assert again.order(partial)["fillVolume"] == 1
        sandbox.price("MNQ", 24_995.0)
        assert again.order(resting)["status"] == FILLED
        assert again.order(resting + 1)["stopPrice"] == 24_985.0
        assert again.net() == 5
        assert again.placed(BUY) > max(row["id"] for row in orders)
        again.close()


def test_hubs_are_closed_when_the_process_ends():
    sandbox = start_sandbox(accounts=1, venue="projectx")
    client = Client(sandbox, sandbox.accounts[0])
    hub = client.hub()
    sandbox.process.send_signal(signal.SIGTERM)
    hub.wait(lambda: hub.messages, "close record")
    assert hub.messages[0]["type"] == 7
    assert sandbox.process.wait(10) == 0
    client.close()
