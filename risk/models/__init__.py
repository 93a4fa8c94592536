"""What an owner limits, what was decided because of it, and what stops new exposure."""

from risk.models.action import ActionStatus, RiskAction
from risk.models.book import AccountDay, AccountEquity, AccountRules
from risk.models.event import EventKind, RiskEvent
from risk.models.limit import MONEY, Basis, LimitKind, LimitScope, RiskLimit, Unit
from risk.models.pack import PackAssignment
from risk.models.switch import Switch, SwitchMode, SwitchScope

__all__ = [
    "MONEY",
    "AccountDay",
    "AccountEquity",
    "AccountRules",
    "ActionStatus",
    "Basis",
    "EventKind",
    "LimitKind",
    "LimitScope",
    "PackAssignment",
    "RiskAction",
    "RiskEvent",
    "RiskLimit",
    "Switch",
    "SwitchMode",
    "SwitchScope",
    "Unit",
]
