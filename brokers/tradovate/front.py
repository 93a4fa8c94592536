"""The front month of a product, as the venue itself has it: the maturity that it marks as front.

The mark is the venue's truth but may follow the volume by days (Tradovate wire facts, symbols and roll).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from brokers.errors import OutcomeUnknown, Refused
from brokers.tradovate.client import Client
from brokers.tradovate.contracts import ContractBook
from brokers.tradovate.parse import entities_of
from brokers.tradovate.types import Contract

NOT_FOUND = f"HTTP_{HTTPStatus.NOT_FOUND}"


def front_month(client: Client, book: ContractBook, root: str) -> str | None:
    """The contract name of a product's front month, None where the venue names none. Raises a `BrokerError`."""
    try:
        product = client.read("product/find", {"name": root})
    except Refused as error:
        if error.code == NOT_FOUND:
            return None
        raise
    for maturity in client.read_list("contractMaturity/deps", {"masterid": _id_of(product)}):
        if isinstance(maturity, dict) and maturity.get("isFront") is True:
            return _contract_of(client, book, _id_of(maturity), root)
    return None


def _contract_of(client: Client, book: ContractBook, maturity_id: str, root: str) -> str | None:
    """Spreads and options may share a maturity with the contract that is the product's own."""
    for found in entities_of("contract", client.read_list("contract/deps", {"masterid": maturity_id})):
        if isinstance(found, Contract) and found.name.startswith(root):
            book.learn(found.id, found.name)
            return found.name
    return None


def _id_of(entity: Any) -> str:
    try:
        return str(entity["id"])
    except (KeyError, TypeError):
        raise OutcomeUnknown("the venue's product list could not be read") from None
