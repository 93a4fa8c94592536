from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from brokers.sandbox.testing import PROJECT_ROOT, running_sandbox, start_sandbox
from tests.brokers.sandbox.client import VenueClient
from tests.brokers.sandbox.test_trading import poll


def test_announces_one_json_line_and_ends_cleanly_on_either_signal():
    for number in (signal.SIGTERM, signal.SIGINT):
        sandbox = start_sandbox(accounts=2)
        client = VenueClient(sandbox, sandbox.accounts[0]).connect()
        sandbox.process.send_signal(number)
        client.wait(lambda client=client: client.events, "shutdown event")
        assert sandbox.process.wait(10) == 0
        assert sandbox.process.stdout.read() == b""
        client.close()


def test_unusable_state_file_and_taken_port_are_errors_at_start(tmp_path):
    broken = tmp_path / "state.json"
    broken.write_text('{"format": 1}')
    command = [sys.executable, "-m", "brokers.sandbox"]
    ended = subprocess.run(
        [*command, f"--state-file={broken}"], cwd=PROJECT_ROOT, capture_output=True, timeout=20, check=False
    )
    assert ended.returncode != 0
    assert b"not a sandbox state file" in ended.stderr
    assert broken.read_text() == '{"format": 1}'
    with running_sandbox(accounts=1) as sandbox:
        port = sandbox.rest_url.split(":")[2].removesuffix("/v1")
        ended = subprocess.run(
            [*command, f"--port={port}"], cwd=PROJECT_ROOT, capture_output=True, timeout=20, check=False
        )
        assert ended.returncode != 0


def test_second_start_goes_on_where_the_first_ended(tmp_path):
    state_file = tmp_path / "books" / "state.json"
    with running_sandbox(accounts=2, state_file=state_file) as sandbox:
        sandbox.price("MNQ", 25_000.0)
        client = VenueClient(sandbox, sandbox.accounts[0]).connect()
        bracket = {"qty": 3, "profitTarget": 10.25, "stopLoss": -10}
        client.start("Buy", {"orderQty": 3, "orderType": "Market"}, [bracket])
        client.until("position", netPos=3)
        client.start("Buy", {"orderQty": 1, "orderType": "Limit", "price": 24_950.0}, [bracket | {"qty": 1}])
        client.until("orderStrategyLink", label="0")
        poll(lambda: len(client.state()["suspendedOrders"]) == 2)
        before = sandbox.state()
        token = client.session["accessToken"]
        client.close()
    assert state_file.stat().st_mode & 0o077 == 0
    with running_sandbox(accounts=2, state_file=state_file) as sandbox:
        assert sandbox.state() == before
        client = VenueClient(sandbox, sandbox.accounts[0]).connect()
        client.http.headers["Authorization"] = f"Bearer {token}"
        assert len(client.read("fill/list")) == 1
        sandbox.price("MNQ", 25_010.25)
        client.until("position", netPos=0)
        assert client.state()["realizedPnL"] == 3 * 10.25 * 2
        sandbox.price("MNQ", 24_950.0)
        client.until("position", netPos=1)
        assert client.working() == [("Sell", "Limit", 24_960.25), ("Sell", "Stop", 24_940.0)]
        known = {row["id"] for row in before[0]["entries"]}
        placed = client.rest("order/placeorder", client.order("Buy")).json()["orderId"]
        assert placed > max(known)
        client.close()


def test_books_are_saved_when_idle_so_a_kill_loses_little(tmp_path):
    state_file = tmp_path / "state.json"
    sandbox = start_sandbox(accounts=1, state_file=state_file)
    client = VenueClient(sandbox, sandbox.accounts[0])
    client.rest("order/placeorder", client.order("Buy"))

    def saved() -> bool:
        return state_file.exists() and bool(json.loads(state_file.read_text())["logins"][0]["accounts"][0]["entries"])

    poll(saved)
    os.kill(sandbox.process.pid, signal.SIGKILL)
    sandbox.process.wait()
    client.close()
    with running_sandbox(accounts=1, state_file=state_file) as sandbox:
        assert sandbox.state()[0]["positions"][0]["netPos"] == 1
