"""The floor of a monitor, in a process of its own: a tick comes in, and frames that were built before go out.

`python -m bench.hop` reads `{"rest_url", "ws_url", "md_url", "symbol", "accounts", "ticks"}` as JSON on stdin, signs
the accounts in, says `ready`, and at each of `ticks` moves of the price writes a flatten for every account, knowing
nothing of limits and storing nothing. It ends after the last one.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import websocket

from bench.burst import Fleet

_TIMEOUT_S = 30


def main() -> None:
    setup = json.load(sys.stdin)
    fleet = Fleet(setup)
    frames = [fleet.exit_frames(number) for number in range(setup["ticks"])]
    quotes = _subscribe(setup, fleet)
    print("ready", flush=True)
    for number in range(setup["ticks"]):
        _await_move(quotes)
        fleet.write(frames[number])


def _subscribe(setup: dict[str, Any], fleet: Fleet) -> websocket.WebSocket:
    link = websocket.create_connection(setup["md_url"], timeout=_TIMEOUT_S)
    link.recv()
    link.send(f"authorize\n1\n\n{fleet.market_token}")
    link.recv()
    link.send("md/subscribeQuote\n2\n\n" + json.dumps({"symbol": setup["symbol"]}))
    _await_move(link)
    return link


def _await_move(link: websocket.WebSocket) -> None:
    """Until a quote comes; heartbeats are answered on the way."""
    while True:
        text = link.recv()
        if isinstance(text, str) and '"md"' in text:
            return
        link.send("[]")


if __name__ == "__main__":
    main()
