"""What a command would do if it were given now, for the question that comes before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from execution.flattening import flatten
from execution.flattening.flatten import Exposure
from execution.intents import waiting_entries
from traders.selectors import list_traders_for


@dataclass(frozen=True, slots=True)
class FlattenPreview:
    """`accounts` are those with something open, working or about to be sent; `lines` say what of each."""

    accounts: tuple[BrokerAccount, ...]
    positions: int
    orders: int
    lines: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.accounts

    @property
    def text(self) -> str:
        """For the question before it."""
        if self.is_empty:
            return "Nothing is open and nothing works: there is nothing to close."
        where = _many(len(self.accounts), "account")
        return f"Closes {_many(self.positions, 'position')} on {where}, cancels {_many(self.orders, 'order')}."


def preview_flatten(owner: User, accounts: Iterable[BrokerAccount] | None = None) -> FlattenPreview:
    """By our books and by the broker's reports; `accounts` narrows it to some of the owner's."""
    mine = {account.pk: account for account in list_accounts_for(owner)}
    if accounts is not None:
        mine = {one.pk: mine[one.pk] for one in accounts if one.pk in mine}
    held = flatten.exposures(set(mine))
    orders = Counter(flatten.live_orders(Q(account_id__in=mine)).values_list("account_id", flat=True))
    orders.update(waiting_entries(mine).values_list("account_id", flat=True))
    found = [account for pk, account in mine.items() if held.get(pk) or orders[pk]]
    return FlattenPreview(
        accounts=tuple(found),
        positions=sum(net != 0 for account in found for net in held.get(account.pk, {}).values()),
        orders=sum(orders[account.pk] for account in found),
        lines=tuple(_line(account, held.get(account.pk, {}), orders[account.pk]) for account in found),
    )


def preview_disable(owner: User) -> int:
    """How many traders are on."""
    return list_traders_for(owner).filter(is_enabled=True).count()


def _line(account: BrokerAccount, held: Exposure, orders: int) -> str:
    parts = [f"{net:+d} {symbol}" for symbol, net in sorted(held.items()) if net != 0]
    return f"{account.name}: {', '.join([*parts, _many(orders, 'order')])}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
