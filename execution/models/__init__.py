"""The rows that are the queue: intents, orders, fills, positions, and every transition between their states."""

from execution.models.alarm import Alarm
from execution.models.breaks import Break, BreakKind, BreakState
from execution.models.command import Command
from execution.models.explanation import Explanation
from execution.models.fill import Fill
from execution.models.flatten import Flatten, FlattenStatus
from execution.models.heartbeat import Heartbeat
from execution.models.intent import IntentKind, IntentSource, IntentStatus, OrderIntent
from execution.models.order import Order
from execution.models.position import BrokerPosition, Position
from execution.models.reconciliation import Reconciliation
from execution.models.transition import ObjectKind, Transition
from execution.models.unprotected import SpanEnd, UnprotectedSpan

__all__ = [
    "Alarm",
    "Break",
    "BreakKind",
    "BreakState",
    "BrokerPosition",
    "Command",
    "Explanation",
    "Fill",
    "Flatten",
    "FlattenStatus",
    "Heartbeat",
    "IntentKind",
    "IntentSource",
    "IntentStatus",
    "ObjectKind",
    "Order",
    "OrderIntent",
    "Position",
    "Reconciliation",
    "SpanEnd",
    "Transition",
    "UnprotectedSpan",
]
