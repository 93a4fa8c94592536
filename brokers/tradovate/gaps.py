"""Asks the venue for what its stream left open: contract names, the orders of fills, fill prices sent as 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokers.errors import AuthExpired, BrokerError, Refused
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.entities import EntityCache
from brokers.tradovate.parse import entities_of
from brokers.tradovate.reports import Reporter
from brokers.tradovate.session import TradovateSession
from brokers.tradovate.types import Contract

REREAD_SECONDS = 0.5
MOST_REREADS = 3


class Gaps:
    """Belongs to a session's loop thread; `filled` is called after an answer changed the cache."""

    def __init__(
        self,
        session: TradovateSession,
        cache: EntityCache,
        reporter: Reporter,
        book: ContractBook,
        filled: Callable[[], None],
    ) -> None:
        self._session = session
        self._cache = cache
        self._reporter = reporter
        self._book = book
        self._filled = filled
        self._rereads: dict[tuple[str, int], tuple[float, int]] = {}

    def tick(self, now: float) -> None:
        for contract_id in self._reporter.missing_contracts():
            if self._book.should_ask(contract_id):
                self.ask_contract(contract_id)
        for order_id in self._reporter.missing_orders():
            self._reread("order", order_id, now)
        for fill_id in self._cache.priceless:
            self._reread("fill", fill_id, now)

    def ask_contract(self, contract_id: int) -> None:
        """A contract that the venue does not know keeps its number for a name: its orders must not vanish."""

        def on_refusal(error: BrokerError) -> None:
            if isinstance(error, Refused | AuthExpired):
                self._cache.apply(Contract(contract_id, f"#{contract_id}"))
                self._filled()

        def on_reply(payload: Any) -> None:
            for entity in entities_of("contract", payload):
                if isinstance(entity, Contract):
                    self._book.learn(entity.id, entity.name)
            self._filled()

        self._session.ask("contract/item", on_reply, query=f"id={contract_id}", on_refusal=on_refusal)

    def _reread(self, entity_type: str, entity_id: int, now: float) -> None:
        due, times = self._rereads.get((entity_type, entity_id), (now + REREAD_SECONDS, 0))
        if now >= due and times < MOST_REREADS:
            self._session.ask(
                f"{entity_type}/item",
                lambda payload: self._apply(entity_type, payload),
                query=f"id={entity_id}",
                on_refusal=lambda _error: None,
            )
            due, times = now + REREAD_SECONDS, times + 1
        self._rereads[entity_type, entity_id] = (due, times)

    def _apply(self, entity_type: str, payload: Any) -> None:
        for entity in entities_of(entity_type, payload):
            self._cache.apply(entity)
        self._filled()
