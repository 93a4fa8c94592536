"""From a request to its reply: faults, sign-in, routing, the shape of refusals."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from brokers.sandbox.faults import Fault
from brokers.sandbox.tradovate import accounting, contracts, marketdata, oauth, signin, strategies, trading, user
from brokers.sandbox.tradovate.books import Account, Login
from brokers.sandbox.tradovate.calls import (
    ACCESS_DENIED,
    Call,
    CommandRefusedError,
    HttpRefusalError,
    Reply,
    ViolationError,
)
from brokers.sandbox.tradovate.desk import Desk
from brokers.sandbox.tradovate.ratelimits import WITH_CAPTCHA
from brokers.sandbox.tradovate.reading import read_entity

if TYPE_CHECKING:
    from brokers.sandbox.tradovate.venue import Venue

logger = logging.getLogger(__name__)

Handler = Callable[[Desk, Call, Login], Reply]
ENTRIES: dict[str, Handler] = {
    "order/placeorder": trading.place_order,
    "order/placeoso": trading.place_oso,
    "order/placeoco": trading.place_oco,
    "orderstrategy/startorderstrategy": strategies.start_strategy,
}
COMMANDS: dict[str, Handler] = ENTRIES | {
    "order/modifyorder": trading.modify_order,
    "order/cancelorder": trading.cancel_order,
    "order/liquidateposition": trading.liquidate_position,
    "order/liquidatepositions": trading.liquidate_positions,
    "orderstrategy/interruptorderstrategy": strategies.interrupt_strategy,
}
HANDLERS: dict[str, Handler] = COMMANDS | {
    "order/dryrun": accounting.dry_run,
    "cashbalance/getcashbalancesnapshot": accounting.cash_balance_snapshot,
    "useraccountautoliq/create": accounting.write_auto_liq,
    "useraccountautoliq/update": accounting.write_auto_liq,
    "contract/find": contracts.find_contract,
    "contract/suggest": contracts.suggest_contract,
    "contract/rollcontract": contracts.roll_contract,
    "contract/rollcontracts": contracts.roll_contracts,
    "contract/getproductfeeparams": contracts.product_fee_params,
    "md/subscribequote": marketdata.subscribe_quote,
    "md/unsubscribequote": marketdata.unsubscribe_quote,
}
VENUE_HANDLERS: dict[str, Callable[[Venue, Call], Reply]] = {
    "auth/accesstokenrequest": signin.request_access_token,
    "auth/renewaccesstoken": signin.renew_access_token,
    "auth/me": signin.who_am_i,
    "auth/oauthtoken": oauth.exchange_token,
    "authorize": user.authorize,
    "user/syncrequest": user.synchronise,
}
WITHOUT_TOKEN = frozenset({"auth/accesstokenrequest", "auth/oauthtoken", "authorize"})
PENALTY_MESSAGE = "Too many requests"
STRATEGY_START = "orderstrategy/startorderstrategy"


class Dispatcher:
    """Processes one call at a time, from the work queue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._desk = venue.desk
        self._faults = venue.faults
        self._tickets: dict[str, float] = {}

    def process(self, call: Call) -> None:
        try:
            self._process(call)
        except Exception:
            # Outermost point of a request: its sender must get an answer, and the failure must be seen.
            logger.exception("request failed: %s", call.endpoint)
            call.finish(Reply(500, "Internal server error"))

    def _process(self, call: Call) -> None:
        call.account = _account_of(call)
        if call.account is not None:
            call.arrival.account = call.account.id
        if not call.delayed and self._delay(call):
            return
        if self._interfere(call):
            return
        self._send(call, self._answer(call))

    def _delay(self, call: Call) -> bool:
        call.delayed = True
        fault = self._take("delay", call)
        seconds = self._venue.switches.delay_ms / 1000
        if fault is not None:
            seconds += fault.params["seconds"]
        if seconds > 0:
            self._venue.queue.request_later(seconds, lambda: self.process(call))
        return seconds > 0

    def _take(self, kind: str, call: Call, **wanted: object) -> Fault | None:
        """Faults without an endpoint concern trading commands only."""
        subject = call.account if call.account is not None else call.login
        by_default = call.endpoint in COMMANDS
        return self._faults.take(kind, subject, call.endpoint, by_default=by_default, **wanted)

    def _interfere(self, call: Call) -> bool:
        """Faults that end the request before anything happens; True when one did."""
        if self._take("hang", call) is not None:
            return True
        if self._take("drop_before_accept", call) is not None:
            call.drop()
            return True
        if self._take("rate_limit", call) is not None or self._asks_too_much(call):
            call.finish(Reply(429, None))
            return True
        fault = self._take("status", call)
        if fault is not None:
            call.finish(Reply(fault.params["status"], fault.params["text"] or None))
            return True
        ticket = self._penalty(call)
        if ticket is not None:
            call.finish(ticket)
        return ticket is not None

    def _asks_too_much(self, call: Call) -> bool:
        username = None if call.login is None else call.login.username
        return self._venue.limits.is_beyond(username, self._venue.switches.requests_per_hour)

    def _penalty(self, call: Call) -> Reply | None:
        """A penalty ticket, unless the call brings one that has been waited for."""
        due = self._tickets.pop(str(call.params.pop("p-ticket", "")), None)
        if due is not None:
            left = due - time.monotonic()
            return self._ticket(left) if left > 0 else None
        fault = self._take("penalty_ticket", call)
        if fault is not None:
            return self._ticket(fault.params["seconds"], captcha=fault.params["captcha"])
        seconds = self._venue.limits.penalty(call.endpoint) if self._venue.switches.endpoint_limits else 0.0
        return self._ticket(seconds, captcha=call.endpoint in WITH_CAPTCHA) if seconds > 0 else None

    def _ticket(self, seconds: float, *, captcha: bool = False) -> Reply:
        """One that needs a captcha cannot be resolved by a program, so it is not remembered."""
        ticket = secrets.token_urlsafe(24)
        if not captcha:
            self._tickets[ticket] = time.monotonic() + seconds
        body = {"p-ticket": ticket, "p-time": math.ceil(seconds), "p-captcha": captcha, "p-message": PENALTY_MESSAGE}
        return Reply(200, body)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._route(call)
        except HttpRefusalError as refused:
            return Reply(refused.status, refused.text)
        except ViolationError as refused:
            return Reply(200, refused.body)
        except CommandRefusedError as refused:
            return Reply(200, _refusal(call.endpoint, refused.reason, refused.text))

    def _route(self, call: Call) -> Reply:
        venue_handler = VENUE_HANDLERS.get(call.endpoint)
        if venue_handler is not None and call.endpoint in WITHOUT_TOKEN:
            return venue_handler(self._venue, call)
        login = call.login
        if login is None:
            raise HttpRefusalError(401, ACCESS_DENIED)
        for account in login.accounts:
            if account.steps:
                self._desk.run(account)
        if venue_handler is not None:
            return venue_handler(self._venue, call)
        refusal = self._scripted_refusal(call)
        if refusal is not None:
            return refusal
        return HANDLERS.get(call.endpoint, read_entity)(self._desk, call, login)

    def _scripted_refusal(self, call: Call) -> Reply | None:
        if call.endpoint not in COMMANDS:
            return None
        subject = call.account if call.account is not None else call.login
        fault = self._faults.take(
            "reject", subject, call.endpoint, by_default=call.endpoint in ENTRIES, mode="sync", leg="entry"
        )
        if fault is None:
            return None
        return Reply(200, _refusal(call.endpoint, fault.params["reason"], fault.params["text"]))

    def _send(self, call: Call, reply: Reply) -> None:
        """Reply, then what it set going; faults change the order or lose the reply."""
        account, after = reply.account, reply.after
        if after is None or account is None:
            self._reply(call, reply)
            return
        self._venue.note_change()
        if self._take("events_before_reply", call) is not None:
            account.steps.append(after)
            self._desk.run(account)
            self._reply(call, reply)
            return
        self._reply(call, reply)
        self._desk.step(account, after)

    def _reply(self, call: Call, reply: Reply) -> None:
        if self._take("drop_after_accept", call) is not None:
            call.drop()
        elif self._take("garbled", call) is not None:
            call.garble(reply)
        else:
            call.finish(reply)


def _refusal(endpoint: str, reason: str, text: str) -> dict[str, str]:
    if endpoint == STRATEGY_START:
        return {"errorText": text, "failureReason": reason}
    return {"failureReason": reason, "failureText": text}


def _account_of(call: Call) -> Account | None:
    """The account a request is about, as far as it can be told; for faults and the arrivals list."""
    login = call.login
    if login is None:
        return None
    if len(login.accounts) == 1:
        return login.accounts[0]
    params = call.params
    for account in login.accounts:
        if params.get("accountId") == account.id or params.get("accountSpec") == account.name:
            return account
        if params.get("orderId") in account.rows["order"] or params.get("orderStrategyId") in account.strategies:
            return account
    return None
