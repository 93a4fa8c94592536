"""One Tradovate login as a `brokers.base.Connection`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from brokers.access import Access, Priority, Token
from brokers.base import AccountRef, ConnectionState, FlattenPosition, Request, Sink
from brokers.connector import Stream
from brokers.errors import BrokerError, NotReached, RateLimited, Refused
from brokers.http import HttpClient
from brokers.links import Link
from brokers.reports import Event, NotSent, Rejected, SyncReport
from brokers.streams import Outgoing, StreamLoop
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.desk import OrderDesk, Ticket
from brokers.tradovate.errand import Errand
from brokers.tradovate.evidence import read_account, read_outline
from brokers.tradovate.front import front_month
from brokers.tradovate.gate import Gate
from brokers.tradovate.orders import call_for
from brokers.tradovate.quotes import OnQuote, QuoteSession, QuoteStream
from brokers.tradovate.session import request_frame
from brokers.tradovate.snapshot import day_pnl
from brokers.tradovate.stream import UserSession

logger = logging.getLogger(__name__)


class TradovateConnection:
    """All accounts of a login share its one socket; orders go out on it, and over REST while it is down."""

    def __init__(
        self,
        login_id: UUID,
        access: Access,
        sink: Sink,
        loop: StreamLoop,
        book: ContractBook,
    ) -> None:
        self._login_id = login_id
        self._sink = sink
        self._loop = loop
        self._book = book
        self._md_url = access.endpoints.md_url
        self._gate = Gate(access.budget)
        http = HttpClient(access.endpoints.rest_url)
        auth = Auth(access, http, self._gate)
        self._auth = auth
        self._client = Client(http, auth, self._gate)
        self._session = UserSession(auth, self._gate, book, self._tell)
        self._desk = OrderDesk(
            self._client,
            auth,
            loop,
            tell=self._tell,
            settle=self._session.settle,
            flush=self._session.flush,
            renewed=self._session.on_socket_refused,
        )
        self._desk.send = lambda errand: self._send([errand])
        self._session.desk = self._desk
        self._session.renew = self._renew

    @property
    def login_id(self) -> UUID:
        return self._login_id

    @property
    def state(self) -> ConnectionState:
        return self._session.state

    @property
    def books_at(self) -> datetime | None:
        return datetime.now(UTC) if self.state is ConnectionState.LIVE else None

    def start(self) -> None:
        self._desk.is_open = True
        self._session.stream = Stream(self._session)
        self._loop.add(self._session.stream)

    def stop(self) -> None:
        self._desk.dismiss()
        self._loop.remove(self._session.stream)

    def submit(self, requests: Sequence[Request]) -> None:
        errands: list[Errand] = []
        held: dict[AccountRef, tuple[FlattenPosition, list[Request]]] = {}
        for request in requests:
            if request.account in held:
                held[request.account][1].append(request)
                continue
            try:
                contract_id = None
                if isinstance(request, FlattenPosition):
                    self._desk.overtake(request)
                    contract_id = self._book.id_of(request.symbol)
                    if contract_id is None:
                        held[request.account] = (request, [])
                        continue
                errand = Errand(request, call_for(request, contract_id))
                self._gate.spend(errand.priority, errand.original.endpoint)
            except (RateLimited, ValueError) as error:
                self._desk.finish(request, NotSent(request.client_order_id, str(error), datetime.now(UTC)))
            else:
                errands.append(errand)
        self._send(errands)
        for flatten, behind in held.values():
            self._loop.background(partial(self._find_and_submit, flatten, behind))

    def _send(self, errands: Sequence[Errand]) -> None:
        link, token = self._session.ready_link, self._session.token
        if link is None or token is None:
            self._desk.over_rest(errands)
        else:
            self._loop.submit([self._outgoing(errand, link, token) for errand in errands])

    def query(self, account: AccountRef) -> SyncReport:
        return read_account(self._client, self._book, account)

    def survey(self) -> None:
        if self.state is not ConnectionState.LIVE:
            raise NotReached("the stream is not live")
        found = read_outline(self._client, self._session.knows_order)
        self._loop.call(lambda: self._session.complete(found))

    def day_pnl(self, account: AccountRef) -> Decimal | None:
        return day_pnl(self._client, account)

    def front_month(self, root: str) -> str | None:
        return front_month(self._client, self._book, root)

    def quotes(self, on_quote: OnQuote) -> QuoteStream:
        """This login's market data, not started; it shares the sign-in."""
        session = QuoteSession(self._auth, self._gate, self._md_url, self._book, on_quote)
        return QuoteStream(session, self._client, self._book, self._loop)

    def _outgoing(self, errand: Errand, link: Link, token: Token) -> Outgoing:
        ticket = Ticket(self._session.next_id(), errand, token)
        call = errand.call
        frame = request_frame(call.endpoint, ticket.request_id, body=call.body)
        return Outgoing(self._session.stream, link, frame, ticket)

    def _find_and_submit(self, flatten: FlattenPosition, behind: Sequence[Request]) -> None:
        """Look up the contract that the flatten needs the id of; what comes `behind` must not overtake it.

        Nothing of them has left while the contract is looked up, so a failure here proves that.
        """
        now = datetime.now(UTC)
        try:
            contract = self._client.find_contract(flatten.symbol, Priority.FLATTEN)
        except Refused as error:
            self._desk.finish(flatten, Rejected(flatten.client_order_id, error.code, error.text, now))
            self.submit(behind)
        except BrokerError as error:
            self._desk.finish(flatten, NotSent(flatten.client_order_id, str(error), now))
            self.submit(behind)
        else:
            self._book.learn(contract.id, contract.name)
            self.submit([flatten, *behind])

    def _renew(self, token: Token) -> None:
        self._loop.background(lambda: self._renew_now(token))

    def _renew_now(self, token: Token) -> None:
        try:
            renewed = self._auth.renew(token, is_early=True)
        except RateLimited as error:
            # It is good for a while yet, and asked for again.
            logger.info("tradovate renewal waits: %s", error)
        except BrokerError as error:
            failure = error
            self._loop.call(lambda: self._session.on_renewal_failed(failure))
        else:
            self._loop.call(lambda: self._session.on_renewed(renewed))

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._sink(self._login_id, events)
