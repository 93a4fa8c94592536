"""Contract ids and names of one environment, learned once and shared by all its logins."""

from __future__ import annotations

import time

LOOKUP_SECONDS = 5.0


class ContractBook:
    """Names never change for an id; a name may be reused by a later decade's contract. Safe in several threads."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._asked: dict[int, float] = {}

    def learn(self, contract_id: int, name: str) -> None:
        self._names[contract_id] = name
        self._ids[name] = contract_id

    def name_of(self, contract_id: int) -> str | None:
        return self._names.get(contract_id)

    def id_of(self, name: str) -> int | None:
        return self._ids.get(name)

    def should_ask(self, contract_id: int) -> bool:
        """True for the first login that misses a contract: hundreds share one look-up, repeated after 5 s."""
        now = time.monotonic()
        if now - self._asked.get(contract_id, -LOOKUP_SECONDS) < LOOKUP_SECONDS:
            return False
        self._asked[contract_id] = now
        return True
