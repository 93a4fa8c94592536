"""The venue's password sign-in alone, as a test writes it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import orjson

from brokers.access import Access, Credentials, Endpoints
from brokers.http import HttpClient
from brokers.tradovate.auth import Auth
from brokers.tradovate.gate import Gate
from tests.brokers.scripted import Answer, RestServer
from tests.brokers.tradovate.stores import MemoryStore

PASSWORD = "pa55-canary"
CREDENTIALS = Credentials("tradovate", "demo", "trader1", "device-1", {"password": PASSWORD, "cid": "8", "sec": "s3c"})


class Door:
    """The venue's auth endpoints; `answers` overrides a path's answer."""

    def __init__(self) -> None:
        self.serial = itertools.count(1)
        self.answers: dict[str, Answer] = {}
        self.lifetime = timedelta(minutes=80)
        self.server = RestServer(self.answer)

    def answer(self, _method: str, path: str, _body: bytes, _headers: dict[str, str]) -> Answer:
        if path in self.answers:
            return self.answers[path]
        until = datetime.now(UTC) + self.lifetime
        token = {"accessToken": f"token-{next(self.serial)}", "mdAccessToken": "md", "userId": 15460}
        return 200, orjson.dumps({**token, "expirationTime": until.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"})

    def auth(self, store: MemoryStore | None = None) -> Auth:
        access = Access(CREDENTIALS, Endpoints(self.server.url, ""), store or MemoryStore())
        return Auth(access, HttpClient(self.server.url), Gate())


SIGN_IN = "/v1/auth/accesstokenrequest"
RENEW = "/v1/auth/renewaccesstoken"
