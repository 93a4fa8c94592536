"""The floor of a monitor, in a process of its own: a tick comes in, and frames that were built before go out.

`python -m bench.hop` reads `{"rest_url", "ws_url", "md_url", "symbol", "accounts", "ticks"}` as JSON on stdin, signs
the accounts in, says `ready`, and at each of `ticks` moves of the price writes a flatten for every account, knowing
nothing of limits and storing nothing. It ends after the last one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import websocket

from bench.burst import Fleet

_TIMEOUT_S = 30


def main() -> None:
    setup = json.load(sys.stdin)
    fleet = Fleet(setup)
    frames = [fleet.exit_frames(number) for number in range(setup["ticks"])]
    quotes = _Quotes(setup, fleet.market_token)
    print("ready", flush=True)
    for number in range(setup["ticks"]):
        quotes.await_move()
        fleet.write(frames[number])


class _Quotes:
    """The trades of one contract. A frame that repeats the last price is no tick: the venue sends those, too."""

    def __init__(self, setup: dict[str, Any], token: str) -> None:
        self._link = websocket.create_connection(setup["md_url"], timeout=_TIMEOUT_S)
        self._price: Any = None
        self._link.recv()
        self._link.send(f"authorize\n1\n\n{token}")
        self._link.recv()
        self._link.send("md/subscribeQuote\n2\n\n" + json.dumps({"symbol": setup["symbol"]}))
        self.await_move()

    def await_move(self) -> None:
        """Until it trades at another price; heartbeats are answered on the way."""
        while True:
            text = self._link.recv()
            if not isinstance(text, str) or '"md"' not in text:
                self._link.send("[]")
                continue
            for price in _trades(text):
                if price != self._price:
                    self._price = price
                    return


def _trades(text: str) -> Iterator[Any]:
    for message in json.loads(text[1:]):
        for quote in message.get("d", {}).get("quotes", ()) if message.get("e") == "md" else ():
            if "Trade" in quote["entries"]:
                yield quote["entries"]["Trade"]["price"]


if __name__ == "__main__":
    main()
