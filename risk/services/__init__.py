"""Changing what is limited, how days are counted, and what is locked. Every change is a `RiskEvent`."""

from risk.services.accounts import assign_pack, remove_pack, reset_high_water, set_rules
from risk.services.limits import change_limit, remove_limit, set_limit
from risk.services.locks import may_unlock, unlock

__all__ = [
    "assign_pack",
    "change_limit",
    "may_unlock",
    "remove_limit",
    "remove_pack",
    "reset_high_water",
    "set_limit",
    "set_rules",
    "unlock",
]
