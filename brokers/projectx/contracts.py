"""Contract ids and names of one host, learned once and shared by all its logins.

The platform's roots are often not the exchange's (ES is EP, MCL is MCLE), and its search is fuzzy: a search for ES
brings yen and five-year notes. So a contract counts as ours only when its name, its platform root, its month and the
money of its tick all agree with what we know of the product: a micro taken for its big sister is a tenfold error.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal

from brokers.access import Priority
from brokers.errors import Refused
from brokers.instruments import UnknownTicker, product_of
from brokers.projectx.client import Client
from brokers.projectx.parse import contract_of, rows_of
from brokers.projectx.types import Contract

MISMATCH = "CONTRACT_MISMATCH"
UNKNOWN = "CONTRACT_NOT_FOUND"
CONTRACT_CODES = frozenset({MISMATCH, UNKNOWN})
LIST_SECONDS = 600.0
_PREFIX = "F.US."
_NAME = re.compile(r"(?P<root>[A-Z0-9]{1,4})(?P<month>[FGHJKMNQUVXZ])(?P<year>[0-9])")

# Exchange root → platform root, where they differ. MNG has been seen as both MNG and MNGE.
ROOTS: dict[str, frozenset[str]] = {
    exchange: frozenset(platform.split("|"))
    for exchange, platform in {
        "ES": "EP", "NQ": "ENQ", "CL": "CLE", "NG": "NGE", "RB": "RBE", "HO": "HOE", "QM": "NQM", "QG": "NQG",
        "MCL": "MCLE", "MNG": "MNG|MNGE", "GC": "GCE", "SI": "SIE", "HG": "CPE", "PL": "PLE", "6E": "EU6", "6B": "BP6",
        "6J": "JY6", "6A": "DA6", "6C": "CA6", "6S": "SF6", "6N": "NE6", "6M": "MX6", "E7": "EEU", "ZN": "TYA",
        "ZB": "USA", "ZF": "FVA", "ZT": "TUA", "TN": "TNA", "UB": "ULA", "ZC": "ZCE", "ZS": "ZSE", "ZW": "ZWA",
        "ZM": "ZME", "ZL": "ZLE", "LE": "GLE", "MET": "GMET|MET",
    }.items()
}  # fmt: skip
_OURS = {platform: exchange for exchange, platforms in ROOTS.items() for platform in platforms}


def check(contract: Contract) -> None:
    """Raise `Refused` with `CONTRACT_MISMATCH` unless the contract is what its name says."""
    match = _NAME.fullmatch(contract.name)
    if match is None:
        raise Refused(MISMATCH, f"the venue lists {contract.name}, which is no futures month that we know")
    root, platform = match["root"], contract.symbol_id.removeprefix(_PREFIX)
    if platform not in ROOTS.get(root, frozenset({root})) or _OURS.get(platform, root) != root:
        raise Refused(MISMATCH, f"the venue calls {contract.name} {contract.symbol_id}, which is another product")
    dated = rf"CON\.{re.escape(contract.symbol_id)}\.{match['month']}[0-9]?{match['year']}"
    if re.fullmatch(dated, contract.id) is None:
        raise Refused(MISMATCH, f"the venue's id {contract.id} is not that of {contract.name}")
    _check_money(contract, root)


def _check_money(contract: Contract, root: str) -> None:
    try:
        product = product_of(root)
    except UnknownTicker as error:
        raise Refused(UNKNOWN, str(error)) from None
    tick_value = product.tick * product.point_value
    if (contract.tick, contract.tick_value) != (product.tick, tick_value):
        raise Refused(
            MISMATCH,
            f"{contract.name} moves by {contract.tick} for ${contract.tick_value} at the venue, "
            f"by {product.tick} for ${tick_value.normalize():f} in our table: nothing is sent until they agree",
        )


class ContractBook:
    """Ids never change their meaning; a name may be reused by a later decade's contract. Safe in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, Contract] = {}
        self._by_name: dict[str, Contract] = {}
        self._listed: tuple[Contract, ...] = ()
        self._listed_at = -LIST_SECONDS

    def learn(self, contracts: Iterable[Contract]) -> None:
        """A name goes to the newest id that it is seen with."""
        for contract in contracts:
            self._by_id[contract.id] = contract
            self._by_name[contract.name] = contract

    def named(self, symbol: str) -> Contract | None:
        return self._by_name.get(symbol)

    def symbol_of(self, contract_id: str) -> str | None:
        found = self._by_id.get(contract_id)
        return found.name if found is not None else None

    def specs(self) -> Mapping[str, Contract]:
        """What is known, by the venue's id."""
        return self._by_id

    def resolve(self, client: Client, symbol: str, priority: Priority = Priority.POLL) -> Contract:
        """The contract of our symbol, checked.

        Raises `Refused` with `CONTRACT_MISMATCH` or `CONTRACT_NOT_FOUND`, or another `BrokerError`.
        """
        found = self.named(symbol)
        if found is None:
            with self._lock:
                found = self.named(symbol) or self._look_up(client, symbol, priority)
        check(found)
        return found

    def ensure(self, client: Client, contract_ids: Iterable[str]) -> None:
        """Learn what these ids mean; what the venue does not know keeps its id for a name. Raises a `BrokerError`."""
        for contract_id in set(contract_ids):
            if contract_id not in self._by_id:
                with self._lock:
                    self._ask(client, contract_id)

    def load(self, client: Client) -> None:
        """Learn every contract that the venue lists, at most every ten minutes. Raises a `BrokerError`."""
        with self._lock:
            if time.monotonic() - self._listed_at >= LIST_SECONDS:
                self._load(client, Priority.POLL)

    def front_of(self, root: str) -> Contract | None:
        """The contract that the venue's last list marks as the product's front month."""
        platforms = {_PREFIX + platform for platform in ROOTS.get(root, frozenset({root}))}
        return next((c for c in self._listed if c.is_front and c.symbol_id in platforms), None)

    def _load(self, client: Client, priority: Priority) -> None:
        # `live` chooses a data subscription that only funded live accounts have; without it the list is complete.
        rows = client.rows("Contract/available", {"live": False}, "contracts", priority)
        self._listed = tuple(rows_of(contract_of, rows))
        self._listed_at = time.monotonic()
        self.learn(self._listed)

    def _look_up(self, client: Client, symbol: str, priority: Priority) -> Contract:
        """By its name first: an order waits for it."""
        body = {"searchText": symbol, "live": False}
        self.learn(rows_of(contract_of, client.rows("Contract/search", body, "contracts", priority)))
        if self.named(symbol) is None:
            self._load(client, priority)
        found = self.named(symbol)
        if found is None:
            raise Refused(UNKNOWN, f"the venue lists no contract {symbol}")
        return found

    def _ask(self, client: Client, contract_id: str) -> None:
        try:
            row = client.call("Contract/searchById", {"contractId": contract_id}).get("contract")
        except Refused:
            row = None
        if row is not None:
            self.learn(rows_of(contract_of, [row]))
        if contract_id not in self._by_id:
            # Its orders must not vanish, and no order of ours ever resolves to it.
            self.learn([Contract(contract_id, contract_id, "", Decimal(0), Decimal(0), is_front=False)])
