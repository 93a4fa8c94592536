"""Contracts as the Gateway calls and lists them: its roots are often not the exchange's."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from brokers import expiry
from brokers.sandbox.market.catalog import Catalog, Contract
from brokers.sandbox.projectx.switches import Switches

MOST_FOUND = 20
_ROOTS_FILE = Path(__file__).with_name("roots.json")
Row = dict[str, Any]


class Listing:
    """Ids are ``CON.F.US.<root>.<month letter><two-digit year>``; products that no prop firm offers have none."""

    def __init__(self, catalog: Catalog, switches: Switches) -> None:
        self._catalog = catalog
        self._switches = switches
        self._products: dict[str, dict[str, str]] = orjson.loads(_ROOTS_FILE.read_bytes())
        self._by_root = {row["root"]: root for root, row in self._products.items()} | {"MNGE": "MNG"}

    def root(self, contract: Contract) -> str:
        root = contract.product.root
        return self._switches.mng_root if root == "MNG" else self._products[root]["root"]

    def contract_id(self, contract: Contract) -> str:
        return f"CON.{self.symbol_id(contract)}.{expiry.month_code(contract.month)}{contract.year % 100:02d}"

    def symbol_id(self, contract: Contract) -> str:
        return f"F.US.{self.root(contract)}"

    def find(self, contract_id: str) -> Contract | None:
        """The contract of an id, expired or not; None for an unknown one."""
        head, _, month = contract_id.upper().rpartition(".")
        root = self._by_root.get(head.removeprefix("CON.F.US."))
        if root is None or len(month) != len("Z26"):
            return None
        contract = self._catalog.by_name.get(f"{root}{month[0]}{month[-1]}")
        return contract if contract is not None and self.contract_id(contract) == contract_id.upper() else None

    def is_offered(self, contract: Contract) -> bool:
        return contract.product.root in self._products

    def available(self) -> list[Contract]:
        """The front month of every product."""
        return [self._catalog.front(root) for root in sorted(self._products)]

    def search(self, text: str) -> list[Contract]:
        """At most twenty contracts of which anything contains the text, in no helpful order."""
        wanted = text.strip().upper()
        found = [contract for contract in self._listed() if wanted in self._described(contract)]
        best = sorted(found, key=lambda contract: not contract.name.startswith(wanted))[:MOST_FOUND]
        return sorted(best, key=self.contract_id, reverse=True)

    def row(self, contract: Contract) -> Row:
        product = contract.product
        return {
            "id": self.contract_id(contract),
            "name": contract.name,
            "description": self._description(contract),
            "tickSize": float(product.tick),
            "tickValue": float(product.tick * product.point_value),
            "activeContract": self._catalog.is_front(contract),
            "symbolId": self.symbol_id(contract),
        }

    def _listed(self) -> Iterator[Contract]:
        months = (1, 2) if self._switches.next_months else (1,)
        for root in self._products:
            for nth in months:
                yield self._catalog.front(root, nth)

    def _description(self, contract: Contract) -> str:
        words = self._products[contract.product.root]["description"]
        return f"{words}: {month_name[contract.month]} {contract.year}"

    def _described(self, contract: Contract) -> str:
        texts = (contract.name, self.symbol_id(contract), self._products[contract.product.root]["description"])
        return "\n".join(texts).upper()
