"""Which changes take away what binds the owner, too: their doors ask once more who somebody is.

What adds protection asks nothing, nor does a limit that its owner set for themselves.
"""

from __future__ import annotations

from copy import copy
from decimal import Decimal

from risk.models import PackAssignment, RiskLimit
from risk.services.limits import Changes, loosened


def binds(limit: RiskLimit) -> bool:
    """Whether it is in force and staff alone may lift its lock: whoever set it so did not want to be talked round."""
    return limit.is_enabled and not limit.owner_may_unlock


def limit_loosens(limit: RiskLimit, changes: Changes) -> bool:
    """Of a limit as it is stored."""
    after = copy(limit)
    for name, value in changes.items():
        setattr(after, name, value)
    return binds(limit) and loosened(limit, after) != ""


def pack_loosens(
    held: PackAssignment | None, *, pack: str, version: int, start_balance: Decimal, is_enforced: bool = True
) -> bool:
    """Whether this would put less in the place of what an account is under, None where it is under nothing.

    Floors count from the start balance: a lower one lowers them. Other rules cannot be compared, so they count.
    """
    if held is None or not held.is_enforced:
        return False
    is_same = is_enforced and (held.pack, held.version) == (pack, version)
    return not is_same or start_balance < held.start_balance
