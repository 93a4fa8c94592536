"""One Tradovate login as a `brokers.base.Connection`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from brokers.base import (
    AccountRef,
    CancelOrder,
    ConnectionState,
    Credentials,
    Endpoints,
    FlattenPosition,
    Request,
    Sink,
    SubmitOrder,
    Token,
    TokenStore,
)
from brokers.connector import Stream
from brokers.errors import BrokerError, RateLimited, Refused
from brokers.http import HttpClient
from brokers.reports import Event, NotSent, Outcome, Rejected, SyncReport
from brokers.streams import Outgoing, StreamLoop
from brokers.tradovate.auth import Auth
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.desk import OrderDesk, Ticket
from brokers.tradovate.evidence import read_account
from brokers.tradovate.gate import Gate
from brokers.tradovate.orders import Call, call_for
from brokers.tradovate.quotes import OnQuote, QuoteSession, QuoteStream
from brokers.tradovate.session import request_frame
from brokers.tradovate.stream import UserSession


class TradovateConnection:
    """All accounts of a login share its one socket; orders go out on it, and over REST while it is down."""

    def __init__(
        self,
        login_id: UUID,
        credentials: Credentials,
        endpoints: Endpoints,
        store: TokenStore,
        sink: Sink,
        loop: StreamLoop,
        book: ContractBook,
    ) -> None:
        self._login_id = login_id
        self._sink = sink
        self._loop = loop
        self._book = book
        self._md_url = endpoints.md_url
        self._gate = Gate()
        http = HttpClient(endpoints.rest_url)
        auth = Auth(credentials, http, store, self._gate)
        self._auth = auth
        self._client = Client(http, auth, self._gate)
        self._session = UserSession(auth, self._gate, endpoints.ws_url, book, self._tell)
        self._desk = OrderDesk(
            self._client,
            auth,
            loop,
            tell=self._tell,
            settle=self._session.settle,
            flush=self._session.flush,
            renewed=self._session.on_socket_refused,
        )
        self._session.desk = self._desk
        self._session.renew = self._renew

    @property
    def login_id(self) -> UUID:
        return self._login_id

    @property
    def state(self) -> ConnectionState:
        return self._session.state

    def start(self) -> None:
        self._session.stream = Stream(self._session)
        self._loop.add(self._session.stream)

    def stop(self) -> None:
        self._loop.remove(self._session.stream)

    def submit(self, requests: Sequence[Request]) -> None:
        frames: list[Outgoing] = []
        for request in requests:
            try:
                self._gate.check()
                call = self._call(request)
            except (RateLimited, ValueError) as error:
                self._desk.finish(request, NotSent(request.client_order_id, str(error), datetime.now(UTC)))
                continue
            if call is not None:
                self._route(request, call, frames)
        self._loop.submit(frames)

    def query(self, account: AccountRef) -> SyncReport:
        return read_account(self._client, self._book, account)

    def quotes(self, on_quote: OnQuote) -> QuoteStream:
        """This login's market data, not started; it shares the sign-in."""
        session = QuoteSession(self._auth, self._gate, self._md_url, self._book, on_quote)
        return QuoteStream(session, self._client, self._book, self._loop)

    def _call(self, request: Request) -> Call | None:
        """None when the contract's id must be asked for first, which happens in a helper thread."""
        match request:
            case FlattenPosition():
                contract_id = self._book.id_of(request.symbol)
                if contract_id is None:
                    self._loop.background(lambda: self._find_and_submit(request))
                    return None
                return call_for(request, contract_id)
            case SubmitOrder() | CancelOrder():
                return call_for(request)

    def _route(self, request: Request, call: Call, frames: list[Outgoing]) -> None:
        link, token = self._session.ready_link, self._session.token
        if link is None or token is None:
            self._desk.over_rest(request, call)
            return
        ticket = Ticket(self._session.next_id(), request, call, token)
        frame = request_frame(call.endpoint, ticket.request_id, body=call.body)
        frames.append(Outgoing(self._session.stream, link, frame, ticket))

    def _find_and_submit(self, request: FlattenPosition) -> None:
        """Nothing of the request has left while its contract is looked up, so a failure here proves that."""
        now = datetime.now(UTC)
        try:
            contract = self._client.find_contract(request.symbol)
        except Refused as error:
            outcome: Outcome = Rejected(request.client_order_id, error.code, error.text, now)
            self._desk.finish(request, outcome)
        except BrokerError as error:
            self._desk.finish(request, NotSent(request.client_order_id, str(error), now))
        else:
            self._book.learn(contract.id, contract.name)
            self.submit([request])

    def _renew(self, token: Token) -> None:
        self._loop.background(lambda: self._renew_now(token))

    def _renew_now(self, token: Token) -> None:
        try:
            renewed = self._auth.renew(token)
        except BrokerError as error:
            failure = error
            self._loop.call(lambda: self._session.on_renewal_failed(failure))
        else:
            self._loop.call(lambda: self._session.on_renewed(renewed))

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._sink(self._login_id, events)
