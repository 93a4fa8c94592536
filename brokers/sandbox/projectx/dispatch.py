"""From a REST request to its reply: budgets, faults, routing, the shape of refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brokers.sandbox.faults import Fault
from brokers.sandbox.projectx import closing, history, modifying, reading, signin, trading
from brokers.sandbox.projectx.books import Account, Login
from brokers.sandbox.projectx.calls import Call, HttpRefusalError, RefusedError, Reply, envelope
from brokers.sandbox.projectx.desk import Desk
from brokers.sandbox.projectx.fields import InvalidFieldError

if TYPE_CHECKING:
    from brokers.sandbox.projectx.venue import Venue

logger = logging.getLogger(__name__)

Handler = Callable[[Desk, Call, Login], Reply]
COMMANDS: dict[str, Handler] = {
    "order/place": trading.place,
    "order/modify": modifying.modify,
    "order/cancel": trading.cancel,
    "position/closecontract": closing.close_contract,
    "position/partialclosecontract": closing.partial_close_contract,
}
# Lists of what an account has; those that a fault of empty lists is for when it names no endpoint.
LISTS: dict[str, Handler] = {
    "order/search": reading.search_orders,
    "order/searchopen": reading.open_orders,
    "order/v2/query": reading.query_orders,
    "position/searchopen": reading.open_positions,
    "trade/search": reading.search_trades,
}
HANDLERS: dict[str, Handler] = (
    COMMANDS
    | LISTS
    | {
        "account/search": reading.search_accounts,
        "contract/search": reading.search_contracts,
        "contract/searchbyid": reading.contract_by_id,
        "contract/available": reading.available_contracts,
        "order/searchbyid": reading.order_by_id,
        "history/retrievebars": history.retrieve_bars,
    }
)
VENUE_HANDLERS: dict[str, Callable[[Venue, Call], Reply]] = {
    "auth/loginkey": signin.login_key,
    "auth/loginapp": signin.login_app,
    "auth/validate": signin.validate,
    "auth/logout": signin.logout,
}
WITHOUT_TOKEN = frozenset({"auth/loginkey", "auth/loginapp"})
ENDPOINTS = frozenset(HANDLERS) | frozenset(VENUE_HANDLERS)
PLACE = "order/place"
PROBLEM_TYPE = "https://tools.ietf.org/html/rfc9110#section-15.5.1"
PROBLEM_TITLE = "One or more validation errors occurred."


class Dispatcher:
    """Processes one call at a time, from the work queue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._desk = venue.desk
        self._faults = venue.faults

    def process(self, call: Call) -> None:
        try:
            self._process(call)
        except Exception:
            # Outermost point of a request: its sender must get an answer, and the failure must be seen.
            logger.exception("request failed: %s", call.endpoint)
            call.finish(Reply(500, None))

    def _process(self, call: Call) -> None:
        call.account = _account_of(call)
        if call.account is not None:
            call.arrival.account = call.account.id
        if not call.is_delayed and self._delay(call):
            return
        if not self._interfere(call):
            self._send(call, self._answer(call))

    def _delay(self, call: Call) -> bool:
        call.is_delayed = True
        fault = self._take("delay", call)
        seconds = self._venue.switches.delay_ms / 1000
        if fault is not None:
            seconds += fault.params["seconds"]
        if seconds > 0:
            self._venue.queue.request_later(seconds, lambda: self.process(call))
        return seconds > 0

    def _take(self, kind: str, call: Call, by_default: frozenset[str] = frozenset(COMMANDS)) -> Fault | None:
        """Faults without an endpoint concern trading commands only, unless told otherwise."""
        subject = call.account if call.account is not None else call.login
        return self._faults.take(kind, subject, call.endpoint, by_default=call.endpoint in by_default)

    def _interfere(self, call: Call) -> bool:
        """Faults and budgets that end the request before anything happens; True when one did."""
        if self._take("hang", call) is not None:
            return True
        if self._take("drop_before_accept", call) is not None:
            call.drop()
            return True
        username = call.login.username if call.login is not None else call.fields.value("userName")
        is_within = not isinstance(username, str) or self._venue.limits.admit(username, call.endpoint)
        if not is_within or self._take("rate_limit", call) is not None:
            call.finish(Reply(429, None))
            return True
        return False

    def _answer(self, call: Call) -> Reply:
        try:
            return self._route(call)
        except HttpRefusalError as refused:
            return Reply(refused.status, None)
        except InvalidFieldError as invalid:
            return Reply(400, problem_details(invalid))
        except RefusedError as refused:
            return Reply(200, envelope(refused.members, refused.code, refused.text))

    def _route(self, call: Call) -> Reply:
        venue_handler = VENUE_HANDLERS.get(call.endpoint)
        if venue_handler is not None:
            return venue_handler(self._venue, call)
        login = call.login
        if login is None:
            raise HttpRefusalError(401)
        for account in login.accounts:
            if account.steps:
                self._desk.run(account)
        self._refuse_by_script(call)
        reply = HANDLERS[call.endpoint](self._desk, call, login)
        if call.endpoint not in COMMANDS and self._take("empty_lists", call, frozenset(LISTS)) is not None:
            reply.body = _emptied(reply.body)
        return reply

    def _refuse_by_script(self, call: Call) -> None:
        """Rejections that name an endpoint other than place: code 3 of modify and cancel, 5 or 6 of the closes."""
        if call.endpoint == PLACE or call.endpoint not in COMMANDS:
            return
        fault = self._faults.take("reject", call.account, call.endpoint, by_default=False, mode="sync", leg="entry")
        if fault is not None:
            codes = {"position/closecontract": 5, "position/partialclosecontract": 6}
            raise RefusedError(codes.get(call.endpoint, 3), fault.params["text"])

    def _send(self, call: Call, reply: Reply) -> None:
        """Reply, then what it set going; faults change the order or lose the reply."""
        account, after = reply.account, reply.after
        if account is None or after is None:
            self._reply(call, reply)
            return
        self._venue.note_change()
        late = self._take("late_events", call)
        if late is not None:
            self._desk.hold_events(account, late.params["seconds"])
        if self._take("events_before_reply", call) is not None:
            account.steps.append(after)
            self._desk.run(account)
            self._reply(call, reply)
            return
        self._desk.flush()
        self._reply(call, reply)
        self._desk.step(account, after)

    def _reply(self, call: Call, reply: Reply) -> None:
        if self._take("drop_after_accept", call) is not None:
            call.drop()
        elif self._take("garbled", call) is not None:
            call.garble(reply)
        else:
            call.finish(reply)


def problem_details(invalid: InvalidFieldError) -> dict[str, Any]:
    return {
        "type": PROBLEM_TYPE,
        "title": PROBLEM_TITLE,
        "status": 400,
        "errors": {invalid.name: [invalid.problem]},
        "traceId": "00-0000000000000000000000000000000a-000000000000000a-00",
    }


def _emptied(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    return {name: [] if isinstance(value, list) else value for name, value in body.items()}


def _account_of(call: Call) -> Account | None:
    """The account a request is about, as far as it can be told; for faults and the arrivals list."""
    login = call.login
    if login is None:
        return None
    wanted = call.fields.value("accountId")
    inner = call.fields.value("filter")
    if wanted is None and isinstance(inner, dict):
        wanted = inner.get("accountId")
    found = next((account for account in login.accounts if account.id == wanted), None)
    if found is None and len(login.accounts) == 1:
        return login.accounts[0]
    return found
