"""From a signed request to its reply: faults, limits, tokens, routing, the shape of refusals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from brokers.sandbox.faults import Fault
from brokers.sandbox.webull import tokens
from brokers.sandbox.webull.calls import Call, Reply
from brokers.sandbox.webull.limits import RateLimits
from brokers.sandbox.webull.routes import (
    CHECK_TOKEN,
    COMMANDS,
    CONFIG,
    CREATE_TOKEN,
    ENTRIES,
    GET_HANDLERS,
    LISTS,
    POST_HANDLERS,
    REFRESH_TOKEN,
)
from brokers.sandbox.webull.wire import RefusalError, refusal

if TYPE_CHECKING:
    from brokers.sandbox.webull.venue import Venue

logger = logging.getLogger(__name__)

_HANDLERS = GET_HANDLERS | POST_HANDLERS
_PLAIN_PREFIX = "OPENAPI_"


class Dispatcher:
    """Processes one call at a time, from the work queue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._desk = venue.desk
        self._faults = venue.faults
        self.limits = RateLimits()

    def process(self, call: Call) -> None:
        try:
            self._process(call)
        except Exception:
            # Outermost point of a request: its sender must get an answer, and the failure must be seen.
            logger.exception("request failed: %s", call.endpoint)
            call.finish(Reply(500, {"error_code": "SYSTEM_ERROR", "message": "System error"}))

    def _process(self, call: Call) -> None:
        call.account = call.login.account(call.params.get("account_id"))
        call.arrival.account = (call.account or call.login.futures).id
        if not call.delayed and self._delay(call):
            return
        if self._take("hang", call) is not None:
            return
        if self._take("drop_before_accept", call) is not None:
            call.drop()
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

    def _take(self, kind: str, call: Call, *, by_default: bool | None = None, **wanted: object) -> Fault | None:
        """Faults without an endpoint concern trading commands only, unless said otherwise."""
        subject = call.account if call.account is not None else call.login
        at = call.endpoint in COMMANDS if by_default is None else by_default
        return self._faults.take(kind, subject, call.endpoint, by_default=at, **wanted)

    def _answer(self, call: Call) -> Reply:
        try:
            self._check_limits(call)
            self._check_script(call)
            return self._route(call)
        except RefusalError as refused:
            return Reply(refused.status, self._error_body(call, refused))

    def _check_limits(self, call: Call) -> None:
        limited = self._venue.switches.rate_limits and not self.limits.admit(call.login.username, call.endpoint)
        if limited or self._take("rate_limit", call) is not None:
            raise refusal("TOO_MANY_REQUESTS", "Too many requests, please try again later", 429)

    def _check_script(self, call: Call) -> None:
        if call.endpoint not in COMMANDS:
            return
        by_default = call.endpoint in ENTRIES
        fault = self._take("reject", call, by_default=by_default, mode="sync", leg="entry")
        if fault is not None:
            raise refusal(fault.params["reason"], fault.params["text"])

    def _route(self, call: Call) -> Reply:
        login, switches, wanted = call.login, self._venue.switches, call.params.get("token")
        if call.endpoint == CONFIG:
            return Reply(200, {"token_check_enabled": switches.token_check})
        if call.endpoint in (CREATE_TOKEN, REFRESH_TOKEN):
            self._venue.note_change()
            return Reply(200, tokens.create(login, switches, wanted))
        if call.endpoint == CHECK_TOKEN:
            return Reply(200, tokens.check(login, switches, wanted))
        if call.endpoint.startswith("market-data/") and not switches.market_data:
            raise refusal("MARKET_DATA_NOT_SUBSCRIBED", "You have not subscribed, please subscribe to FOOTPRINT", 403)
        if call.endpoint in LISTS and self._take("empty_lists", call, by_default=True) is not None:
            is_bare = call.endpoint == "trading/assets/positions/list" or call.version != "v3"
            return Reply(200, [] if is_bare else {"data": []})
        return _HANDLERS[call.endpoint](self._desk, call)

    def _error_body(self, call: Call, refused: RefusalError) -> dict[str, object]:
        """The same code is seen with and without OAUTH_ before it; market data repeats the status."""
        body = dict(refused.body)
        code = body.get("error_code")
        if isinstance(code, str) and code.startswith(_PLAIN_PREFIX):
            body["error_code"] = self._venue.switches.error_prefix + code.removeprefix(_PLAIN_PREFIX)
        if call.endpoint.startswith("market-data/"):
            body["status"] = refused.status
        return body

    def _send(self, call: Call, reply: Reply) -> None:
        """Reply, then what it set going; faults change the order or lose the reply."""
        if reply.after is None:
            self._reply(call, reply)
            return
        self._venue.note_change()
        if self._take("events_before_reply", call) is not None:
            reply.after()
            self._reply(call, reply)
            return
        self._reply(call, reply)
        self._venue.queue.add_step(reply.after)

    def _reply(self, call: Call, reply: Reply) -> None:
        if self._take("drop_after_accept", call) is not None:
            call.drop()
        elif self._take("garbled", call) is not None:
            call.garble(reply)
        else:
            call.finish(reply)
