"""Changing what is limited, how days are counted, and what is locked. Every change is a `RiskEvent`."""

from risk.services.accounts import assign_pack, remove_pack, reset_high_water, set_rules
from risk.services.limits import change_limit, remove_limit, set_limit
from risk.services.locks import may_unlock, unlock
from risk.services.loosening import binds, limit_loosens, pack_loosens

__all__ = [
    "assign_pack",
    "binds",
    "change_limit",
    "limit_loosens",
    "may_unlock",
    "pack_loosens",
    "remove_limit",
    "remove_pack",
    "reset_high_water",
    "set_limit",
    "set_rules",
    "unlock",
]
