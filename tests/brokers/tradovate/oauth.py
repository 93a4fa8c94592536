"""A sign-in by the venue's page, as a browser does it, and a token endpoint that a test writes itself."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import orjson
import requests

from brokers.access import Access, Credentials, Endpoints, OAuthClient
from brokers.sandbox.testing import RunningSandbox, SandboxAccount
from brokers.tradovate.oauth import TradovateOAuth
from tests.brokers.scripted import Answer, RestServer
from tests.brokers.tradovate.stores import MemoryStore

BACK = "https://app.test/brokers/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CLIENT = OAuthClient("client-7", "sh-canary")
FLOW = TradovateOAuth()


def access_to(rest_url: str, store: MemoryStore, environment: str = "sandbox", **client: str) -> Access:
    oauth = OAuthClient(CLIENT.client_id, CLIENT.client_secret, **client)
    return Access(
        Credentials("tradovate", environment, "", "device-1", {}), Endpoints(rest_url, ""), store, oauth=oauth
    )


def visit(page: str, account: SandboxAccount) -> dict[str, list[str]]:
    """Sign in on the page, as a browser would; the query that comes back."""
    form = {"name": account.username, "password": account.password}
    answer = requests.post(page, data=form, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def connected(sandbox: RunningSandbox, store: MemoryStore) -> tuple[Access, SandboxAccount]:
    account = sandbox.add_accounts(1)[0]
    access = access_to(sandbox.rest_url, store)
    page = FLOW.authorize_url(access, "st4te", BACK, CHALLENGE)
    assert FLOW.exchange(access, visit(page, account)["code"][0], BACK, VERIFIER) == account.username
    return access, account


class TokenDoor:
    """A token endpoint; `answers` are given in turn, the last one again and again."""

    def __init__(self, *answers: Answer | None) -> None:
        self.answers = list(answers)
        self.server = RestServer(self.answer)
        self.root = self.server.url.removesuffix("/v1")

    def answer(self, _method: str, _path: str, _body: bytes, _headers: dict[str, str]) -> Answer | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def grant(refresh: str = "r2", access: str = "a2") -> Answer:
    return 200, orjson.dumps({"access_token": access, "expires_in": 3600, "refresh_token": refresh})


def refusal(error: str, status: int = 200) -> Answer:
    return status, orjson.dumps({"error": error, "error_description": "because"})
