"""The floor of the fan-out, in a process of its own: the same frames, built before, written onto sockets already open.

`python -m bench.burst` reads `{"rest_url", "ws_url", "symbol", "accounts", "rounds"}` as JSON on stdin, signs every
account in, then buys and liquidates on all of them `rounds` times. It prints one JSON line with the epoch seconds at
which the writing of each round's entries began and ended.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from decimal import Decimal
from typing import Any

import requests
import websocket

from brokers.base import AccountRef, BracketLeg, FlattenPosition, Side, SubmitOrder
from brokers.links import text_frame
from brokers.tradovate.orders import call_for
from brokers.tradovate.session import request_frame

_TIMEOUT_S = 10
_SETTLE_S = 0.3
_HEARTBEAT = text_frame("[]")
TARGET, STOP = Decimal(20), Decimal(10)


class Fleet:
    """The signed-in sockets of some accounts."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._setup = setup
        self._http = requests.Session()
        self._poll = select.epoll()
        self._contract_id = 0
        self.market_token = ""
        self.sockets = [self._sign_in(account) for account in setup["accounts"]]
        self._by_number = {sock.fileno(): sock for sock in self.sockets}

    def entry_frames(self, round_number: int) -> list[bytes]:
        """What the adapter would write for a bracketed market entry of one contract on each account."""
        frames = []
        for account in self._setup["accounts"]:
            ref = AccountRef(str(account["id"]), account["name"])
            name = f"BENCH-{round_number:06d}-{account['id']:012d}"
            leg = BracketLeg(1, TARGET, STOP)
            call = call_for(SubmitOrder(name, ref, self._setup["symbol"], Side.BUY, 1, bracket=(leg,)))
            frames.append(request_frame(call.endpoint, 100 + round_number, body=call.body))
        return frames

    def exit_frames(self, round_number: int) -> list[bytes]:
        frames = []
        for account in self._setup["accounts"]:
            ref = AccountRef(str(account["id"]), account["name"])
            call = call_for(FlattenPosition("", ref, self._setup["symbol"]), self._contract_id)
            frames.append(request_frame(call.endpoint, 5000 + round_number, body=call.body))
        return frames

    def write(self, frames: list[bytes]) -> tuple[float, float]:
        """Epoch seconds before the first and after the last frame."""
        began = time.time()
        for sock, frame in zip(self.sockets, frames, strict=True):
            sock.send(frame)
        return began, time.time()

    def settle(self) -> None:
        """Read until nothing has come for a while, and show the venue that we are alive."""
        while ready := self._poll.poll(_SETTLE_S):
            for number, _ in ready:
                self._by_number[number].recv(262_144)
        for sock in self.sockets:
            sock.send(_HEARTBEAT)

    def _sign_in(self, account: dict[str, Any]) -> socket.socket:
        token = self._call("auth/accesstokenrequest", {"name": account["username"], "password": account["password"]})
        if self._contract_id == 0:
            self._http.headers["Authorization"] = f"Bearer {token['accessToken']}"
            self.market_token = token.get("mdAccessToken", token["accessToken"])
            found = self._http.get(
                f"{self._setup['rest_url']}/contract/find", params={"name": self._setup["symbol"]}, timeout=_TIMEOUT_S
            )
            found.raise_for_status()
            self._contract_id = found.json()["id"]
        link = websocket.create_connection(self._setup["ws_url"], timeout=_TIMEOUT_S)
        link.recv()
        link.send(f"authorize\n1\n\n{token['accessToken']}")
        link.recv()
        link.send(f"user/syncrequest\n2\n\n{json.dumps({'users': [token['userId']]})}")
        link.recv()
        sock: socket.socket = link.sock
        sock.settimeout(0)
        self._poll.register(sock.fileno(), select.EPOLLIN)
        return sock

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post(f"{self._setup['rest_url']}/{path}", json=body, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def main() -> None:
    setup = json.load(sys.stdin)
    fleet = Fleet(setup)
    fleet.settle()
    rounds = []
    for number in range(setup["rounds"]):
        entries, exits = fleet.entry_frames(number), fleet.exit_frames(number)
        rounds.append(fleet.write(entries))
        fleet.settle()
        fleet.write(exits)
        fleet.settle()
    print(json.dumps(rounds))


if __name__ == "__main__":
    main()
