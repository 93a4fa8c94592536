"""Whether an account can trade a symbol now, asked of the venue question by question, without placing anything."""

from __future__ import annotations

from typing import Any

import orjson

from brokers.access import Access
from brokers.base import AccountRef
from brokers.errors import AuthExpired, RateLimited, Refused
from brokers.http import HttpClient
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.gate import Gate
from brokers.tradovate.limits import DRY_RUN
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Account
from brokers.venue import Check

_NO_PERMISSION = "the broker signs this login in and then answers nothing: its API key lacks the permission"
_UNKNOWN_DEVICE = "it may also wait for this device to be approved, by the link in the e-mail that the broker sent"
_ACCEPTED = (None, "", "Success")


class Preflight:
    """The questions to one login; each is a `Check`, and one that the venue does not answer ends the asking."""

    def __init__(self, access: Access, account: AccountRef) -> None:
        http, gate = HttpClient(access.endpoints.rest_url), Gate(access.budget)
        self._auth = Auth(access, http, gate)
        self._client = Client(http, self._auth, gate)
        self._is_live = access.credentials.environment == "live"
        self._account = account
        self._checks: list[Check] = []

    def run(self, symbol: str) -> tuple[Check, ...]:
        """Raises `NotReached` or `OutcomeUnknown` when the venue could not be asked."""
        try:
            self._ask(symbol)
        except RateLimited as error:
            self._note("BUDGET", str(error), is_ok=False)
        else:
            self._note("BUDGET", "requests are left")
        return tuple(self._checks)

    def _ask(self, symbol: str) -> None:
        try:
            self._auth.token()
        except (AuthExpired, Refused) as error:
            self._note("SIGN_IN", str(error), is_ok=False)
            return
        self._note("SIGN_IN", "the broker signs this login in")
        try:
            self._ask_account()
            contract_id = self._ask_contract(symbol)
            rehearsal = self._rehearse(contract_id) if contract_id is not None else None
        except AuthExpired as error:
            self._note("PERMISSION", self._why_not(str(error)), is_ok=False)
            return
        self._note("PERMISSION", "this login may read its accounts and place orders")
        if rehearsal is not None:
            self._note_risk(rehearsal)

    def _ask_account(self) -> None:
        try:
            is_open = self._account.broker_id in {ref.broker_id for ref in open_accounts(self._client)}
        except Refused as error:
            self._note("ACCOUNT", f"the broker does not show its accounts: {error}", is_ok=False)
            return
        text = "the account is open" if is_open else "the broker says that this account is not open"
        self._note("ACCOUNT", text, is_ok=is_open)

    def _ask_contract(self, symbol: str) -> int | None:
        try:
            found = self._client.find_contract(symbol)
        except Refused as error:
            self._note("CONTRACT", str(error), is_ok=False)
            return None
        self._note("CONTRACT", f"the broker lists {found.name}")
        return found.id

    def _rehearse(self, contract_id: int) -> Any:
        """The venue's own answer to a market order for one contract that it does not place; None where it has none."""
        order = {"contractId": contract_id, "action": "Buy", "orderQty": 1, "orderType": "Market"}
        body = orjson.dumps({"accountId": int(self._account.broker_id), "orders": [order]})
        try:
            return self._client.ask(DRY_RUN, body)
        except Refused:
            return None

    def _note_risk(self, rehearsal: Any) -> None:
        answer = rehearsal if isinstance(rehearsal, dict) else {}
        reason, error = answer.get("rejectReason"), answer.get("errorText")
        is_ok = reason in _ACCEPTED and not error
        text = " ".join(str(part) for part in (reason, answer.get("comment"), error) if part)
        self._note("RISK", "an order would pass" if is_ok else f"an order would not pass: {text}", is_ok=is_ok)

    def _why_not(self, said: str) -> str:
        text = f"{_NO_PERMISSION} ({said})"
        return f"{text}; {_UNKNOWN_DEVICE}" if self._is_live else text

    def _note(self, code: str, text: str, *, is_ok: bool = True) -> None:
        self._checks.append(Check(code, is_ok=is_ok, text=text))


def open_accounts(client: Client) -> list[AccountRef]:
    """The login's accounts that are open. Raises a `BrokerError`."""
    accounts = entities_of("account", client.read_list("account/list"))
    return [AccountRef(str(a.id), a.name) for a in accounts if isinstance(a, Account) and a.open]
